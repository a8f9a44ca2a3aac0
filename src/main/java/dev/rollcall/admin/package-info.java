/** Rollcall's topics, through Kafka's admin client: creates the missing ones, checks all of them, reads their limits. */
@NullMarked
package dev.rollcall.admin;

import org.jspecify.annotations.NullMarked;
