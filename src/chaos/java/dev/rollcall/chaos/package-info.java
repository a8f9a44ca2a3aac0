/** The fault campaign: a real cluster, real processes, faults drawn from a seed, and a checker that reads the logs. */
@NullMarked
package dev.rollcall.chaos;

import org.jspecify.annotations.NullMarked;
