package dev.rollcall.contract;

import dev.rollcall.config.RollcallConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/** Everything that Rollcall needs of a cluster: the same at the start, while it runs, and for the command {@code check}. */
public final class ClusterContract {
    private final TopicContract topics;
    private final PartitionContract partitions;
    private final FeatureContract features;
    private final StateContract state;
    private final RightsContract rights;

    public ClusterContract(RollcallConfig config) {
        topics = new TopicContract(config);
        partitions = new PartitionContract(config);
        features = new FeatureContract(config);
        state = new StateContract(config);
        rights = new RightsContract(config);
    }

    public TopicContract topics() {
        return topics;
    }

    /** The number of partitions of the inputs: the largest, should they differ; 0: there is none. */
    public int partitions(Cluster cluster) {
        return partitions.of(cluster);
    }

    /**
     * All that is wrong, what is refused first.
     *
     * @param before the number of partitions of the inputs when this processor started; empty: it is starting now
     */
    public List<Finding> check(Cluster cluster, OptionalInt before) {
        List<Finding> all = new ArrayList<>(features.check(cluster));
        all.addAll(rights.check(cluster));
        all.addAll(topics.check(cluster));
        all.addAll(partitions.check(cluster, before));
        all.addAll(state.check(cluster, before.isEmpty()));
        List<Finding> sorted =
                new ArrayList<>(all.stream().filter(Finding::isRefused).toList());
        all.stream().filter(finding -> !finding.isRefused()).forEach(sorted::add);
        return sorted;
    }

    /** Whether the finding is that the output was given more partitions, which an operator may accept. */
    public boolean isOfTheOutputsPartitions(Finding finding) {
        return partitions.isOfTheOutput(finding);
    }

    /** Whether the records of the output are to be looked at, because nothing else tells how many partitions it had. */
    public boolean mayBeMisplaced(Cluster cluster) {
        return partitions.mayBeMisplaced(cluster);
    }

    /**
     * What to store of this look for later ones, by the number of the partition.
     *
     * @param isStarting whether no instance of this process has run yet
     */
    public Map<Integer, Checkpoint> checkpoints(Cluster cluster, boolean isStarting) {
        return state.checkpoints(cluster, isStarting);
    }
}
