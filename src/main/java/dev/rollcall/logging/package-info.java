/** Bounds what the default log writes. */
@NullMarked
package dev.rollcall.logging;

import org.jspecify.annotations.NullMarked;
