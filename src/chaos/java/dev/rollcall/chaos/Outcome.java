package dev.rollcall.chaos;

/**
 * What a fault did to the flow of transitions; instants in ms since the epoch.
 *
 * @param struckAt when it began
 * @param repairedAt when its cause was gone
 * @param settledAt when everything was as before
 * @param longestWaitMs the longest that a transition took to come out, on any partition
 * @param flowsAfterMs how long after {@code repairedAt} all partitions had emitted something that went in after it
 */
record Outcome(
        int number,
        String kind,
        String detail,
        long struckAt,
        long repairedAt,
        long settledAt,
        long longestWaitMs,
        long flowsAfterMs) {

    long lastedMs() {
        return repairedAt - struckAt;
    }
}
