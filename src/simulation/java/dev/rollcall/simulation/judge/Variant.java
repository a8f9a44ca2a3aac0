package dev.rollcall.simulation.judge;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One reading of what is known of a user. Where the rules leave a question open, a user has several, until what is published
 * decides between them.
 */
final class Variant {
    static final long NEVER = Long.MIN_VALUE;

    final List<Device> devices = new ArrayList<>();
    final ArrayDeque<Expected> pending = new ArrayDeque<>();

    @Nullable
    String text;
    /** In the brokers' time. */
    long textEnds = Long.MAX_VALUE;
    /** When the last text and the last flag that counted were written, also cleared ones (rule 7). */
    long textStamp = NEVER;

    long flagStamp = NEVER;
    boolean hidden;
    long activeLo = NEVER;
    long activeHi = NEVER;
    /** What others have been shown, or are about to be. */
    State shown = State.OFFLINE;

    @Nullable
    String shownText;

    boolean everShown;
    /** In the brokers' time: when a device was last seen to leave ONLINE, and IDLE (rule 10). */
    private long fromOnlineLo = NEVER;

    private long fromOnlineHi = NEVER;
    private long fromIdleLo = NEVER;
    private long fromIdleHi = NEVER;
    /** In the brokers' time: since when there may be nothing to remember of the user (rule 11). */
    long quietLo = NEVER;

    long quietHi = NEVER;
    /** Whether the last record is one that is refused (rule 12), or may be. */
    boolean refuses;

    boolean mayRefuse;

    Variant copy() {
        Variant copy = new Variant();
        for (Device device : devices) {
            copy.devices.add(device.copy());
        }
        copy.pending.addAll(pending);
        copy.text = text;
        copy.textEnds = textEnds;
        copy.textStamp = textStamp;
        copy.flagStamp = flagStamp;
        copy.hidden = hidden;
        copy.activeLo = activeLo;
        copy.activeHi = activeHi;
        copy.shown = shown;
        copy.shownText = shownText;
        copy.everShown = everShown;
        copy.fromOnlineLo = fromOnlineLo;
        copy.fromOnlineHi = fromOnlineHi;
        copy.fromIdleLo = fromIdleLo;
        copy.fromIdleHi = fromIdleHi;
        copy.quietLo = quietLo;
        copy.quietHi = quietHi;
        copy.refuses = refuses;
        copy.mayRefuse = mayRefuse;
        return copy;
    }

    /** One that is the {@link #sameAs same} but for instants of the past, of which both are possible now. */
    void widen(Variant same) {
        fromOnlineLo = Math.min(fromOnlineLo, same.fromOnlineLo);
        fromOnlineHi = Math.max(fromOnlineHi, same.fromOnlineHi);
        fromIdleLo = Math.min(fromIdleLo, same.fromIdleLo);
        fromIdleHi = Math.max(fromIdleHi, same.fromIdleHi);
        quietLo = Math.min(quietLo, same.quietLo);
        quietHi = Math.max(quietHi, same.quietHi);
    }

    boolean sameAs(Variant other) {
        return Objects.equals(text, other.text)
                && textEnds == other.textEnds
                && textStamp == other.textStamp
                && flagStamp == other.flagStamp
                && hidden == other.hidden
                && activeLo == other.activeLo
                && activeHi == other.activeHi
                && shown == other.shown
                && Objects.equals(shownText, other.shownText)
                && refuses == other.refuses
                && sameDevices(other)
                && samePending(other);
    }

    private boolean sameDevices(Variant other) {
        if (devices.size() != other.devices.size()) {
            return false;
        }
        for (int i = 0; i < devices.size(); i++) {
            if (!devices.get(i).sameAs(other.devices.get(i))) {
                return false;
            }
        }
        return true;
    }

    private boolean samePending(Variant other) {
        if (pending.size() != other.pending.size()) {
            return false;
        }
        Iterator<Expected> others = other.pending.iterator();
        for (Expected expected : pending) {
            if (!expected.equals(others.next())) {
                return false;
            }
        }
        return true;
    }

    @Nullable
    Device device(String id) {
        for (int i = 0; i < devices.size(); i++) {
            if (devices.get(i).id.equals(id)) {
                return devices.get(i);
            }
        }
        return null;
    }

    /** Rule 1. */
    State union() {
        State highest = State.OFFLINE;
        for (int i = 0; i < devices.size(); i++) {
            State state = devices.get(i).state;
            if (state.compareTo(highest) > 0) {
                highest = state;
            }
        }
        return highest;
    }

    /** Rule 9: what others see of the devices. */
    State visible() {
        return hidden ? State.OFFLINE : union();
    }

    /** A device has left a state: with a record, or at its own deadline. Of a hidden user that shows nowhere. */
    void leaves(State state, long lo, long hi) {
        if (!hidden && state == State.ONLINE) {
            fromOnlineLo = Math.max(fromOnlineLo, lo);
            fromOnlineHi = Math.max(fromOnlineHi, hi);
        } else if (!hidden && state == State.IDLE) {
            fromIdleLo = Math.max(fromIdleLo, lo);
            fromIdleHi = Math.max(fromIdleHi, hi);
        }
    }

    /**
     * After an end the state began with the last device that left a higher one, but not before a remaining device took it (rule
     * 10). {@code lo}: the lower end of that interval, or the upper one.
     */
    long beganAfterEnd(boolean lo) {
        long fromOnline = lo ? fromOnlineLo : fromOnlineHi;
        State union = union();
        if (union == State.OFFLINE) {
            return Math.max(fromOnline, lo ? fromIdleLo : fromIdleHi);
        }
        long taken = Long.MAX_VALUE;
        for (Device device : devices) {
            if (device.state == union) {
                taken = Math.min(taken, device.stateSince);
            }
        }
        return union == State.IDLE ? Math.max(fromOnline, taken) : taken;
    }

    /** Rule 10: a record if and only if the visible state or text changed. */
    void emit(long sinceLo, long sinceHi, long timeLo, long timeHi, long dueTick, String why) {
        State state = visible();
        if (state == shown && Objects.equals(text, shownText)) {
            return;
        }
        boolean stateChanged = state != shown || !everShown;
        boolean textChanged = !Objects.equals(text, shownText);
        pending.add(new Expected(
                state,
                text,
                stateChanged,
                textChanged,
                sinceLo,
                sinceHi,
                activeLo,
                activeHi,
                timeLo,
                timeHi,
                dueTick,
                why));
        if (state != shown && state == State.OFFLINE) {
            quiet(sinceLo, sinceHi);
        }
        if (shownText != null && text == null) {
            quiet(timeLo, timeHi);
        }
        shown = state;
        shownText = text;
        everShown = true;
    }

    /** There is nothing to remember of the user before this (rule 11). */
    void quiet(long lo, long hi) {
        quietLo = Math.max(quietLo, lo);
        quietHi = Math.max(quietHi, hi);
    }

    /** The user is OFFLINE, has no text and is not hidden, and has no live device (rule 11). */
    boolean hasNothing() {
        return devices.isEmpty() && text == null && !hidden;
    }
}
