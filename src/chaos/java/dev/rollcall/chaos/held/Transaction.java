package dev.rollcall.chaos.held;

import java.util.ArrayList;
import java.util.List;

/** A transaction as its producer knows it. Used by one thread. */
final class Transaction {
    /** What the producer knows of its end. */
    enum End {
        /** Nobody asked for a commit: nothing of it may be visible. */
        NONE,
        /** An abort was asked for and acknowledged. */
        ABORTED,
        /** A commit was asked for, and the answer was an error or none: all of it may be visible, or nothing. */
        UNKNOWN,
        /** A commit was asked for and acknowledged: all of it must be visible. */
        COMMITTED
    }

    private final String id;
    private final Kind kind;
    private final List<String> values = new ArrayList<>();
    private End end = End.NONE;

    Transaction(String id, Kind kind) {
        this.id = id;
        this.kind = kind;
    }

    /** The next value that it writes, which no other record has. */
    String nextValue() {
        String value = id + "/" + values.size();
        values.add(value);
        return value;
    }

    void end(End known) {
        end = known;
    }

    End end() {
        return end;
    }

    Kind kind() {
        return kind;
    }

    List<String> values() {
        return values;
    }

    @Override
    public String toString() {
        return "%s (%s)".formatted(id, kind);
    }
}
