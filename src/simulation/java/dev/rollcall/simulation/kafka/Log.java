package dev.rollcall.simulation.kafka;

import dev.rollcall.simulation.time.EventQueue;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.utils.Bytes;
import org.jspecify.annotations.Nullable;

/** One partition of an input: records in the order of their offsets, stamped by the leader, transactions among them. */
public final class Log {
    private final EventQueue time;
    private final TopicPartition name;
    private Broker leader;
    private boolean isBlocked;
    private LogRecord[] records = new LogRecord[64];
    private int size;
    private long startOffset;
    private long readUpTo;
    private long endOffset;
    private long lastInput = -1;
    private final List<Transaction> open = new ArrayList<>();
    private final Deque<Runnable> waiting = new ArrayDeque<>();
    private final List<Runnable> readers = new ArrayList<>();

    Log(EventQueue time, TopicPartition name, Broker leader) {
        this.time = time;
        this.name = name;
        this.leader = leader;
    }

    public TopicPartition name() {
        return name;
    }

    public String topic() {
        return name.topic();
    }

    public int partition() {
        return name.partition();
    }

    // ---- the leader ----

    public Broker leader() {
        return leader;
    }

    public boolean isAvailable() {
        return leader.isUp() && !isBlocked;
    }

    void lead(Broker broker) {
        leader = broker;
    }

    void block(boolean blocked) {
        isBlocked = blocked;
    }

    /** Runs this as soon as the leader answers, behind what waits already. */
    public void whenAvailable(Runnable task) {
        if (isAvailable() && waiting.isEmpty()) {
            task.run();
        } else {
            waiting.add(task);
        }
    }

    void resume() {
        while (isAvailable() && !waiting.isEmpty()) {
            waiting.poll().run();
        }
        notifyReaders();
    }

    // ---- writing ----

    /** Appends a record that nobody's transaction is around; the times are true ones, in ms. */
    public LogRecord append(
            byte @Nullable [] key, byte @Nullable [] value, Headers headers, long sent, long acknowledged) {
        lastInput = endOffset;
        LogRecord record = add(key, value, headers, null, sent, acknowledged);
        if (open.isEmpty()) {
            notifyReaders();
        }
        return record;
    }

    void append(byte @Nullable [] key, byte @Nullable [] value, Headers headers, Transaction transaction) {
        if (transaction.begin(this, endOffset)) {
            open.add(transaction);
        }
        if (key != null) {
            lastInput = endOffset;
        }
        add(key, value, headers, transaction, time.millis(), time.millis());
    }

    private LogRecord add(
            byte @Nullable [] key,
            byte @Nullable [] value,
            Headers headers,
            @Nullable Transaction transaction,
            long sent,
            long acknowledged) {
        if (size == records.length) {
            records = Arrays.copyOf(records, 2 * size);
        }
        long stamp = time.millis() + leader.clockOffsetMs();
        LogRecord record =
                new LogRecord(this, endOffset++, stamp, key, value, headers, transaction, sent, acknowledged);
        records[size++] = record;
        return record;
    }

    /** A transaction's end is written here. */
    void end(Transaction transaction) {
        open.remove(transaction);
        endOffset++; // the marker's
        notifyReaders();
    }

    // ---- reading ----

    /** Whoever is told when there may be something to read. */
    public void addReader(Runnable reader) {
        readers.add(reader);
    }

    public void removeReader(Runnable reader) {
        readers.remove(reader);
    }

    private void notifyReaders() {
        for (int i = 0; i < readers.size(); i++) {
            readers.get(i).run();
        }
    }

    public long startOffset() {
        return startOffset;
    }

    public long endOffset() {
        return endOffset;
    }

    /** The offset of the last record that is no clock tick; -1: there was none. */
    public long lastInput() {
        return lastInput;
    }

    /** Up to where all transactions have ended. */
    public long stableOffset() {
        long stable = endOffset;
        for (int i = 0; i < open.size(); i++) {
            stable = Math.min(stable, open.get(i).firstOffset(this));
        }
        return stable;
    }

    /** Adds the committed records from there on, up to a number of them; returns where to go on. */
    public long read(long from, int limit, List<LogRecord> to) {
        long stable = stableOffset();
        int left = limit;
        for (int i = find(from); i < size && records[i].offset() < stable; i++) {
            if (left-- == 0) {
                return records[i].offset();
            }
            if (records[i].isVisible()) {
                to.add(records[i]);
            }
        }
        return Math.max(from, stable);
    }

    private int find(long offset) {
        int low = 0;
        int high = size;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (records[middle].offset() < offset) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    // ---- cleaning ----

    /** What is before this offset was read, and nobody reads it again. */
    public void forget(long offset) {
        readUpTo = Math.max(readUpTo, offset);
        int first = find(Math.min(offset, stableOffset()));
        if (first > size / 2 && first > 16) {
            System.arraycopy(records, first, records, 0, size - first);
            Arrays.fill(records, size - first, size, null);
            size -= first;
        }
    }

    /** What was stamped before that is deleted; {@code removed} is told of what nobody had read. */
    public void deleteBefore(long stamp, Consumer<LogRecord> removed) {
        int first = 0;
        while (first < size && records[first].timestamp() < stamp && records[first].offset() < stableOffset()) {
            tellIfUnread(records[first], removed);
            startOffset = records[first].offset() + 1;
            first++;
        }
        forget(startOffset);
    }

    /**
     * Of what was stamped before that, only each key's last record stays; a key's later ones count. {@code removed} is told of
     * what nobody had read.
     */
    public void compact(long stamp, Consumer<LogRecord> removed) {
        Set<Bytes> later = new HashSet<>();
        boolean[] isKept = new boolean[size];
        for (int i = size - 1; i >= 0; i--) {
            LogRecord record = records[i];
            boolean isActive = record.timestamp() >= stamp || record.offset() >= stableOffset();
            byte[] key = record.key();
            boolean isLatest = record.isVisible() && (key == null || later.add(Bytes.wrap(key)));
            isKept[i] = isActive || isLatest;
        }
        int kept = 0;
        for (int i = 0; i < size; i++) {
            if (isKept[i]) {
                records[kept++] = records[i];
            } else {
                tellIfUnread(records[i], removed);
            }
        }
        Arrays.fill(records, kept, size, null);
        size = kept;
    }

    private void tellIfUnread(LogRecord record, Consumer<LogRecord> removed) {
        if (record.offset() >= readUpTo && record.isVisible()) {
            removed.accept(record);
        }
    }
}
