/** Whether the processor gets on, and what to do when it does not. */
@NullMarked
package dev.rollcall.health;

import org.jspecify.annotations.NullMarked;
