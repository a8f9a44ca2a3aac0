/** Bearer tokens (JWT): the keys that verify them, what they must be, and how they are made. Knows no HTTP. */
@NullMarked
package dev.rollcall.http.tokens;

import org.jspecify.annotations.NullMarked;
