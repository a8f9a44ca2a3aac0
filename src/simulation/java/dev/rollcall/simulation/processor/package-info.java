/** Simulated processors: what Kafka Streams and its consumer do around the real tasks, and the group that they are in. */
@NullMarked
package dev.rollcall.simulation.processor;

import org.jspecify.annotations.NullMarked;
