package dev.rollcall.chaos;

import dev.rollcall.chaos.check.Window.Reach;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * A kind of fault.
 *
 * @param reach what it may disturb, so that the checker allows for it; null: nothing
 * @param takeOvers how often it lets a partition change hands
 */
record Fault(String kind, @Nullable Reach reach, int takeOvers, Action action) {
    /** One that lets a partition change hands once. */
    Fault(String kind, @Nullable Reach reach, Action action) {
        this(kind, reach, 1, action);
    }

    /** One that may disturb brokers and processors. */
    Fault(String kind, Action action) {
        this(kind, Reach.BROKERS, action);
    }

    /** What happens; returns when its cause is gone. */
    interface Action {
        /** Returns what was hit. */
        String inject(Campaign campaign, Random random) throws Exception;
    }

    String inject(Campaign campaign, Random random) throws Exception {
        return action.inject(campaign, random);
    }
}
