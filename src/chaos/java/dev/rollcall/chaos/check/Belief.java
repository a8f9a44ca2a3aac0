package dev.rollcall.chaos.check;

import dev.rollcall.chaos.check.Decoder.Presence;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** One way in which things may stand with a user, after some of the records are read. Times in ms since the epoch. */
final class Belief {
    static final long NEVER = Long.MIN_VALUE;

    /**
     * A live device.
     *
     * @param since the stamp with which it took its state
     * @param lastRecord when it was last heard from, by the partition's time
     * @param leaseMs the lease that runs
     * @param longestLeaseMs the same, or a longer one that may run as well
     * @param runsTo when the lease that it named ends, whatever counts in its favour
     * @param deadline when it goes, with what counts in its favour
     * @param ownLatest the latest deadline without the take-overs of the disturbance that goes on
     * @param endedBy where its connection ended: the deadline as it was then, which is stored
     * @param disturbed whether there may have been a take-over since its last record
     */
    record Device(
            String id,
            State state,
            long since,
            long lastRecord,
            long leaseMs,
            long longestLeaseMs,
            long runsTo,
            boolean closed,
            @Nullable String shard,
            Span deadline,
            long ownLatest,
            long endedBy,
            boolean disturbed) {
        private Device join(Device other) {
            return new Device(
                    id,
                    state,
                    since,
                    lastRecord,
                    leaseMs,
                    Math.max(longestLeaseMs, other.longestLeaseMs),
                    Math.min(runsTo, other.runsTo),
                    closed,
                    shard,
                    deadline.join(other.deadline),
                    Math.max(ownLatest, other.ownLatest),
                    Math.min(endedBy, other.endedBy),
                    disturbed || other.disturbed);
        }

        private Object outline() {
            return Arrays.asList(id, state, since, lastRecord, leaseMs, closed, shard);
        }

        Device withSince(long newSince) {
            return new Device(
                    id,
                    state,
                    newSince,
                    lastRecord,
                    leaseMs,
                    longestLeaseMs,
                    runsTo,
                    closed,
                    shard,
                    deadline,
                    ownLatest,
                    endedBy,
                    disturbed);
        }

        Device withDeadline(Span newDeadline, long newOwnLatest, boolean nowDisturbed) {
            return new Device(
                    id,
                    state,
                    since,
                    lastRecord,
                    leaseMs,
                    longestLeaseMs,
                    runsTo,
                    closed,
                    shard,
                    newDeadline,
                    newOwnLatest,
                    endedBy,
                    nowDisturbed);
        }
    }

    /** The expiries so far, the last one first; not part of what a belief is. */
    record Trace(Lateness expiry, @Nullable Trace before) {}

    int textsRead;
    int flagsRead;
    int emittedSoFar;
    List<Device> devices = List.of();

    @Nullable
    String text;

    long textEnd = Long.MAX_VALUE;
    boolean hidden;

    /** What was last emitted; null: nothing, or a tombstone. */
    @Nullable
    Presence emitted;

    /** The true one, and the oldest that a new owner may have found stored. */
    long lastActive = NEVER;

    long storedLastActive = NEVER;
    Span leftOnline = Span.NEVER;
    Span leftIdle = Span.NEVER;
    Span forgettableSince = Span.NEVER;

    @Nullable
    Trace trace;

    Belief copy() {
        Belief copy = new Belief();
        copy.textsRead = textsRead;
        copy.flagsRead = flagsRead;
        copy.emittedSoFar = emittedSoFar;
        copy.devices = devices;
        copy.text = text;
        copy.textEnd = textEnd;
        copy.hidden = hidden;
        copy.emitted = emitted;
        copy.lastActive = lastActive;
        copy.storedLastActive = storedLastActive;
        copy.leftOnline = leftOnline;
        copy.leftIdle = leftIdle;
        copy.forgettableSince = forgettableSince;
        copy.trace = trace;
        return copy;
    }

    @Nullable
    Device find(String id) {
        for (Device device : devices) {
            if (device.id().equals(id)) {
                return device;
            }
        }
        return null;
    }

    /** Puts the device in the place of the one with its id, or adds it. */
    void put(Device device) {
        List<Device> changed = new ArrayList<>(devices.size() + 1);
        boolean found = false;
        for (Device one : devices) {
            boolean isIt = one.id().equals(device.id());
            changed.add(isIt ? device : one);
            found |= isIt;
        }
        if (!found) {
            changed.add(device);
            changed.sort(Comparator.comparing(Device::id));
        }
        devices = changed;
    }

    void remove(Device device) {
        List<Device> changed = new ArrayList<>(devices);
        changed.remove(device);
        devices = changed;
    }

    State union() {
        State union = State.OFFLINE;
        for (Device device : devices) {
            union = device.state().compareTo(union) > 0 ? device.state() : union;
        }
        return union;
    }

    void left(State from, Span at) {
        if (hidden) {
            return;
        }
        if (from == State.ONLINE) {
            leftOnline = leftOnline.or(at);
        } else if (from == State.IDLE) {
            leftIdle = leftIdle.or(at);
        }
    }

    /**
     * What is emitted later never began before what was emitted already, so how much earlier than that something was makes no
     * difference. Without it beliefs would stay apart that will say the same for ever.
     */
    void dropWhatNoLongerMatters() {
        if (emitted == null) {
            return;
        }
        Span begin = Span.at(emitted.since());
        leftOnline = leftOnline.hi() <= begin.hi() ? Span.NEVER : leftOnline.or(begin);
        leftIdle = leftIdle.hi() <= begin.hi() ? Span.NEVER : leftIdle.or(begin);
        for (Device device : devices) {
            if (device.since() < begin.lo()) {
                put(device.withSince(begin.lo()));
            }
        }
    }

    /**
     * Makes one of two beliefs that differ in bounds only; what either allows is allowed then, and perhaps a little more:
     * nobody is blamed for it, but what is wrong by less than the bounds may be missed.
     */
    void join(Belief other) {
        List<Device> joined = new ArrayList<>(devices.size());
        for (int i = 0; i < devices.size(); i++) {
            joined.add(devices.get(i).join(other.devices.get(i)));
        }
        devices = joined;
        lastActive = Math.max(lastActive, other.lastActive);
        storedLastActive = Math.min(storedLastActive, other.storedLastActive);
        leftOnline = leftOnline.join(other.leftOnline);
        leftIdle = leftIdle.join(other.leftIdle);
        forgettableSince = forgettableSince.join(other.forgettableSince);
    }

    /** Equal for those that {@link #join} can make one of. */
    Object outline() {
        return Arrays.asList(
                textsRead,
                flagsRead,
                emittedSoFar,
                devices.stream().map(Device::outline).toList(),
                text,
                textEnd,
                hidden,
                forgettableSince.equals(Span.NEVER));
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Belief that
                && textsRead == that.textsRead
                && flagsRead == that.flagsRead
                && emittedSoFar == that.emittedSoFar
                && devices.equals(that.devices)
                && Objects.equals(text, that.text)
                && textEnd == that.textEnd
                && hidden == that.hidden
                && lastActive == that.lastActive
                && storedLastActive == that.storedLastActive
                && leftOnline.equals(that.leftOnline)
                && leftIdle.equals(that.leftIdle)
                && forgettableSince.equals(that.forgettableSince);
    }

    @Override
    public int hashCode() {
        return Objects.hash(
                textsRead,
                flagsRead,
                emittedSoFar,
                devices,
                text,
                textEnd,
                hidden,
                lastActive,
                storedLastActive,
                leftOnline,
                leftIdle,
                forgettableSince);
    }

    @Override
    public String toString() {
        return "%s%s, text %s, %d texts, %d flags and %d records on, left ONLINE %s, left IDLE %s, last active %d"
                .formatted(
                        devices,
                        hidden ? ", hidden" : "",
                        text,
                        textsRead,
                        flagsRead,
                        emittedSoFar,
                        leftOnline,
                        leftIdle,
                        lastActive);
    }
}
