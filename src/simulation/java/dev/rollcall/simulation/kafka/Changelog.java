package dev.rollcall.simulation.kafka;

import dev.rollcall.topology.Rows;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.apache.kafka.common.utils.Bytes;
import org.jspecify.annotations.Nullable;

/** The changelog of one store of one partition: of each key the last committed record. Times in ms. */
public final class Changelog {
    /** For so long at least a key that was deleted can be seen to have been ({@code delete.retention.ms}). */
    private static final long TOMBSTONES_MS = 86_400_000;

    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Cell(long offset, long at, byte @Nullable [] value) {}

    private final NavigableMap<Bytes, Cell> cells = new TreeMap<>();
    private long endOffset;
    private long cleanedAt;

    public void put(byte[] key, byte @Nullable [] value, long now) {
        cells.put(Bytes.wrap(key), new Cell(endOffset++, now, value));
        if (now - cleanedAt > TOMBSTONES_MS) {
            cells.values().removeIf(cell -> cell.value == null && now - cell.at > TOMBSTONES_MS);
            cleanedAt = now;
        }
    }

    public long endOffset() {
        return endOffset;
    }

    /** Brings rows up to date that have everything before this offset. */
    public void restore(Rows rows, long from) {
        cells.forEach((key, cell) -> {
            if (cell.offset >= from) {
                rows.put(key, cell.value);
            }
        });
    }
}
