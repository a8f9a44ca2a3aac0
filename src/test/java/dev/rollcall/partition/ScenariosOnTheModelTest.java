package dev.rollcall.partition;

import dev.rollcall.domain.PresenceRules;

/** The scenario table on the naive model: whoever is to judge others must hold to it. */
class ScenariosOnTheModelTest extends Scenarios {
    @Override
    protected Partition partition(PresenceRules rules) {
        return new NaiveModel(rules);
    }
}
