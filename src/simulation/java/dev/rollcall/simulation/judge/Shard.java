package dev.rollcall.simulation.judge;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What one partition has heard of one shard: its silences (rule 13) and its sessions (rule 14). */
final class Shard {
    /** A silence is of no account a day after: no lease is longer, and it counts only after a device's last heartbeat. */
    private static final long FORGOTTEN_AFTER_MS = 2 * 86_400_000L;

    /**
     * A time in which nothing was heard of the shard.
     *
     * @param certain false where a record lies in it that may count as a word from the shard
     */
    record Silence(long from, long to, boolean certain) {}

    final String name;
    final Map<String, Session> sessions = new LinkedHashMap<>();

    @Nullable
    Session latest;

    private final List<Silence> silences = new ArrayList<>();
    private long surelyHeard = Long.MIN_VALUE;
    private long possiblyHeard = Long.MIN_VALUE;

    Shard(String name) {
        this.name = name;
    }

    /** The shard was heard, or was possibly: rules.md is silent on records that otherwise count for nothing. */
    void heard(long at, boolean surely, long quietMs) {
        if (surelyHeard == Long.MIN_VALUE) {
            surelyHeard = at;
        }
        boolean doubtful = possiblyHeard > surelyHeard;
        long latestWord = Math.max(surelyHeard, possiblyHeard);
        if (at - latestWord >= quietMs) {
            add(new Silence(latestWord, at, surely && !doubtful)); // else it may have begun earlier
        }
        if (doubtful && at - surelyHeard >= quietMs) {
            add(new Silence(surelyHeard, at, false));
        }
        if (surely) {
            surelyHeard = Math.max(surelyHeard, at);
        }
        possiblyHeard = Math.max(possiblyHeard, at);
    }

    /** After a take-over the last word of the shard may be forgotten, and its silence be counted from the first record read. */
    void takenOver(long at) {
        possiblyHeard = Math.max(possiblyHeard, at);
    }

    private void add(Silence silence) {
        silences.add(silence);
        if (silences.get(0).to() < silence.to() - FORGOTTEN_AFTER_MS) {
            silences.remove(0);
        }
    }

    boolean isSurelySilent(long at, long quietMs) {
        return surelyHeard != Long.MIN_VALUE && at - Math.max(surelyHeard, possiblyHeard) >= quietMs;
    }

    boolean isPossiblySilent(long at, long quietMs) {
        return surelyHeard != Long.MIN_VALUE && at - surelyHeard >= quietMs;
    }

    /** The beginning of the silence that may be on. */
    long silentFromLo() {
        return surelyHeard;
    }

    long silentFromHi() {
        return Math.max(surelyHeard, possiblyHeard);
    }

    List<Silence> silences() {
        return silences;
    }
}
