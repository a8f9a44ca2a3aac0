/** The dead letters: listed, shown, replayed. */
@NullMarked
package dev.rollcall.app.repair.letters;

import org.jspecify.annotations.NullMarked;
