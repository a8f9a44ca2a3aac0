package dev.rollcall.chaos;

/**
 * What a fault did to the flow of transitions; instants in ms since the epoch.
 *
 * @param injectedAt when it began
 * @param repairedAt when its cause was gone
 * @param recoveredAt when everything was as before
 * @param longestWaitMs the longest that a transition took to come out, on any partition
 * @param flowsAfterMs how long after {@code repairedAt} all partitions had emitted something that went in after it
 */
record Outcome(
        int number,
        String kind,
        String detail,
        long injectedAt,
        long repairedAt,
        long recoveredAt,
        long longestWaitMs,
        long flowsAfterMs) {

    long lastedMs() {
        return repairedAt - injectedAt;
    }
}
