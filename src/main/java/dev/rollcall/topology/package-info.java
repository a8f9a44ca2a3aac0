/** The whole topology: sources, one stateful processor, sinks. A thin shell: decode, domain, store, forward. */
@NullMarked
package dev.rollcall.topology;

import org.jspecify.annotations.NullMarked;
