/** An operator's commands that look into what is stored and written, and correct it: {@code docs/operations.md}, "Repair". */
@NullMarked
package dev.rollcall.app.repair;

import org.jspecify.annotations.NullMarked;
