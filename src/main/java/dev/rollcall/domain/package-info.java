/** Who is present, and when that ends. Only {@code java.*}; {@code now} is always an argument. */
@NullMarked
package dev.rollcall.domain;

import org.jspecify.annotations.NullMarked;
