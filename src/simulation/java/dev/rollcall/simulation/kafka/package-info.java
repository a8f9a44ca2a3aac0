/** A simulated Kafka: brokers with clocks, logs, transactions, changelogs, and producers. */
@NullMarked
package dev.rollcall.simulation.kafka;

import org.jspecify.annotations.NullMarked;
