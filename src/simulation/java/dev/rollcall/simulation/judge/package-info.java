/** Judges what Rollcall published in a simulated cluster by the rules alone; knows none of the code that it judges. */
@NullMarked
package dev.rollcall.simulation.judge;

import org.jspecify.annotations.NullMarked;
