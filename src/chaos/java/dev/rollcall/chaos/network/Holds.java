package dev.rollcall.chaos.network;

import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** What the proxies of a cluster hold back: a request may go to any of its brokers. Thread-safe. */
public final class Holds {
    private final List<Hold> waiting = new CopyOnWriteArrayList<>();

    public void add(Hold hold) {
        waiting.add(hold);
    }

    /** Forgets one that has not taken a request. */
    public void remove(Hold hold) {
        waiting.remove(hold);
    }

    /** Whether one of them has taken the request. */
    boolean take(Frame frame, InetSocketAddress to) {
        for (Hold hold : waiting) {
            if (hold.take(frame, to)) {
                waiting.remove(hold);
                return true;
            }
        }
        return false;
    }
}
