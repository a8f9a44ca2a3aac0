/** The benchmark: Rollcall beside what one would write instead. See {@code docs/performance.md}. */
@NullMarked
package dev.rollcall.bench;

import org.jspecify.annotations.NullMarked;
