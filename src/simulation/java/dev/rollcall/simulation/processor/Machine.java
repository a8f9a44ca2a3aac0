package dev.rollcall.simulation.processor;

import dev.rollcall.simulation.time.Chance;
import dev.rollcall.simulation.time.EventQueue;
import org.jspecify.annotations.Nullable;

/** A machine with a clock and a disk that runs a processor, and starts it again when it has ended. */
public final class Machine {
    /** Half of the time for which changelogs keep tombstones: older state is deleted at the start ({@code LocalState}). */
    private static final long STATE_USABLE_MS = 43_200_000;

    /** How a commit fails. */
    public enum CommitFailure {
        /** It is committed, and the answer is lost. */
        UNANSWERED,
        /** It is aborted. */
        REFUSED
    }

    private static final long NEVER = Long.MIN_VALUE;

    private final String name;
    private final Deployment deployment;
    private final EventQueue time;
    private final Chance chance;
    private final Disk disk = new Disk();
    private @Nullable StreamThread thread;
    private long clockOffsetMs;
    private long endedAt = NEVER;
    private boolean isWanted;
    private int starts;
    private int failuresInARow;

    Machine(String name, Deployment deployment, Chance chance) {
        this.name = name;
        this.deployment = deployment;
        this.time = deployment.time();
        this.chance = chance;
    }

    public String name() {
        return name;
    }

    public boolean isRunning() {
        return thread != null;
    }

    public void start() {
        isWanted = true;
        if (thread == null) {
            if (endedAt != NEVER && Math.abs(clock() - endedAt) > STATE_USABLE_MS) {
                disk.wipe();
            }
            thread = new StreamThread(deployment, this, "%s/%d".formatted(name, ++starts), chance);
            deployment.group().join(thread);
        }
    }

    /** In good order: what is handled is committed, and the local state is kept. */
    public void stop() {
        isWanted = false;
        StreamThread running = thread;
        thread = null;
        if (running != null) {
            endedAt = clock();
            running.stop();
        }
    }

    /** At once, between any two steps, or if {@code steps} is not 0 in the midst of so many more of one record. */
    public void kill(int steps) {
        StreamThread running = thread;
        if (running == null) {
            return;
        }
        if (steps > 0) {
            running.dieIn(steps, this::isDead);
        } else {
            running.kill();
            isDead(running);
        }
    }

    private void isDead(StreamThread dead) {
        if (thread == dead) {
            thread = null;
        }
        endedAt = clock();
        time.afterMillis(Group.SESSION_MS, () -> deployment.group().leave(dead));
    }

    /** The process ends with an error; it is started again. */
    void failed(StreamThread dead, Throwable failure) {
        isDead(dead);
        failuresInARow++;
        deployment.failed("processor %s ended: %s".formatted(name, failure));
        if (isWanted && failuresInARow < 5) {
            time.afterMillis(chance.between(1_000, 5_000), this::start);
        }
    }

    void isWell() {
        failuresInARow = 0;
    }

    /** Everything stands still for a while, as in a long garbage collection. */
    public void pause(long ms) {
        StreamThread running = thread;
        if (running != null) {
            running.pause(ms);
        }
    }

    public void failNextCommit(CommitFailure how) {
        StreamThread running = thread;
        if (running != null) {
            running.failNextCommit(how);
        }
    }

    /** Each request to commit arrives a second time, so many ms later; 0: no longer. */
    public void repeatCommits(long laterMs) {
        StreamThread running = thread;
        if (running != null) {
            running.repeatCommits(laterMs);
        }
    }

    public void wipe() {
        if (thread == null) {
            disk.wipe();
        }
    }

    public void setClock(long offsetMs) {
        clockOffsetMs = offsetMs;
    }

    private long clock() {
        return time.millis() + clockOffsetMs;
    }

    /** Whether it has not been replaced. */
    boolean isLatest(StreamThread one) {
        return thread == null || thread == one;
    }

    long clockOffsetMs() {
        return clockOffsetMs;
    }

    Disk disk() {
        return disk;
    }
}
