package dev.rollcall.contract;

import dev.rollcall.config.RollcallConfig;
import dev.rollcall.contract.Cluster.Topic;
import dev.rollcall.contract.Fix.AddPartitions;
import dev.rollcall.contract.Fix.Decide;
import dev.rollcall.topology.PresenceTopology;
import dev.rollcall.wire.TopicNames;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** How many partitions the topics have: the inputs as many as what is stored, the output as many as it had. */
final class PartitionContract {
    private static final String PARTITIONS = "partitions";

    private final List<String> inputs;
    private final String output;
    private final String changelog;

    PartitionContract(RollcallConfig config) {
        TopicNames names = config.topics();
        inputs = List.of(names.appearOffline(), names.deviceHeartbeat(), names.status());
        output = names.presence();
        changelog = PresenceTopology.changelogs(config.applicationId()).get(0);
    }

    /** The number of partitions of the inputs: the largest, should they differ; 0: there is none. */
    int of(Cluster cluster) {
        return inputs.stream()
                .mapToInt(input -> cluster.partitions(input).orElse(0))
                .max()
                .orElse(0);
    }

    /** {@code before}: the number of partitions of the inputs when this processor started; empty: it is starting now. */
    List<Finding> check(Cluster cluster, OptionalInt before) {
        List<Finding> findings = new ArrayList<>();
        checkInputs(cluster, before, findings);
        checkOutput(cluster, findings);
        return findings;
    }

    private void checkInputs(Cluster cluster, OptionalInt before, List<Finding> findings) {
        OptionalInt stored = before.isPresent() ? before : cluster.partitions(changelog);
        int right = stored.orElse(of(cluster));
        for (String input : inputs) {
            int count = cluster.partitions(input).orElse(right);
            if (count != right) {
                findings.add(Finding.refused(
                        input,
                        PARTITIONS,
                        Integer.toString(count),
                        Integer.toString(right),
                        stored.isPresent()
                                ? "what is stored of the users is in " + right
                                        + " partitions, and another number puts them elsewhere"
                                : "the three inputs must have the same number, so that a user is in one place",
                        stored.isPresent()
                                ? Decide.on("start a new application with another application.id: docs/operations.md")
                                : new AddPartitions(input, right)));
            }
        }
    }

    /** With more partitions, a user's next record is in another one, and the old record stays where it is for good. */
    private void checkOutput(Cluster cluster, List<Finding> findings) {
        @Nullable Topic topic = cluster.topics().get(output);
        if (topic == null || cluster.progress().isEmpty()) {
            return;
        }
        Optional<Long> before = outputBefore(cluster.progress().get(), topic);
        boolean isMisplaced = !cluster.progress().get().misplaced().isEmpty();
        if (before.isPresent() ? before.get() < topic.partitions() : isMisplaced) {
            findings.add(Finding.refused(
                    output,
                    PARTITIONS,
                    Integer.toString(topic.partitions()),
                    before.map(count -> Long.toString(count)).orElse("as many as when its records were written"),
                    "a user's next record is in another partition, and readers may find the old one, for good",
                    new Decide(
                            "start a new application with a new topic.presence (docs/operations.md, \"More partitions\");"
                                    + " or, where all readers ignore a lower sequence, take the new number",
                            "rollcall check --accept-partitions",
                            "")));
        }
    }

    /** Whether the finding is of the number of partitions of the output. */
    boolean isOfTheOutput(Finding finding) {
        return finding.topic().equals(output) && finding.setting().equals(PARTITIONS);
    }

    /** Whether nothing but its records tells how many partitions the output had. */
    boolean mayBeMisplaced(Cluster cluster) {
        @Nullable Topic topic = cluster.topics().get(output);
        return topic != null
                && topic.partitions() > 1
                && cluster.progress()
                        .filter(progress -> outputBefore(progress, topic).isEmpty())
                        .isPresent();
    }

    /** How many partitions it had, as an earlier look has stored; empty: there was none, or the topic was created again. */
    private static Optional<Long> outputBefore(Cluster.Progress progress, Topic topic) {
        return progress.checkpoints().values().stream()
                .map(Checkpoint::output)
                .filter(one -> one.id().equals(topic.id()))
                .map(Checkpoint.Stored::end)
                .findFirst();
    }
}
