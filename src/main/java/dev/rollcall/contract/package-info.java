/** What Rollcall needs of a cluster, and what is wrong with one, as values. Asks no broker. */
@NullMarked
package dev.rollcall.contract;

import org.jspecify.annotations.NullMarked;
