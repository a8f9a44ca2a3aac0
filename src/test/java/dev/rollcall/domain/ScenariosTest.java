package dev.rollcall.domain;

/** The scenario table on the domain alone. */
class ScenariosTest extends Scenarios {
    @Override
    protected Partition partition(PresenceRules rules) {
        return new DomainPartition(rules);
    }
}
