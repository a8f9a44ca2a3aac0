/** The rules of one user: devices, what ends them, and what is emitted. Only {@code java.*}; {@code now} comes from outside. */
@NullMarked
package dev.rollcall.domain.user;

import org.jspecify.annotations.NullMarked;
