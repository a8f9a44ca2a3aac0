/**
 * What a homeserver shard and a notification service import: {@link dev.rollcall.client.PresencePublisher} to send
 * events, {@link dev.rollcall.client.PresenceSubscriber} to read presence.
 */
@NullMarked
package dev.rollcall.client;

import org.jspecify.annotations.NullMarked;
