package dev.rollcall.simulation.judge;

import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/** When which user has to be looked at. A user has one entry that counts; earlier ones that were replaced are left behind. */
final class Agenda {
    private record Entry(long at, User user) implements Comparable<Entry> {
        @Override
        public int compareTo(Entry other) {
            return Long.compare(at, other.at);
        }
    }

    private final PriorityQueue<Entry> entries = new PriorityQueue<>();

    void add(User user, long at) {
        entries.add(new Entry(at, user));
    }

    /** The next user whose time has come; null: there is none. */
    @Nullable
    User poll(long now) {
        while (true) {
            Entry first = entries.peek();
            if (first == null || first.at() > now) {
                return null;
            }
            entries.remove();
            if (first.user().takeLook(first.at())) {
                return first.user();
            }
        }
    }
}
