/** A Kafka broker in this process, so that one command starts everything. Only this package imports Kafka's server classes. */
@NullMarked
package dev.rollcall.embedded;

import org.jspecify.annotations.NullMarked;
