/** The command that runs the receiver beside a Matrix homeserver. */
@NullMarked
package dev.rollcall.app.matrix;

import org.jspecify.annotations.NullMarked;
