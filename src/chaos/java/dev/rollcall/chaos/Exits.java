package dev.rollcall.chaos;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/** Ends processes as part of a fault, and notes which of them end without, or not in good order. */
final class Exits {
    private static final int ENDED_BY_SIGTERM = 128 + 15;

    private final Consumer<String> out;

    /** Those that may have ended: a fault ended them, or it was noted that they have. */
    private final Set<Child> ended = ConcurrentHashMap.newKeySet();

    private final List<String> unexpected = new ArrayList<>();

    Exits(Consumer<String> out) {
        this.out = out;
    }

    List<String> unexpected() {
        return List.copyOf(unexpected);
    }

    /** SIGKILL. */
    void kill(Child process) {
        ended.add(process);
        process.kill();
    }

    /** SIGTERM; it is noted if the process does not end in good order. */
    void end(Child process, Duration limit) {
        boolean alive = process.isAlive();
        ended.add(process);
        if (!process.end(limit)) {
            unexpected.add("%s did not end within %d s when told to".formatted(process.name(), limit.toSeconds()));
        } else if (alive && process.exitCode() != ENDED_BY_SIGTERM) {
            unexpected.add("%s ended with %d when told to".formatted(process.name(), process.exitCode()));
        }
    }

    /** From now on it may end. */
    void expect(Child process) {
        ended.add(process);
    }

    /** Whether it has ended by itself, which is noted once. */
    boolean noteIfUnexpected(Child process) {
        boolean isNew = !process.isAlive() && ended.add(process);
        if (isNew) {
            String what =
                    "%s ended by itself with %d; see %s".formatted(process.name(), process.exitCode(), process.log());
            unexpected.add(what);
            out.accept("!! " + what);
        }
        return isNew;
    }
}
