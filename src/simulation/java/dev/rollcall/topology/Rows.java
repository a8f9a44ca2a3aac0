package dev.rollcall.topology;

import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.NoSuchElementException;
import java.util.TreeMap;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.processor.StateStoreContext;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.jspecify.annotations.NullUnmarked;
import org.jspecify.annotations.Nullable;

/** A store's rows on the disk of a simulated processor, in the order of their keys; in RocksDB's place. */
@NullUnmarked // as Kafka's interfaces
public final class Rows implements KeyValueStore<Bytes, byte[]> {
    private final String name;
    private final NavigableMap<Bytes, byte[]> rows = new TreeMap<>();

    /** Up to where the changelog is in here, as the last clean close has it; null: it has not been closed cleanly. */
    private @Nullable Long offset;

    private boolean isOpen;

    public Rows(String name) {
        this.name = name;
    }

    /** The offset up to which the changelog is in here; taken, since an open store has none until it is closed cleanly. */
    public @Nullable Long takeOffset() {
        Long taken = offset;
        offset = null;
        return taken;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public void init(StateStoreContext context, StateStore root) {
        isOpen = true;
    }

    @Override
    public void commit(Map<TopicPartition, Long> changelogOffsets) {
        changelogOffsets.values().forEach(one -> offset = one);
    }

    @Override
    public void close() {
        isOpen = false;
    }

    @Override
    public boolean persistent() {
        return true;
    }

    @Override
    public boolean isOpen() {
        return isOpen;
    }

    @Override
    public void put(Bytes key, byte[] value) {
        if (value == null) {
            rows.remove(key);
        } else {
            rows.put(key, value);
        }
    }

    @Override
    public byte[] putIfAbsent(Bytes key, byte[] value) {
        byte[] before = rows.get(key);
        if (before == null) {
            put(key, value);
        }
        return before;
    }

    @Override
    public void putAll(List<KeyValue<Bytes, byte[]>> entries) {
        entries.forEach(entry -> put(entry.key, entry.value));
    }

    @Override
    public byte[] delete(Bytes key) {
        return rows.remove(key);
    }

    @Override
    public byte[] get(Bytes key) {
        return rows.get(key);
    }

    @Override
    public KeyValueIterator<Bytes, byte[]> range(Bytes from, Bytes to) {
        NavigableMap<Bytes, byte[]> part = from == null ? rows : rows.tailMap(from, true);
        return new Walk(to == null ? part : part.headMap(to, true));
    }

    @Override
    public KeyValueIterator<Bytes, byte[]> all() {
        return new Walk(rows);
    }

    @Override
    public long approximateNumEntries() {
        return rows.size();
    }

    private static final class Walk implements KeyValueIterator<Bytes, byte[]> {
        private final Iterator<Map.Entry<Bytes, byte[]>> left;
        private Map.Entry<Bytes, byte[]> next;

        Walk(NavigableMap<Bytes, byte[]> rows) {
            left = rows.entrySet().iterator();
            next = left.hasNext() ? left.next() : null;
        }

        @Override
        public boolean hasNext() {
            return next != null;
        }

        @Override
        public KeyValue<Bytes, byte[]> next() {
            if (next == null) {
                throw new NoSuchElementException();
            }
            KeyValue<Bytes, byte[]> one = KeyValue.pair(next.getKey(), next.getValue());
            next = left.hasNext() ? left.next() : null;
            return one;
        }

        @Override
        public Bytes peekNextKey() {
            return next.getKey();
        }

        @Override
        public void close() {}
    }
}
