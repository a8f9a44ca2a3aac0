package dev.rollcall.simulation.time;

import java.util.Arrays;

/**
 * What is to happen, in the order of virtual time; of one instant, in the order in which it was scheduled. Times in µs since
 * the epoch. An hour in which nothing happens costs nothing.
 */
public final class EventQueue {
    private long[] times = new long[1024];
    private long[] turns = new long[1024];
    private Runnable[] events = new Runnable[1024];
    private int size;
    private long turn;
    private long now;

    public EventQueue(long startMs) {
        now = startMs * 1_000;
    }

    /** In µs. */
    public long micros() {
        return now;
    }

    /** In ms. */
    public long millis() {
        return now / 1_000;
    }

    /** Schedules what happens then, or now if that has passed. */
    public void at(long micros, Runnable event) {
        if (size == times.length) {
            times = Arrays.copyOf(times, 2 * size);
            turns = Arrays.copyOf(turns, 2 * size);
            events = Arrays.copyOf(events, 2 * size);
        }
        long time = Math.max(micros, now);
        long order = turn++;
        int at = size++;
        while (at > 0) {
            int parent = (at - 1) >>> 1;
            if (times[parent] < time || (times[parent] == time && turns[parent] < order)) {
                break;
            }
            move(parent, at);
            at = parent;
        }
        set(at, time, order, event);
    }

    public void afterMicros(long micros, Runnable event) {
        at(now + micros, event);
    }

    public void afterMillis(long millis, Runnable event) {
        at(now + millis * 1_000, event);
    }

    /** When the next event is, in µs; {@link Long#MAX_VALUE}: there is none. */
    public long nextAt() {
        return size == 0 ? Long.MAX_VALUE : times[0];
    }

    /** How many events there have been. */
    public long count() {
        return turn - size;
    }

    /** Lets the next event happen. */
    public void runNext() {
        Runnable event = events[0];
        now = times[0];
        int last = --size;
        long time = times[last];
        long order = turns[last];
        Runnable moved = events[last];
        int at = 0;
        while (true) {
            int child = 2 * at + 1;
            if (child >= size) {
                break;
            }
            int right = child + 1;
            if (right < size
                    && (times[right] < times[child] || (times[right] == times[child] && turns[right] < turns[child]))) {
                child = right;
            }
            if (time < times[child] || (time == times[child] && order < turns[child])) {
                break;
            }
            move(child, at);
            at = child;
        }
        set(at, time, order, moved);
        event.run();
    }

    private void move(int from, int to) {
        set(to, times[from], turns[from], events[from]);
    }

    private void set(int at, long time, long order, Runnable event) {
        times[at] = time;
        turns[at] = order;
        events[at] = event;
    }
}
