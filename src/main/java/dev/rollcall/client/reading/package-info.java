/**
 * The consumer's side of a subscriber: which partitions of a topic are read, from which offsets, and what is committed.
 * Knows nothing of users or presence. Not a public API.
 */
@NullMarked
package dev.rollcall.client.reading;

import org.jspecify.annotations.NullMarked;
