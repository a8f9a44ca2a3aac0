package dev.rollcall.chaos.held;

import org.apache.kafka.common.protocol.ApiKeys;

/** What is held back of a first transaction, and let through while a second one of the same producer is open. */
enum Kind {
    COMMIT_THEN_COMMIT("end of a commit, client retries; then a commit"),
    COMMIT_THEN_ABORT("end of a commit, client retries; then an abort"),
    ABORT_THEN_COMMIT("end of an abort, client retries; then a commit"),
    ABORT_THEN_ABORT("end of an abort, client retries; then an abort"),
    COMMIT_GIVEN_UP("end of a commit, client gives up; then a commit by its successor"),
    COMMIT_TIMED_OUT("end of a commit, coordinator aborts; then a commit by its successor"),
    PRODUCE("records, client gives up and aborts; then a commit"),
    ADD_PARTITIONS("partitions added, retried; then a commit");

    private final String description;

    Kind(String description) {
        this.description = description;
    }

    /** Whether the first transaction is committed rather than aborted. */
    boolean commitsFirst() {
        return this != ABORT_THEN_COMMIT && this != ABORT_THEN_ABORT && this != PRODUCE;
    }

    boolean commitsSecond() {
        return this != COMMIT_THEN_ABORT && this != ABORT_THEN_ABORT;
    }

    ApiKeys held() {
        return switch (this) {
            case PRODUCE -> ApiKeys.PRODUCE;
            case ADD_PARTITIONS -> ApiKeys.ADD_PARTITIONS_TO_TXN;
            default -> ApiKeys.END_TXN;
        };
    }

    /** How many of them: one lets the client's next attempt through, and as many as this make it give up. */
    int heldAtMost() {
        return needsImpatience() || this == PRODUCE ? 8 : 1;
    }

    /** Whether the client has to give up a commit. */
    boolean needsImpatience() {
        return this == COMMIT_GIVEN_UP || this == COMMIT_TIMED_OUT;
    }

    @Override
    public String toString() {
        return description;
    }
}
