package dev.rollcall.chaos.check;

import java.util.ArrayList;
import java.util.List;

/**
 * The disturbances of a partition, by its own time in ms.
 *
 * @param all where a task may have been taken over
 * @param ofBrokers where one topic may be read long after another, too
 */
record Disturbances(Windows all, Windows ofBrokers) {
    /** @param windows by a clock that is right; the partition adds what its pulses tell of take-overs */
    Disturbances(List<Window> windows, PartitionLog partition) {
        this(
                new Windows(translated(windows, partition, Window.Reach.PROCESSORS)),
                new Windows(translated(windows, partition, Window.Reach.BROKERS)));
    }

    private static List<Window> translated(List<Window> windows, PartitionLog partition, Window.Reach least) {
        List<Window> all = new ArrayList<>();
        for (Window window : windows) {
            if (window.reach().compareTo(least) >= 0) {
                long from = partition.clock.timeAt(window.from());
                all.add(new Window(from, Math.max(from, partition.clock.timeAt(window.to())), window.reach()));
            }
        }
        if (least == Window.Reach.PROCESSORS) {
            all.addAll(partition.handOvers);
        }
        return all;
    }
}
