package dev.rollcall.simulation.input;

import dev.rollcall.simulation.time.EventQueue;

/** The time of one thread, which is ahead of the simulation's while the thread waits or works. In µs. */
public final class ThreadClock {
    private final EventQueue time;
    private long reached;

    public ThreadClock(EventQueue time) {
        this.time = time;
    }

    public long micros() {
        return Math.max(reached, time.micros());
    }

    public void waitUntil(long micros) {
        reached = Math.max(reached, micros);
    }

    public void spend(long micros) {
        reached = micros() + micros;
    }
}
