/** The deterministic simulation of Rollcall: a seed's run in virtual time, what it finds, and the shortest story of that. */
@NullMarked
package dev.rollcall.simulation;

import org.jspecify.annotations.NullMarked;
