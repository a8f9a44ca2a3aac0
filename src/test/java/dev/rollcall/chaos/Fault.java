package dev.rollcall.chaos;

import java.util.Random;

/**
 * A kind of misfortune, known by its name.
 *
 * @param disturbs whether it may cost records their order or a task its owner; if not, nothing is excused by it
 */
record Fault(String kind, boolean disturbs, Strike strike) {
    Fault(String kind, Strike strike) {
        this(kind, true, strike);
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
