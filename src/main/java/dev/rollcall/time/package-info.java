/** The time of one partition, made of the stamps in its log. Only {@code java.*}. */
@NullMarked
package dev.rollcall.time;

import org.jspecify.annotations.NullMarked;
