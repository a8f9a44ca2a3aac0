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
        if (device.closed) {
            return lease(device);
        }
        if (session == null) {
            return held(device, ground, at);
        }
        if (device.waiting) {
            return new Ending(device.endLo + holdMs, device.endHi + holdMs, device.endLo, device.endHi);
        }
        return new Ending(session.holdEndLo(holdMs), session.holdEndHi(holdMs), session.sinceLo(), session.sinceHi());
    }

    private static Ending lease(Device device) {
        return new Ending(device.endLo, device.endHi, device.endLo, device.endHi);
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
                // One that had not lasted for shard.quiet.ms at the deadline does not count.
                if (silence.certain()
                        && silence.from() >= device.heardHi
                        && silence.from() + ground.settings.shardQuietMs() <= device.endLo) {
                    endLo = Math.max(endLo, Math.min(silence.to() + device.leaseLo, device.endLo + holdMs));
                }
            }
        }
        long quietMs = ground.settings.shardQuietMs();
        if (shard.isPossiblySilent(at, quietMs) && shard.silentFromHi() >= device.heardLo) {
            endHi = Math.max(endHi, device.endHi + holdMs);
            if (shard.isSurelySilent(at, quietMs)
                    && shard.silentFromLo() >= device.heardHi
                    && shard.silentFromHi() + quietMs <= device.endLo) {
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
