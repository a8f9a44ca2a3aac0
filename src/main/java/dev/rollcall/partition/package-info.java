/** One partition's users in memory: packed, found by id, with their deadlines. Drives the rules of {@code domain}. */
@NullMarked
package dev.rollcall.partition;

import org.jspecify.annotations.NullMarked;
