/** What the HTTP edge reads and writes: presence from its owner, the feed of changes, and clients' events to Kafka. */
@NullMarked
package dev.rollcall.gateway;

import org.jspecify.annotations.NullMarked;
