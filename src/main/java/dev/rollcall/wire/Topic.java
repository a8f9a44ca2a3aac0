package dev.rollcall.wire;

import org.apache.kafka.common.serialization.Serde;

/** A topic and its types, which so cannot drift apart. */
public record Topic<K, V>(String name, Serde<K> keys, Serde<V> values) {}
