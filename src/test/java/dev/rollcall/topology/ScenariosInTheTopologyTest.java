package dev.rollcall.topology;

import dev.rollcall.domain.PresenceRules;
import dev.rollcall.partition.Partition;
import dev.rollcall.partition.Scenarios;

/** The scenario table on the whole topology, in virtual time. */
class ScenariosInTheTopologyTest extends Scenarios {
    @Override
    protected Partition partition(PresenceRules rules) {
        return new TopologyPartition(rules);
    }
}
