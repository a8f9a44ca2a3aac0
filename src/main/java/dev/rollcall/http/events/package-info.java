/** Open event streams: how many there may be, when they end, how they are written. */
@NullMarked
package dev.rollcall.http.events;

import org.jspecify.annotations.NullMarked;
