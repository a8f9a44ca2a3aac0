package dev.rollcall.chaos;

import dev.rollcall.chaos.check.Window.Reach;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * A kind of misfortune, known by its name.
 *
 * @param reach what it may disturb, so that the checker allows for it; null: nothing
 */
record Fault(String kind, @Nullable Reach reach, Strike strike) {
    /** One that may disturb brokers and processors. */
    Fault(String kind, Strike strike) {
        this(kind, Reach.BROKERS, strike);
    }

    /** What happens; returns when its cause is gone. */
    interface Strike {
        /** Says what was hit. */
        String at(Campaign campaign, Random random) throws Exception;
    }

    String strike(Campaign campaign, Random random) throws Exception {
        return strike.at(campaign, random);
    }
}
