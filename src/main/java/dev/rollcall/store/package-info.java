/** The local store of users: between Kafka Streams' changelog and RocksDB. */
@NullMarked
package dev.rollcall.store;

import org.jspecify.annotations.NullMarked;
