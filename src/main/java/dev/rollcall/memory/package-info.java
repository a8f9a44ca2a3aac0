/** The users in memory: packed, found by id, with their deadlines (ADR 9). */
@NullMarked
package dev.rollcall.memory;

import org.jspecify.annotations.NullMarked;
