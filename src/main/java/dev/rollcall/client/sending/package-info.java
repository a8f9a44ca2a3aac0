/**
 * Sends events to the input topics: records, a bounded queue in front of the producer, a shard's session, and which
 * heartbeats of devices are sent. Not a public API, except for {@link dev.rollcall.client.sending.EventSender}.
 */
@NullMarked
package dev.rollcall.client.sending;

import org.jspecify.annotations.NullMarked;
