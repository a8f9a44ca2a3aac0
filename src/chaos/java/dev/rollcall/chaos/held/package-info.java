/** Whether a broker keeps its word on transactions when a request about one of them arrives late. */
@NullMarked
package dev.rollcall.chaos.held;

import org.jspecify.annotations.NullMarked;
