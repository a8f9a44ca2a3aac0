package dev.rollcall.chaos.check;

import dev.rollcall.chaos.check.Decoder.ShardHeartbeatValue;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What all users of a partition share: its clock, its silences, its shards. All by the partition's own time, in ms. */
final class PartitionLog {
    /**
     * With the record at that offset a silence of the whole partition may end.
     *
     * @param certain whether it does, and the silence was no shorter
     * @param sinceTickMs how long before the silence the last clock tick was: where no processor was writing any, that none
     *     came means nothing
     * @param isMuchLonger whether it was at least twice as long as another one since that tick: the log was away again before a
     *     tick got in (ADR 3)
     * @param untilTickMs how long after it the next one came; {@link Long#MAX_VALUE}: none did
     */
    record Silence(
            long offset,
            long from,
            long to,
            boolean certain,
            long sinceTickMs,
            boolean isMuchLonger,
            long untilTickMs) {
        private Silence withTick(long at) {
            return untilTickMs == Long.MAX_VALUE
                    ? new Silence(offset, from, to, certain, sinceTickMs, isMuchLonger, at - to)
                    : this;
        }
    }

    final PartitionClock clock;

    final SortedLongs tickOffsets = new SortedLongs();

    /** What time it is at each clock tick. */
    final SortedLongs tickTimes = new SortedLongs();

    final List<Silence> silences = new ArrayList<>();
    final Map<String, ShardLog> shards = new HashMap<>();
    final SessionLogs sessions;

    /** The times between two clock ticks by different processors: somewhere in there, a task was taken over. */
    final List<Window> handOvers = new ArrayList<>();

    private final Settings settings;
    private @Nullable String lastInstance;

    /** The time of the last record that certainly counts, or of the first that may count. */
    private long lastRecord = Long.MIN_VALUE;

    private boolean perhapsSince;

    /** How long the last silence that counted since the last clock tick was at least; 0: there was none. */
    private long leastCounted;

    PartitionLog(PartitionClock clock, Settings settings) {
        this.clock = clock;
        this.settings = settings;
        this.sessions = new SessionLogs(settings);
    }

    void tick(long offset, String instance) {
        long at = clock.time(offset);
        read(offset, at, true);
        if (!silences.isEmpty()) {
            int latest = silences.size() - 1;
            silences.set(latest, silences.get(latest).withTick(at));
        }
        int last = tickTimes.size() - 1;
        if (lastInstance != null && !lastInstance.equals(instance)) {
            long before = tickTimes.get(last) - settings.slackMs();
            handOvers.add(new Window(before, Math.max(before, at), Window.Reach.PROCESSORS, 0));
        }
        lastInstance = instance;
        tickOffsets.add(offset);
        tickTimes.add(at);
        leastCounted = 0;
    }

    /** @param counts whether it is one that the shard's session may send */
    void beat(long offset, @Nullable String shard, boolean certain, boolean counts) {
        long at = clock.time(offset);
        read(offset, at, certain);
        hearShard(shard, offset, at, certain && counts);
    }

    void shardHeartbeat(long offset, ShardHeartbeatValue value) {
        long at = clock.time(offset);
        read(offset, at, true);
        hearShard(value.shard(), offset, at, sessions.hear(offset, at, value));
    }

    private void hearShard(@Nullable String shard, long offset, long at, boolean certain) {
        if (shard != null && settings.shardHoldMs() > 0) {
            shards.computeIfAbsent(shard, any -> new ShardLog(settings)).record(offset, at, certain);
        }
    }

    /** What time it is for a reader that has come to just before that offset; {@link Long#MIN_VALUE}: not known yet. */
    long nowBefore(long offset) {
        int last = tickOffsets.lastUpTo(offset - 1);
        return last < 0 ? Long.MIN_VALUE : tickTimes.get(last);
    }

    private void read(long offset, long at, boolean certain) {
        if (lastRecord != Long.MIN_VALUE && at - lastRecord >= settings.logGapMs()) {
            int tick = tickTimes.size() - 1;
            // Before the first tick of all, whether a processor was running is open.
            long sinceTick = tick < 0 ? settings.logGapMs() : Math.max(0, lastRecord - tickTimes.get(tick));
            long lasted = at - lastRecord;
            boolean mayBeFirst = sinceTick <= settings.logGapMs();
            boolean isMuchLonger = leastCounted > 0 && lasted >= 2 * leastCounted;
            silences.add(new Silence(offset, lastRecord, at, !perhapsSince, sinceTick, isMuchLonger, Long.MAX_VALUE));
            if (mayBeFirst && (leastCounted == 0 || lasted < leastCounted)) {
                leastCounted = lasted;
            } else if (isMuchLonger) { // it has counted, or the last one was longer than half of it
                leastCounted = Math.max(leastCounted, lasted / 2);
            }
        }
        if (certain) {
            lastRecord = Math.max(lastRecord, at);
            perhapsSince = false;
        } else {
            lastRecord = lastRecord == Long.MIN_VALUE ? at : lastRecord;
            perhapsSince = true;
        }
    }
}
