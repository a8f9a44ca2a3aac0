/** Simulated homeserver shards, users and their devices: what they write, well or badly. */
@NullMarked
package dev.rollcall.simulation.people;

import org.jspecify.annotations.NullMarked;
