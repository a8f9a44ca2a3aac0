/** What a homeserver shard and a notification service import: sending events, reading presence. */
@NullMarked
package dev.rollcall.client;

import org.jspecify.annotations.NullMarked;
