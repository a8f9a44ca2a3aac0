package dev.rollcall.chaos.check;

import dev.rollcall.chaos.check.Decoder.Presence;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** One state in which a user may be after some of the records are read. Times in ms since the epoch. */
final class Hypothesis implements Cloneable {
    static final long NEVER = Long.MIN_VALUE;

    /** The expiries so far, the last one first; no part of what makes two equal. */
    record Trace(Expiry expiry, @Nullable Trace before) {}

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

    /** By the log, and the oldest that a new owner may have found stored. */
    long lastActive = NEVER;

    long storedLastActive = NEVER;
    Span leftOnline = Span.NEVER;
    Span leftIdle = Span.NEVER;
    Span forgettableSince = Span.NEVER;

    @Nullable
    Trace trace;

    /** The list of devices is never changed, only replaced. */
    Hypothesis copy() {
        try {
            return (Hypothesis) clone();
        } catch (CloneNotSupportedException e) {
            throw new AssertionError(e);
        }
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
     * What is emitted later never begins before what was emitted already, so how much earlier something was makes no
     * difference. Without this, hypotheses would stay apart that emit the same for ever.
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
     * Makes one of two that differ in bounds only; what either allows is allowed then, and perhaps a little more:
     * no error is reported for that, but one that is smaller than the bounds may be missed.
     */
    void join(Hypothesis other) {
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
        return other instanceof Hypothesis that
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

    static long orNever(@Nullable Long time) {
        return time == null ? NEVER : time;
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
