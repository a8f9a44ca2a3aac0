package dev.rollcall.chaos;

import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceState;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * One device of one user, and all that can happen to it: a machine that is asked for its next step when it is due, and
 * throws its own dice. Times in ms.
 */
final class SimulatedDevice {
    private static final int KINDS = 3;

    private final SplittableRandom dice;
    private final long leaseMs;
    private final long graceMs;
    private final int number;
    private int kind;
    private boolean present;
    private OptionalLong ownLease = OptionalLong.empty();
    private int beatsLeft;
    private long nextInMs;

    SimulatedDevice(SplittableRandom dice, long leaseMs, long graceMs, int number) {
        this.dice = dice;
        this.leaseMs = leaseMs;
        this.graceMs = graceMs;
        this.number = number;
        this.nextInMs = dice.nextLong(leaseMs);
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
        int throwOf100 = dice.nextInt(100);
        if (throwOf100 < 32) {
            return beat(shard, dice.nextBoolean() ? PresenceState.IDLE : PresenceState.ONLINE);
        } else if (throwOf100 < 38) {
            return beat(shard, PresenceState.OFFLINE);
        } else if (throwOf100 < 50) {
            return leave(shard, leases(0.3, 2.5)); // in good order
        } else if (throwOf100 < 60) {
            return leave(shard, (long) (graceMs * (0.1 + dice.nextDouble()))); // a page is loaded anew
        } else if (throwOf100 < 72) {
            present = false; // without a word
            nextInMs = leases(1.1, 3);
            return null;
        } else if (throwOf100 < 80) {
            nextInMs = leases(0.4, 0.6); // a tunnel, and out of it in time
            return null;
        } else if (throwOf100 < 88) {
            Heartbeat last = dice.nextBoolean() ? leave(shard, 0) : null;
            kind = (kind + 1) % KINDS; // the same user at another device
            present = false;
            nextInMs = dice.nextLong(leaseMs / 4) + 1;
            return last;
        } else {
            ownLease = dice.nextBoolean() ? OptionalLong.of(leaseMs + dice.nextLong(leaseMs)) : OptionalLong.empty();
            return beat(shard, null);
        }
    }

    /** What it was connected to is gone, and it comes again after a while. */
    void cutOff() {
        present = false;
        nextInMs = leases(0, 1);
    }

    private @Nullable PresenceState comesBackAs() {
        beatsLeft = 2 + dice.nextInt(7);
        int throwOf10 = dice.nextInt(10);
        if (throwOf10 < 5) {
            return null;
        } else if (throwOf10 < 8) {
            return PresenceState.ONLINE;
        }
        return throwOf10 < 9 ? PresenceState.IDLE : PresenceState.OFFLINE;
    }

    private Heartbeat beat(String shard, @Nullable PresenceState state) {
        if (beatsLeft < 0) {
            beatsLeft = 1 + dice.nextInt(6);
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
        return (long) (leaseMs * (least + dice.nextDouble() * (most - least)));
    }
}
