package dev.rollcall.chaos.check;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What all users of a partition share: its clock, its silences, its shards. Times in ms since the epoch. */
final class PartitionLog {
    /**
     * With the record at that offset a silence of the whole partition may end.
     *
     * @param certain whether it does, and the silence was no shorter
     */
    record Silence(long offset, long from, long to, boolean certain) {}

    final Longs pulseOffsets = new Longs();

    /** What time it is with each pulse, never earlier than with the one before. */
    final Longs pulseTimes = new Longs();

    final List<Silence> silences = new ArrayList<>();
    final Map<String, ShardLog> shards = new HashMap<>();

    /** The times between two pulses by different processors: somewhere in there, a task was taken over. */
    final List<Window> handOvers = new ArrayList<>();

    private final Settings settings;
    private @Nullable String lastInstance;

    /** The last time at which it is certain that something was heard, or the first at which something may have been. */
    private long lastHeard = Long.MIN_VALUE;

    private boolean perhapsSince;

    PartitionLog(Settings settings) {
        this.settings = settings;
    }

    void pulse(long offset, long at, String instance) {
        hear(offset, at, true);
        int last = pulseTimes.size() - 1;
        if (lastInstance != null && !lastInstance.equals(instance)) {
            long before = pulseTimes.get(last) - settings.slackMs();
            handOvers.add(new Window(before, Math.max(before, at)));
        }
        lastInstance = instance;
        pulseOffsets.add(offset);
        pulseTimes.add(last < 0 ? at : Math.max(at, pulseTimes.get(last)));
    }

    void beat(long offset, long at, @Nullable String shard, boolean certain) {
        hear(offset, at, certain);
        if (shard != null && settings.shardHoldMs() > 0) {
            shards.computeIfAbsent(shard, any -> new ShardLog(settings)).heard(offset, at, certain);
        }
    }

    /** What time it is for somebody who has read up to before that offset; {@link Long#MIN_VALUE}: not known yet. */
    long nowBefore(long offset) {
        int last = pulseOffsets.lastUpTo(offset - 1);
        return last < 0 ? Long.MIN_VALUE : pulseTimes.get(last);
    }

    private void hear(long offset, long at, boolean certain) {
        if (lastHeard != Long.MIN_VALUE && at - lastHeard >= settings.logQuietMs()) {
            silences.add(new Silence(offset, lastHeard, at, !perhapsSince));
        }
        if (certain) {
            lastHeard = Math.max(lastHeard, at);
            perhapsSince = false;
        } else {
            lastHeard = lastHeard == Long.MIN_VALUE ? at : lastHeard;
            perhapsSince = true;
        }
    }
}
