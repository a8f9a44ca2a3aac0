/** The receiver beside a Matrix homeserver: a mirror of its clients' polls becomes heartbeats. */
@NullMarked
package dev.rollcall.matrix;

import org.jspecify.annotations.NullMarked;
