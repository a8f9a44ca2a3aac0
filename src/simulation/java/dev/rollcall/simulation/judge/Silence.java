package dev.rollcall.simulation.judge;

import java.util.Collection;

/**
 * The two things that move deadlines, never to an earlier time: a take-over of the partition, and a silence of its log (section
 * Time of the rules, ADR 2 and ADR 3). Heartbeats of hidden users end no silence (rule 9).
 */
final class Silence {
    /** How a record of device-heartbeat counts as a word in the log. */
    enum Word {
        YES,
        /** Bad input and records for another partition: no rule names them, and their user may be hidden. */
        PERHAPS,
        NO
    }

    private final Ground ground;
    private final JudgeSettings settings;
    private final Collection<User> users;
    private long surely = Long.MIN_VALUE;
    private long possibly = Long.MIN_VALUE;
    private long lastTick = Long.MIN_VALUE / 2;
    /** The last word was a tick, or the first record that a processor read: ticks were due after it. */
    private boolean ticksDue;

    /** How long the last silence that counted since the last tick was at least; 0: there was none. */
    private long leastCounted;

    /** The first record read after a take-over, of any topic. */
    private long first = Long.MAX_VALUE;

    Silence(Ground ground, Collection<User> users) {
        this.ground = ground;
        this.settings = ground.settings;
        this.users = users;
    }

    void takenOver() {
        ground.isTakenOver = true;
        first = Long.MAX_VALUE;
        leastCounted = 0;
        users.forEach(this::forget);
    }

    /** What is stored of the last heartbeat may be older than it (promise 9, "an exact last_active"). */
    private void forget(User user) {
        long persistMs = settings.lastSeenPersistMs();
        user.reviveUnswept();
        Presence published = user.published();
        Long active = published == null ? null : published.lastActive();
        for (Variant variant : user.variants()) {
            for (Device device : variant.devices) {
                device.heardLo = Math.min(device.heardLo, device.heardHi - persistMs);
                device.stampLo = Math.min(device.stampLo, device.stampHi - persistMs);
            }
            if (variant.activeHi != Variant.NEVER) {
                long least = Math.min(variant.activeLo, variant.activeHi - persistMs);
                long shown = active == null ? Variant.NEVER : Math.min(active, variant.activeHi);
                // Where the user was hidden in between, nothing newer than what was shown last may be stored.
                variant.activeLo = variant.flagStamp >= least ? Math.min(least, shown) : Math.max(least, shown);
            }
        }
    }

    /** A record of any topic is read. */
    void read(long at) {
        if (ground.isTakenOver && first == Long.MAX_VALUE) {
            first = at;
        }
    }

    /** A record of device-heartbeat is read, before it takes effect. */
    void word(long at, Word word, boolean tick) {
        read(at);
        if (word == Word.NO) {
            return;
        }
        boolean acrossTakeOver = ground.isTakenOver;
        if (acrossTakeOver && word == Word.YES) {
            takeOver(Math.min(first, at), Math.max(first, at));
        }
        if (surely != Long.MIN_VALUE) {
            silence(at, word, acrossTakeOver);
        }
        possibly = Math.max(possibly, at);
        if (word == Word.YES) {
            surely = Math.max(surely, at);
            ticksDue = tick || acrossTakeOver;
            ground.isTakenOver = false;
            lastTick = ticksDue ? Math.max(lastTick, at) : lastTick;
            leastCounted = tick ? 0 : leastCounted;
        }
    }

    private void silence(long at, Word word, boolean acrossTakeOver) {
        long most = at - surely;
        boolean mayBeFirst = ticksDue || perhapsTicksDue();
        boolean isMuchLonger = leastCounted > 0 && most >= 2 * leastCounted;
        if (most < settings.logSilenceMs() || (!mayBeFirst && !isMuchLonger)) {
            return;
        }
        if (!acrossTakeOver) {
            boolean isLeast = mayBeFirst && (leastCounted == 0 || most < leastCounted);
            // One that counts for its length only has counted, or the last one was longer than half of it.
            leastCounted = isLeast ? most : Math.max(leastCounted, most / 2);
        }
        long least = at - Math.max(surely, possibly);
        // Whether ticks were due after a heartbeat that followed a tick, ADR 3 and the guarantees say
        // differently; and a new processor may not know when the last record before its first was written.
        boolean certain = word == Word.YES
                && ticksDue
                && !acrossTakeOver
                && least >= settings.logSilenceMs()
                && possibly <= surely;
        long lo = certain ? least : 0;
        ground.shards.logSilence(surely, at, lo, most);
        for (User user : users) {
            for (Variant variant : user.variants()) {
                for (Device device : variant.devices) {
                    extend(device, at, lo, most);
                }
            }
        }
    }

    private boolean perhapsTicksDue() {
        return surely - lastTick < settings.logSilenceMs() || isAfterRest();
    }

    /** Nobody was live until shortly before the last word, so that the first tick was only just due. */
    private boolean isAfterRest() {
        long shortly = surely - settings.logSilenceMs();
        for (User user : users) {
            for (Variant variant : user.variants()) {
                for (Device device : variant.devices) {
                    if (device.heardHi < surely && device.firstHeard <= shortly) {
                        return false;
                    }
                }
            }
        }
        return true;
    }

    /**
     * Those that were live when it began, and were not heard since (a text may have carried their heartbeat), get as long as it
     * lasted, at most one lease, or one grace time if they had ended.
     */
    private void extend(Device device, long at, long lo, long hi) {
        if ((device.session != null && !device.waiting && !device.closed)
                || device.decided != null
                || device.heardLo > Math.max(surely, possibly)) {
            return;
        }
        long graceMs = settings.disconnectGraceMs();
        if (lo > 0 && device.heardHi <= surely && device.endLo > surely) {
            device.endLo = Math.max(device.endLo, at + Math.min(lo, device.closed ? graceMs : device.leaseLo));
        }
        device.endHi = Math.max(device.endHi, at + Math.min(hi, device.closed ? graceMs : device.leaseHi));
        device.cap = Math.max(device.cap, device.endHi);
    }

    /** A device whose connection has not ended has one lease from the first record that is read. */
    private void takeOver(long lo, long hi) {
        ground.shards.takenOver(lo, hi);
        for (User user : users) {
            for (Variant variant : user.variants()) {
                for (Device device : variant.devices) {
                    takeOver(device, lo, hi);
                    user.lookAt(Ending.of(device, ground, lo).endLo());
                }
            }
        }
    }

    private static void takeOver(Device device, long lo, long hi) {
        if (device.closed) { // promise 3: what a silence has added to its grace time may be lost
            device.endLo = Math.min(device.endLo, device.storedEnd);
            return;
        }
        if (device.decided != null || (device.session != null && !device.waiting)) {
            return;
        }
        device.endLo = Math.max(device.endLo, lo + device.leaseLo);
        device.endHi = Math.max(device.endHi, hi + device.leaseHi);
    }
}
