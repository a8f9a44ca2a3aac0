/** What an operator's commands of repair share: clients, reading topics to their ends, printing. See {@code docs/operations.md}. */
@NullMarked
package dev.rollcall.app.repair;

import org.jspecify.annotations.NullMarked;
