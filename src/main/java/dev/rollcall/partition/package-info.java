/** One partition of the inputs: its time, and who of its users is in memory. Drives the rules of {@code domain}. */
@NullMarked
package dev.rollcall.partition;

import org.jspecify.annotations.NullMarked;
