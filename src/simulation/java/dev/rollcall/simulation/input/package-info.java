/** How a simulated processor's thread gets its input: fetches, answers of leaders, and the choice between the topics. */
@NullMarked
package dev.rollcall.simulation.input;

import org.jspecify.annotations.NullMarked;
