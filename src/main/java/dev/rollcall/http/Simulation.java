package dev.rollcall.http;

/** Simulated shards, so that there is life to see. One simulation at a time. */
public interface Simulation {
    /**
     * What there is.
     *
     * @param users 0: nothing runs
     * @param heartbeats how many it has sent
     */
    record State(int users, long heartbeats) {}

    /** Begins with so many users, after ending the one before. */
    void start(int users);

    /** Ends it: its devices simply fall silent. */
    void stop();

    State state();
}
