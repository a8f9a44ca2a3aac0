package dev.rollcall.chaos.check;

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
     *     came says nothing
     */
    record Silence(long offset, long from, long to, boolean certain, long sinceTickMs, boolean tickFollows) {}

    final PartitionClock clock;

    final Longs tickOffsets = new Longs();

    /** What time it is with each pulse. */
    final Longs tickTimes = new Longs();

    final List<Silence> silences = new ArrayList<>();
    final Map<String, ShardLog> shards = new HashMap<>();

    /** The times between two clock ticks by different processors: somewhere in there, a task was taken over. */
    final List<Window> handOvers = new ArrayList<>();

    private final Settings settings;
    private @Nullable String lastInstance;

    /** The last time at which it is certain that something was heard, or the first at which something may have been. */
    private long lastHeard = Long.MIN_VALUE;

    private boolean perhapsSince;

    PartitionLog(PartitionClock clock, Settings settings) {
        this.clock = clock;
        this.settings = settings;
    }

    void tick(long offset, String instance) {
        long at = clock.time(offset);
        hear(offset, at, true);
        if (!silences.isEmpty()) {
            Silence silence = silences.get(silences.size() - 1);
            if (at - silence.to() < settings.logGapMs()) {
                silences.set(
                        silences.size() - 1,
                        new Silence(
                                silence.offset(),
                                silence.from(),
                                silence.to(),
                                silence.certain(),
                                silence.sinceTickMs(),
                                true));
            }
        }
        int last = tickTimes.size() - 1;
        if (lastInstance != null && !lastInstance.equals(instance)) {
            long before = tickTimes.get(last) - settings.slackMs();
            handOvers.add(new Window(before, Math.max(before, at), Window.Reach.PROCESSORS));
        }
        lastInstance = instance;
        tickOffsets.add(offset);
        tickTimes.add(at);
    }

    void beat(long offset, @Nullable String shard, boolean certain) {
        long at = clock.time(offset);
        hear(offset, at, certain);
        if (shard != null && settings.shardHoldMs() > 0) {
            shards.computeIfAbsent(shard, any -> new ShardLog(settings)).heard(offset, at, certain);
        }
    }

    /** What time it is for somebody who has read up to before that offset; {@link Long#MIN_VALUE}: not known yet. */
    long nowBefore(long offset) {
        int last = tickOffsets.lastUpTo(offset - 1);
        return last < 0 ? Long.MIN_VALUE : tickTimes.get(last);
    }

    private void hear(long offset, long at, boolean certain) {
        if (lastHeard != Long.MIN_VALUE && at - lastHeard >= settings.logGapMs()) {
            int tick = tickTimes.size() - 1;
            // Before the first one of all nobody may have needed any, so it could have come at once: that is
            // open.
            long sinceTick = tick < 0 ? settings.logGapMs() : Math.max(0, lastHeard - tickTimes.get(tick));
            silences.add(new Silence(offset, lastHeard, at, !perhapsSince, sinceTick, false));
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
