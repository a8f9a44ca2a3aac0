/** What the HTTP edge reads and writes: a copy of the topic of presence with its changes, and clients' events to Kafka. */
@NullMarked
package dev.rollcall.gateway;

import org.jspecify.annotations.NullMarked;
