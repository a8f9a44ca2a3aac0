/** Virtual time and chance: what happens when, and what a seed draws. */
@NullMarked
package dev.rollcall.simulation.time;

import org.jspecify.annotations.NullMarked;
