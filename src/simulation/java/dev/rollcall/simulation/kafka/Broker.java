package dev.rollcall.simulation.kafka;

/** A broker: whether it answers, what its clock says, and how long a request to it and back takes. */
public final class Broker {
    private final int id;
    private final long latencyMicros;
    private boolean isUp = true;
    private long clockOffsetMs;

    Broker(int id, long latencyMicros) {
        this.id = id;
        this.latencyMicros = latencyMicros;
    }

    public int id() {
        return id;
    }

    public boolean isUp() {
        return isUp;
    }

    /** What its clock is ahead of the true time, in ms. */
    public long clockOffsetMs() {
        return clockOffsetMs;
    }

    /** Both ways together. */
    public long latencyMicros() {
        return latencyMicros;
    }

    void setUp(boolean up) {
        isUp = up;
    }

    void setClockOffsetMs(long offsetMs) {
        clockOffsetMs = offsetMs;
    }
}
