/** What a seed draws for a run: how large it is, how fast, and what goes wrong when. Values only, so that it can be shrunk. */
@NullMarked
package dev.rollcall.simulation.plan;

import org.jspecify.annotations.NullMarked;
