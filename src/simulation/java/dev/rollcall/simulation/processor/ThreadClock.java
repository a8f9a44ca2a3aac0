package dev.rollcall.simulation.processor;

import dev.rollcall.simulation.time.EventQueue;

/** The time of one thread, which is ahead of the simulation's while the thread waits or works. In µs. */
final class ThreadClock {
    private final EventQueue time;
    private long reached;

    ThreadClock(EventQueue time) {
        this.time = time;
    }

    long micros() {
        return Math.max(reached, time.micros());
    }

    void waitUntil(long micros) {
        reached = Math.max(reached, micros);
    }

    void spend(long micros) {
        reached = micros() + micros;
    }
}
