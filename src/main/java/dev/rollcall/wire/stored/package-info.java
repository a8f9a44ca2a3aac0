/** What is kept of users and shards, from Avro to domain and back. No part of the clients. */
@NullMarked
package dev.rollcall.wire.stored;

import org.jspecify.annotations.NullMarked;
