/** What differs in the consumer of Kafka Streams: heartbeats come in bundles, and the inputs wait for each other. */
@NullMarked
package dev.rollcall.consumer;

import org.jspecify.annotations.NullMarked;
