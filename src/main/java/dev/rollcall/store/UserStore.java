package dev.rollcall.store;

import dev.rollcall.domain.UserId;
import dev.rollcall.domain.UserSnapshot;
import dev.rollcall.memory.UnstoredUsers;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.processor.StateStoreContext;
import org.apache.kafka.streams.processor.TaskId;
import org.apache.kafka.streams.query.Position;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.jspecify.annotations.NullUnmarked;
import org.jspecify.annotations.Nullable;

/**
 * The local store of one task's users, under Kafka Streams' changelog (ADR 18). What was decided of a user goes to the changelog
 * at once, in the transaction of the record that caused it; what is local only has to be whole when the task is closed. So
 * RocksDB, whose write costs more than all of a transition's rules, is kept out of its way:
 *
 * <ul>
 *   <li>the newest of a user in memory is that memory ({@link UnstoredUsers}), and no row is written;
 *   <li>the newest of one who has left waits here, and goes to RocksDB with many others, in the order of the keys;
 *   <li>the newest of all others is RocksDB's row.
 * </ul>
 *
 * <p>Of a user in the first two groups RocksDB may have an older row, which is never looked at. A clean close writes all of
 * them before it commits the changelog's offset. After any other end, under exactly-once, Kafka Streams drops the local rows and
 * reads the changelog; RocksDB has no log of its own here, so what it wrote since the last clean close vanishes with the
 * mark that the store is open, or is dropped because of it. A standby, and a store that is being restored, has nobody in memory:
 * all of its rows go to RocksDB.
 *
 * <p>Under at-least-once, local rows are believed after a crash up to the last commit, which would have to write everybody
 * changed since. There nothing is left to the memory. Not thread-safe.
 */
@NullUnmarked // as Kafka's interfaces, which it passes on
final class UserStore implements KeyValueStore<Bytes, byte[]> {
    /** Enough for RocksDB to write them for half of what one by one would cost, and few enough for nobody to wait for long. */
    private static final int BATCH = 2_048;

    private final KeyValueStore<Bytes, byte[]> rows;
    private final Serializer<UserSnapshot> serializer;
    private final Map<TaskId, UserStore> open;

    /** Of users who are not in memory; null values: nothing is stored of them any more. */
    private final Map<Bytes, byte[]> waiting = new HashMap<>();

    private @Nullable UnstoredUsers inMemory;
    private TaskId task;
    private boolean isExactlyOnce;

    UserStore(KeyValueStore<Bytes, byte[]> rows, Serializer<UserSnapshot> serializer, Map<TaskId, UserStore> open) {
        this.rows = rows;
        this.serializer = serializer;
        this.open = open;
    }

    @Override
    public void init(StateStoreContext context, StateStore root) {
        task = context.taskId();
        isExactlyOnce = StreamsConfig.EXACTLY_ONCE_V2.equals(
                context.appConfigs().get(StreamsConfig.PROCESSING_GUARANTEE_CONFIG));
        rows.init(context, root);
        open.put(task, this);
    }

    void leaveTo(UnstoredUsers users) {
        inMemory = isExactlyOnce ? users : null;
    }

    // ---- writing ----

    @Override
    public void put(Bytes key, byte @Nullable [] value) {
        if (value != null && isInMemory(key)) {
            return;
        }
        waiting.put(key, value);
        if (waiting.size() >= BATCH) {
            writeWaiting();
        }
    }

    @Override
    public byte[] putIfAbsent(Bytes key, byte[] value) {
        byte[] present = get(key);
        if (present == null) {
            put(key, value);
        }
        return present;
    }

    @Override
    public void putAll(List<KeyValue<Bytes, byte[]>> entries) {
        entries.forEach(entry -> put(entry.key, entry.value));
    }

    @Override
    public byte[] delete(Bytes key) {
        byte[] before = get(key);
        put(key, null);
        return before;
    }

    /**
     * Writes everything to RocksDB before the offset up to which it is whole. Under exactly-once Kafka Streams calls this when the
     * task is closed, and while it is restored, not with each commit.
     */
    @Override
    public void commit(Map<TopicPartition, Long> changelogOffsets) {
        if (!changelogOffsets.isEmpty()) { // empty: what is here is corrupt, or does not outlive the process
            writeAll();
        }
        rows.commit(changelogOffsets);
    }

    @Override
    public void close() {
        open.remove(task, this);
        waiting.clear();
        inMemory = null;
        rows.close();
    }

    private void writeAll() {
        writeWaiting();
        if (inMemory != null) {
            inMemory.forEach((user, snapshot) -> {
                waiting.put(Bytes.wrap(user.bytes()), serializer.serialize(name(), snapshot));
                if (waiting.size() >= BATCH) {
                    writeWaiting();
                }
            });
            writeWaiting();
            inMemory.stored();
        }
    }

    private void writeWaiting() {
        if (waiting.isEmpty()) {
            return;
        }
        List<KeyValue<Bytes, byte[]>> sorted = new ArrayList<>(waiting.size());
        waiting.forEach((key, value) -> sorted.add(KeyValue.pair(key, value)));
        sorted.sort((one, other) -> one.key.compareTo(other.key));
        rows.putAll(sorted);
        waiting.clear();
    }

    // ---- reading ----

    @Override
    public byte[] get(Bytes key) {
        if (isInMemory(key)) {
            return serializer.serialize(name(), inMemory.get(UserId.ofBytes(key.get())));
        }
        byte[] value = waiting.get(key);
        return value != null || waiting.containsKey(key) ? value : rows.get(key);
    }

    private boolean isInMemory(Bytes key) {
        return inMemory != null && inMemory.contains(UserId.ofBytes(key.get()));
    }

    /** Everybody; writes what is not in RocksDB first. */
    @Override
    public KeyValueIterator<Bytes, byte[]> all() {
        writeAll();
        return rows.all();
    }

    @Override
    public KeyValueIterator<Bytes, byte[]> reverseAll() {
        writeAll();
        return rows.reverseAll();
    }

    /** Those who are not in memory; of those who are, an older row or none. */
    @Override
    public KeyValueIterator<Bytes, byte[]> range(Bytes from, Bytes to) {
        writeWaiting();
        return rows.range(from, to);
    }

    /** As {@link #range}. */
    @Override
    public KeyValueIterator<Bytes, byte[]> reverseRange(Bytes from, Bytes to) {
        writeWaiting();
        return rows.reverseRange(from, to);
    }

    @Override
    public long approximateNumEntries() {
        return rows.approximateNumEntries() + waiting.size();
    }

    // ---- passed on ----

    @Override
    public String name() {
        return rows.name();
    }

    @Override
    public boolean persistent() {
        return rows.persistent();
    }

    @Override
    public boolean isOpen() {
        return rows.isOpen();
    }

    @Override
    @SuppressWarnings("deprecation") // Kafka Streams asks
    public boolean managesOffsets() {
        return rows.managesOffsets();
    }

    @Override
    public Long committedOffset(TopicPartition partition) {
        return rows.committedOffset(partition);
    }

    @Override
    public Position getPosition() {
        return rows.getPosition();
    }
}
