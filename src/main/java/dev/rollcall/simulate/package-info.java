/** Simulated load: the events of many users' devices, derived from a seed, and sent as homeserver shards would. */
@NullMarked
package dev.rollcall.simulate;

import org.jspecify.annotations.NullMarked;
