package dev.rollcall.simulation.kafka;

import java.util.ArrayList;
import java.util.List;

/** What a processor has written since its last commit: all of it is seen, or nothing. */
public final class Transaction {
    private enum State {
        OPEN,
        COMMITTED,
        ABORTED
    }

    private final long beganAt;
    private final List<Log> logs = new ArrayList<>();
    private final List<Long> firstOffsets = new ArrayList<>();
    private final List<Runnable> effects = new ArrayList<>();
    private State state = State.OPEN;
    private boolean isTorn;
    private int onTheirWay;

    /** When it began: true time in µs. */
    Transaction(long beganAt) {
        this.beganAt = beganAt;
    }

    public long beganAt() {
        return beganAt;
    }

    public boolean isOpen() {
        return state == State.OPEN;
    }

    boolean isCommitted() {
        return state == State.COMMITTED;
    }

    /** Returns whether this is the first that it writes there. */
    boolean begin(Log log, long offset) {
        if (logs.contains(log)) {
            return false;
        }
        logs.add(log);
        firstOffsets.add(offset);
        return true;
    }

    long firstOffset(Log log) {
        return firstOffsets.get(logs.indexOf(log));
    }

    void expect() {
        onTheirWay++;
    }

    void arrived() {
        onTheirWay--;
    }

    /** Whether the brokers have all that was written. */
    public boolean isFlushed() {
        return onTheirWay == 0;
    }

    /** What happens when it is committed. */
    void onCommit(Runnable effect) {
        if (!isTorn) {
            effects.add(effect);
        }
    }

    /**
     * An end arrives that was meant for the one before: what is to happen with the commit happens now, and what comes later never
     * will. Records in the inputs still share the transaction's end.
     */
    void tear() {
        isTorn = true;
        effects.forEach(Runnable::run);
        effects.clear();
    }

    List<Log> logs() {
        return logs;
    }

    void commit() {
        state = State.COMMITTED;
        effects.forEach(Runnable::run);
        effects.clear();
    }

    void abort() {
        state = State.ABORTED;
        effects.clear();
    }
}
