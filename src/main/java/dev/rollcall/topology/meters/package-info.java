/** What the tasks of one process tell of themselves. */
@NullMarked
package dev.rollcall.topology.meters;

import org.jspecify.annotations.NullMarked;
