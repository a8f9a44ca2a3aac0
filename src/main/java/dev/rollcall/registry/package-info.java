/** Asks a schema registry, over HTTP. The only place that does; whoever uses {@code wire} may ask one in another way. */
@NullMarked
package dev.rollcall.registry;

import org.jspecify.annotations.NullMarked;
