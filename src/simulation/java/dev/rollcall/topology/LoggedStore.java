package dev.rollcall.topology;

import java.util.List;
import java.util.function.BiConsumer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.processor.StateStoreContext;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.jspecify.annotations.NullUnmarked;

/** A typed store over rows of bytes; what is put goes to the rows, then to the changelog, as Kafka Streams has it. */
@NullUnmarked // as Kafka's interfaces
final class LoggedStore<K, V> implements KeyValueStore<K, V> {
    private final KeyValueStore<Bytes, byte[]> rows;
    private final Serde<K> keys;
    private final Serde<V> values;
    private final BiConsumer<byte[], byte[]> changelog;

    LoggedStore(
            KeyValueStore<Bytes, byte[]> rows, Serde<K> keys, Serde<V> values, BiConsumer<byte[], byte[]> changelog) {
        this.rows = rows;
        this.keys = keys;
        this.values = values;
        this.changelog = changelog;
    }

    @Override
    public void put(K key, V value) {
        byte[] keyBytes = keys.serializer().serialize(name(), key);
        byte[] valueBytes = value == null ? null : values.serializer().serialize(name(), value);
        rows.put(Bytes.wrap(keyBytes), valueBytes);
        changelog.accept(keyBytes, valueBytes);
    }

    @Override
    public V get(K key) {
        byte[] value = rows.get(bytes(key));
        return value == null ? null : values.deserializer().deserialize(name(), value);
    }

    @Override
    public KeyValueIterator<K, V> range(K from, K to) {
        return new Typed(rows.range(bytes(from), bytes(to)));
    }

    @Override
    public KeyValueIterator<K, V> all() {
        return new Typed(rows.all());
    }

    @Override
    public long approximateNumEntries() {
        return rows.approximateNumEntries();
    }

    private Bytes bytes(K key) {
        return key == null ? null : Bytes.wrap(keys.serializer().serialize(name(), key));
    }

    private final class Typed implements KeyValueIterator<K, V> {
        private final KeyValueIterator<Bytes, byte[]> all;

        Typed(KeyValueIterator<Bytes, byte[]> all) {
            this.all = all;
        }

        @Override
        public boolean hasNext() {
            return all.hasNext();
        }

        @Override
        public KeyValue<K, V> next() {
            KeyValue<Bytes, byte[]> row = all.next();
            return KeyValue.pair(
                    keys.deserializer().deserialize(name(), row.key.get()),
                    values.deserializer().deserialize(name(), row.value));
        }

        @Override
        public K peekNextKey() {
            return keys.deserializer().deserialize(name(), all.peekNextKey().get());
        }

        @Override
        public void close() {
            all.close();
        }
    }

    // ---- the processor uses no more than the above ----

    @Override
    public V putIfAbsent(K key, V value) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void putAll(List<KeyValue<K, V>> entries) {
        throw new UnsupportedOperationException();
    }

    @Override
    public V delete(K key) {
        throw new UnsupportedOperationException();
    }

    @Override
    public String name() {
        return rows.name();
    }

    @Override
    public void init(StateStoreContext context, StateStore root) {
        rows.init(context, root);
    }

    @Override
    public void close() {
        rows.close();
    }

    @Override
    public boolean persistent() {
        return true;
    }

    @Override
    public boolean isOpen() {
        return rows.isOpen();
    }
}
