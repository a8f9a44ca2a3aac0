/**
 * Sends events to the input topics: records, a bounded queue in front of the producer, which heartbeats are sent, and
 * keep-alives. Not a public API, except for {@link dev.rollcall.client.sending.EventSender}.
 */
@NullMarked
package dev.rollcall.client.sending;

import org.jspecify.annotations.NullMarked;
