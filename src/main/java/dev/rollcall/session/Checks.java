package dev.rollcall.session;

import java.util.PriorityQueue;
import java.util.function.Consumer;

/** When to look at which session. Times in ms, of the partition's clock. */
final class Checks {
    /** So many entries are not worth looking for those that are out of date. */
    private static final int FEW = 64;

    private final PriorityQueue<Check> queue = new PriorityQueue<>();

    /**
     * Makes sure that a session comes up no later than then.
     *
     * @param sessions how many there are: those that are gone leave entries, which must not outnumber the others for long
     */
    void schedule(Session session, long at, int sessions) {
        if (at < session.checkAt()) {
            session.checkAt(at);
            queue.add(new Check(at, session));
            if (queue.size() > 2 * sessions + FEW) {
                queue.removeIf(check -> check.at() != check.session().checkAt());
            }
        }
    }

    /** Passes on the sessions that have come up; each is to be scheduled again. */
    void poll(long now, Consumer<Session> onDue) {
        for (Check next = queue.peek(); next != null && next.at() <= now; next = queue.peek()) {
            queue.remove();
            Session session = next.session();
            if (next.at() == session.checkAt()) {
                session.checkAt(Long.MAX_VALUE);
                onDue.accept(session);
            }
        }
    }

    int size() {
        return queue.size();
    }

    private record Check(long at, Session session) implements Comparable<Check> {
        @Override
        public int compareTo(Check other) {
            return Long.compare(at, other.at);
        }
    }
}
