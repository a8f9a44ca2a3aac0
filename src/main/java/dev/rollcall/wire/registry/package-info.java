/** What values in a schema registry's format need of one, and what it has answered. */
@NullMarked
package dev.rollcall.wire.registry;

import org.jspecify.annotations.NullMarked;
