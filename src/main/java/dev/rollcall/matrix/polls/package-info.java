/**
 * The rules of the receiver beside a homeserver: which polls are open and when a device's last one has ended, which of its
 * heartbeats are written, and which access tokens are known. As pure as {@code domain}: the time is an argument, in ms from any
 * fixed point, and decisions are values.
 */
@NullMarked
package dev.rollcall.matrix.polls;

import org.jspecify.annotations.NullMarked;
