package dev.rollcall.chaos.held;

/** A transaction that a reader of committed records does not see as its producer knows it. */
public record Finding(Symptom symptom, String transaction, String what) {
    /** What is wrong. */
    public enum Symptom {
        /** It was committed and acknowledged, and nothing of it is visible. */
        LOST,
        /** A part of it is visible, and a part is not. */
        TORN,
        /** It was aborted, or never committed, and is visible. */
        SHOWN,
        /** It was never ended by anybody: readers wait for it. */
        HANGING
    }

    @Override
    public String toString() {
        return "%s %s: %s".formatted(symptom, transaction, what);
    }
}
