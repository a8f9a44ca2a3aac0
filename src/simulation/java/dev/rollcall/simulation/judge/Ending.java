package dev.rollcall.simulation.judge;

/** When a device is gone for others, and since when: intervals on the partition's clock. */
record Ending(long endLo, long endHi, long sinceLo, long sinceHi) {

    static Ending at(long instant) {
        return new Ending(instant, instant, instant, instant);
    }

    /** What the rules give for a live device at an instant, with all that the partition has heard up to then. */
    static Ending of(Device device, Ground ground, long at) {
        if (device.decided != null) {
            return device.decided;
        }
        long holdMs = ground.settings.shardHoldMs();
        Session session = device.session;
        if (session == null) {
            return device.closed ? lease(device) : held(device, ground, at);
        }
        if (device.closed) {
            return closed(device, session, holdMs);
        }
        if (device.waiting) {
            return new Ending(device.endLo + holdMs, device.endHi + holdMs, device.endLo, device.endHi);
        }
        return new Ending(session.holdEndLo(holdMs), session.holdEndHi(holdMs), session.sinceLo(), session.sinceHi());
    }

    private static Ending lease(Device device) {
        return new Ending(device.endLo, device.endHi, device.endLo, device.endHi);
    }

    /**
     * The grace time, but never beyond the end of the session's hold; "then since is its end" (rule 14) may be the end of the
     * session or of the hold.
     */
    private static Ending closed(Device device, Session session, long holdMs) {
        if (device.waiting) {
            return lease(device);
        }
        long holdLo = session.holdEndLo(holdMs);
        long holdHi = session.holdEndHi(holdMs);
        boolean bySession = holdLo < device.endHi;
        return new Ending(
                Math.min(device.endLo, holdLo),
                Math.min(device.endHi, holdHi),
                bySession ? Math.min(device.endLo, session.sinceLo()) : device.endLo,
                Math.min(device.endHi, holdHi));
    }

    /** Rule 13: the silence of its shard does not count against a device; since stays its own deadline. */
    private static Ending held(Device device, Ground ground, long at) {
        Shard shard = device.shard == null ? null : ground.shards.find(device.shard);
        long holdMs = ground.settings.shardHoldMs();
        if (shard == null || holdMs == 0) {
            return lease(device);
        }
        long endLo = device.endLo;
        long endHi = device.endHi;
        for (int i = shard.silences().size() - 1; i >= 0; i--) {
            Shard.Silence silence = shard.silences().get(i);
            if (silence.to() < device.heardLo) {
                break;
            }
            if (silence.from() >= device.heardLo) {
                endHi = Math.max(endHi, Math.min(silence.to() + device.leaseHi, device.endHi + holdMs));
                // Where nothing noticed the deadline before the silence began, rule 13 does not say whether it counts.
                if (silence.certain() && silence.from() >= device.heardHi && silence.from() < device.endLo) {
                    endLo = Math.max(endLo, Math.min(silence.to() + device.leaseLo, device.endLo + holdMs));
                }
            }
        }
        long quietMs = ground.settings.shardQuietMs();
        if (shard.isPossiblySilent(at, quietMs) && shard.silentFromHi() >= device.heardLo) {
            endHi = Math.max(endHi, device.endHi + holdMs);
            if (shard.isSurelySilent(at, quietMs)
                    && shard.silentFromLo() >= device.heardHi
                    && shard.silentFromHi() < device.endLo) {
                endLo = Math.max(endLo, device.endLo + holdMs);
            }
        }
        return new Ending(endLo, endHi, device.endLo, device.endHi);
    }

    /** The earliest instant after this one at which a device that is live at it may be gone. */
    static long nextLook(Device device, Ground ground, long at) {
        Ending ending = of(device, ground, at);
        long next = ending.endLo();
        if (device.session == null && !device.closed && device.shard != null) {
            // When its shard is heard again it has one more lease, or less than the whole hold.
            next = device.endLo > at ? device.endLo : Math.min(next, at + device.leaseLo);
        }
        return Math.max(next, at + 1);
    }
}
