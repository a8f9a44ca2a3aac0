/**
 * The independent checker: from the logs alone, what may and what must be emitted of each user. It knows the contract, and
 * nothing of the processor: no class of the program is imported here.
 */
@NullMarked
package dev.rollcall.chaos.check;

import org.jspecify.annotations.NullMarked;
