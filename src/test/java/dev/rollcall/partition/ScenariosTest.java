package dev.rollcall.partition;

import dev.rollcall.domain.PresenceRules;

/** The scenario table on the domain alone. */
class ScenariosTest extends Scenarios {
    @Override
    protected Partition partition(PresenceRules rules) {
        return new DomainPartition(rules);
    }
}
