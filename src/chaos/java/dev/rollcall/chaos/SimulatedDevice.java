package dev.rollcall.chaos;

import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceState;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * One device of one user, and all that can happen to it: a machine that is asked for its next step when it is due, and
 * throws its own random. Times in ms.
 */
final class SimulatedDevice {
    private static final int KINDS = 3;

    private final SplittableRandom random;
    private final long leaseMs;
    private final long graceMs;
    private final int number;
    private int kind;
    private boolean present;
    private OptionalLong ownLease = OptionalLong.empty();
    private int beatsLeft;
    private long nextInMs;

    SimulatedDevice(SplittableRandom random, long leaseMs, long graceMs, int number) {
        this.random = random;
        this.leaseMs = leaseMs;
        this.graceMs = graceMs;
        this.number = number;
        this.nextInMs = random.nextLong(leaseMs);
    }

    /** How long until the next step. */
    long nextInMs() {
        return nextInMs;
    }

    /** What it sends now; null: nothing. */
    @Nullable
    Heartbeat step(String shard) {
        if (!present) {
            present = true;
            return beat(shard, comesBackAs());
        }
        if (beatsLeft-- > 0) {
            return beat(shard, null);
        }
        int draw100 = random.nextInt(100);
        if (draw100 < 32) {
            return beat(shard, random.nextBoolean() ? PresenceState.IDLE : PresenceState.ONLINE);
        } else if (draw100 < 38) {
            return beat(shard, PresenceState.OFFLINE);
        } else if (draw100 < 50) {
            return leave(shard, leases(0.3, 2.5)); // in good order
        } else if (draw100 < 60) {
            return leave(shard, (long) (graceMs * (0.1 + random.nextDouble()))); // a page is loaded anew
        } else if (draw100 < 72) {
            present = false; // its connection is lost
            nextInMs = leases(1.1, 3);
            return null;
        } else if (draw100 < 80) {
            nextInMs = leases(0.4, 0.6); // a tunnel, and out of it in time
            return null;
        } else if (draw100 < 88) {
            Heartbeat last = random.nextBoolean() ? leave(shard, 0) : null;
            kind = (kind + 1) % KINDS; // the same user at another device
            present = false;
            nextInMs = random.nextLong(leaseMs / 4) + 1;
            return last;
        } else {
            ownLease =
                    random.nextBoolean() ? OptionalLong.of(leaseMs + random.nextLong(leaseMs)) : OptionalLong.empty();
            return beat(shard, null);
        }
    }

    /** What it was connected to is gone, and it comes again after a while. */
    void cutOff() {
        present = false;
        nextInMs = leases(0, 1);
    }

    boolean isPresent() {
        return present;
    }

    /** The end of its connection, whatever it is itself. */
    Heartbeat end() {
        return new Heartbeat(id(), null, true, OptionalLong.empty(), null);
    }

    /** A heartbeat that it has not sent. */
    Heartbeat anyBeat(SplittableRandom other) {
        PresenceState state = other.nextBoolean() ? PresenceState.IDLE : PresenceState.ONLINE;
        return new Heartbeat(id(), other.nextInt(3) == 0 ? null : state, false, OptionalLong.empty(), null);
    }

    private @Nullable PresenceState comesBackAs() {
        beatsLeft = 2 + random.nextInt(7);
        int draw10 = random.nextInt(10);
        if (draw10 < 5) {
            return null;
        } else if (draw10 < 8) {
            return PresenceState.ONLINE;
        }
        return draw10 < 9 ? PresenceState.IDLE : PresenceState.OFFLINE;
    }

    private Heartbeat beat(String shard, @Nullable PresenceState state) {
        if (beatsLeft < 0) {
            beatsLeft = 1 + random.nextInt(6);
        }
        nextInMs = leases(0.28, 0.42);
        return new Heartbeat(id(), state, false, ownLease, shard);
    }

    private Heartbeat leave(String shard, long awayMs) {
        present = false;
        nextInMs = awayMs;
        return new Heartbeat(id(), null, true, OptionalLong.empty(), shard);
    }

    private String id() {
        return "device-%d-%d".formatted(number, kind);
    }

    private long leases(double least, double most) {
        return (long) (leaseMs * (least + random.nextDouble() * (most - least)));
    }
}
