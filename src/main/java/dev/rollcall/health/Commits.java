package dev.rollcall.health;

import dev.rollcall.health.Threads.Observed;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Since when each thread has not committed. One that has partitions commits at least once in a tick's interval, for its
 * punctuations make it do so.
 */
final class Commits {
    private final Map<String, Last> byThread = new HashMap<>();

    private record Last(double commits, long at, boolean hadTasks) {}

    /** Takes what is seen now. */
    synchronized void observe(List<Observed> threads, long nowMs) {
        byThread.keySet().retainAll(threads.stream().map(Observed::name).toList());
        for (Observed thread : threads) {
            @Nullable Last before = byThread.get(thread.name());
            boolean waits = before != null && before.hadTasks() && before.commits() == thread.commits();
            long since = before != null && waits ? before.at() : nowMs;
            byThread.put(thread.name(), new Last(thread.commits(), since, thread.hasTasks()));
        }
    }

    /** Nothing is known from now on: the partitions are being shared out. */
    synchronized void reset() {
        byThread.clear();
    }

    /** How long ago the last commit was, in ms, of the thread with the oldest one. */
    synchronized long ageMs(long nowMs) {
        return byThread.values().stream()
                .mapToLong(last -> nowMs - last.at())
                .max()
                .orElse(0);
    }
}
