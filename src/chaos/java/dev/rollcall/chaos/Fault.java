package dev.rollcall.chaos;

import dev.rollcall.chaos.check.Window.Reach;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * A kind of fault.
 *
 * @param reach what it may disturb, so that the checker allows for it; null: nothing
 */
record Fault(String kind, @Nullable Reach reach, Action action) {
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
