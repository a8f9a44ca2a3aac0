package dev.rollcall.http;

/** Simulated homeserver shards, for the page. At most one simulation runs at a time. */
public interface Simulation {
    /**
     * The simulation that runs.
     *
     * @param users 0 if none runs
     * @param heartbeats how many it has sent
     */
    record State(int users, long heartbeats) {}

    /** Starts a simulation of so many users, in place of the one that runs. */
    void start(int users);

    /** Stops sending. No connection is ended, so the devices expire with their leases. */
    void stop();

    State state();
}
