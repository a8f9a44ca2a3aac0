package dev.rollcall.chaos.check;

import java.util.ArrayList;
import java.util.List;

/**
 * The disturbances of a partition, by its own time in ms.
 *
 * @param all where a task may have been taken over
 * @param ofBrokers where one topic may be read long after another, too
 * @param backlogs where no processor reads what is written, until it is a backlog
 */
record Disturbances(Windows all, Windows ofBrokers, Windows backlogs) {
    /** From an acknowledgement to a record that is sent later, as far apart as they have to be while processors run. */
    private static final long CAUSE_BEFORE_EFFECT_MS = 100;

    /** @param windows by a clock that is right; the partition adds what its clock ticks tell of take-overs */
    Disturbances(List<Window> windows, PartitionLog partition) {
        this(
                new Windows(translated(windows, partition, Window.Reach.PROCESSORS)),
                new Windows(translated(windows, partition, Window.Reach.BROKERS)),
                new Windows(translated(
                        windows.stream()
                                .filter(window -> window.reach() == Window.Reach.BACKLOG)
                                .toList(),
                        partition,
                        Window.Reach.BACKLOG)));
    }

    /** Whether what was written at that stamp, and acknowledged before the heartbeat was sent, takes effect before it. */
    boolean isCauseOf(long stamp, UserLog.Beat beat) {
        return !ofBrokers.contains(beat.logTime())
                && stamp <= beat.at()
                && (beat.at() - stamp >= CAUSE_BEFORE_EFFECT_MS || backlogs.contains(beat.logTime()));
    }

    private static List<Window> translated(List<Window> windows, PartitionLog partition, Window.Reach least) {
        List<Window> all = new ArrayList<>();
        for (Window window : windows) {
            if (window.reach().compareTo(least) >= 0) {
                long from = partition.clock.timeAt(window.from());
                all.add(new Window(
                        from, Math.max(from, partition.clock.timeAt(window.to())), window.reach(), window.takeOvers()));
            }
        }
        if (least == Window.Reach.PROCESSORS) {
            all.addAll(partition.handOvers);
        }
        return all;
    }
}
