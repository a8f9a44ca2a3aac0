package dev.rollcall.contract;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.config.RollcallConfig;
import dev.rollcall.contract.Cluster.Log;
import dev.rollcall.contract.Cluster.Progress;
import dev.rollcall.contract.Cluster.Topic;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

/** What is stored against what was read, and the output's partitions. */
class StateContractTest {
    private static final String USERS = "rollcall-users-changelog";
    private static final String SHARDS = "rollcall-shards-changelog";

    private final ClusterContract contract = new ClusterContract(RollcallConfig.defaults());
    private final Map<String, Topic> topics = new HashMap<>();
    private final Map<TopicPartition, Long> committed = new HashMap<>();
    private final Map<TopicPartition, Log> logs = new HashMap<>();
    private Map<Integer, Checkpoint> checkpoints = Map.of();
    private Set<Integer> misplaced = Set.of();

    /** A processor has read both partitions, stored users in both, and published. */
    StateContractTest() {
        for (String topic : List.of("device-heartbeat", "status", "appear-offline", "presence", USERS, SHARDS)) {
            topics.put(topic, topic(topic, "id-of-" + topic, 2));
            log(topic, 0, 0, 100);
            log(topic, 1, 0, 100);
        }
        committed("device-heartbeat", 0, 90);
        committed("device-heartbeat", 1, 90);
    }

    @Test
    void shouldFindNothingWhenWhatIsStoredIsAsNewAsWhatWasRead() {
        look();

        assertThat(atStart()).isEmpty();
        assertThat(whileItRuns()).isEmpty();
    }

    @Test
    void shouldRefuseWhenAChangelogIsGoneAndTheOffsetsAreNot() {
        topics.remove(USERS);

        Finding finding = theOne(atStart());
        assertThat(finding.isRefused()).isTrue();
        assertThat(finding.toString())
                .startsWith(
                        "the topic rollcall-users-changelog has records=none (there is no such topic), and must have"
                                + " all that it had: the inputs are read already");
        assertThat(finding.fix().text(KafkaTools.of("kafka:9092")))
                .contains("kafka-streams-application-reset.sh --bootstrap-server kafka:9092 --application-id rollcall"
                        + " --input-topics device-heartbeat,status,appear-offline")
                .contains("delete streams/ in each data.dir");
        assertThat(whileItRuns()).as("a broker may not know it yet").isEmpty();
    }

    @Test
    void shouldRefuseWhenTheChangelogIsEmptyThoughUsersWerePublished() {
        log(USERS, 0, 0, 0);
        log(USERS, 1, 7, 7);

        assertThat(theOne(atStart()).toString()).contains("rollcall-users-changelog has records=none,");
    }

    @Test
    void shouldFindNothingWhenNobodyWasEverPublished() {
        log(USERS, 0, 0, 0);
        log(USERS, 1, 0, 0);
        log("presence", 0, 0, 0);
        log("presence", 1, 0, 0);

        assertThat(atStart()).isEmpty();
    }

    @Test
    void shouldRefuseWhenAChangelogWasCreatedAgain() {
        look();
        topics.put(USERS, topic(USERS, "another-id", 2));
        log(USERS, 0, 0, 3);

        assertThat(theOne(atStart()).toString())
                .contains(
                        "records=3 in partition 0 (the topic was deleted and created again; it had them up to offset 100)");
        assertThat(whileItRuns()).hasSize(1);
    }

    @Test
    void shouldRefuseWhenOnePartitionsEndIsBeforeWhereItWas() {
        look();
        log(SHARDS, 1, 0, 99);

        assertThat(theOne(atStart()).toString())
                .contains(
                        "rollcall-shards-changelog has records=those up to offset 99 of partition 1 (it had them up to 100)");
    }

    @Test
    void shouldRefuseWhenRecordsWereDeletedFromOnePartition() {
        look();
        log(USERS, 1, 100, 100);

        assertThat(theOne(atStart()).toString())
                .contains("records=those from offset 100 of partition 1 (it had them from 0)");
    }

    @Test
    void shouldFindNothingWhenTheInputsAreReadAgainFromTheirBeginning() {
        look();
        topics.remove(USERS);
        topics.remove(SHARDS);
        log("device-heartbeat", 0, 90, 100);
        log("device-heartbeat", 1, 90, 100);
        assertThat(atStart()).as("the offsets are where the logs begin").isEmpty();

        committed.clear();
        assertThat(atStart()).as("there are no offsets").isEmpty();
    }

    @Test
    void shouldForgetWhatAChangelogHadWhenAStartWithoutOneWasRight() {
        look();
        topics.remove(USERS);
        topics.remove(SHARDS);
        committed.clear();
        assertThat(contract.checkpoints(cluster(), false))
                .as("while it runs, it may only not be seen")
                .isEmpty();

        checkpoints = contract.checkpoints(cluster(), true);
        topics.put(USERS, topic(USERS, "new-id", 2));
        topics.put(SHARDS, topic(SHARDS, "new-id-too", 2));
        committed("device-heartbeat", 0, 90);

        assertThat(whileItRuns()).isEmpty();
    }

    @Test
    void shouldFindNothingWhenTheLogsMovedOn() {
        look();
        log(USERS, 0, 0, 1_000);
        log(SHARDS, 1, 0, 1_000);

        assertThat(atStart()).isEmpty();
    }

    @Test
    void shouldWarnWhenHeartbeatsWereDeletedBeforeTheyWereRead() {
        log("device-heartbeat", 0, 95, 100);

        Finding finding = theOne(atStart());
        assertThat(finding.isRefused()).isFalse();
        assertThat(finding.toString())
                .startsWith(
                        "the topic device-heartbeat has unread=up to 5 deleted before they were read, in 1 partitions");
    }

    @Test
    void shouldRefuseWhenTheOutputWasGivenMorePartitions() {
        look();
        topics.put("presence", topic("presence", "id-of-presence", 3));

        Finding finding = theOne(atStart());
        assertThat(finding.isRefused()).isTrue();
        assertThat(finding.toString()).startsWith("the topic presence has partitions=3, and must have 2: ");
        assertThat(finding.fix().text(KafkaTools.of("kafka:9092")))
                .endsWith("rollcall check --accept-partitions --set bootstrap.servers=kafka:9092");
        assertThat(whileItRuns()).containsExactly(finding);
    }

    @Test
    void shouldRefuseWhenNobodyKnowsHowManyPartitionsTheOutputHadButItsRecords() {
        assertThat(contract.mayBeMisplaced(cluster())).isTrue();
        misplaced = Set.of(1);

        Finding finding = theOne(atStart());
        assertThat(finding.isRefused()).isTrue();
        assertThat(finding.toString())
                .startsWith(
                        "the topic presence has partitions=2, and must have as many as when its records were written: ");

        look(); // it is accepted
        assertThat(contract.mayBeMisplaced(cluster())).isFalse();
        assertThat(atStart()).isEmpty();
    }

    @Test
    void shouldWarnWhenUsersAreStoredAndNobodyKnowsHowFarTheInputsWereRead() {
        committed.clear();

        Finding finding = theOne(atStart());
        assertThat(finding.isRefused()).isFalse();
        assertThat(finding.toString())
                .startsWith("the cluster has offsets of the group rollcall=none, and should have ");
        assertThat(whileItRuns()).as("it reads them again already").isEmpty();
    }

    @Test
    void shouldFindNothingWhenTheOutputIsAnotherTopic() {
        look();
        topics.put("presence", topic("presence", "another-id", 3));

        assertThat(atStart()).isEmpty();
    }

    @Test
    void shouldReadACheckpointAsItWasWritten() {
        look();

        assertThat(checkpoints).hasSize(2).allSatisfy((partition, checkpoint) -> {
            assertThat(Checkpoint.decode(checkpoint.encode())).contains(checkpoint);
            assertThat(checkpoint.encode())
                    .isEqualTo(
                            "1 presence=id-of-presence:0:2 rollcall-shards-changelog=id-of-rollcall-shards-changelog:0:100"
                                    + " rollcall-users-changelog=id-of-rollcall-users-changelog:0:100");
        });
        assertThat(Checkpoint.decode("")).isEmpty();
        assertThat(Checkpoint.decode("2 presence=a:0:2")).isEmpty();
        assertThat(Checkpoint.decode("1 nonsense")).isEmpty();
    }

    /** What an earlier look has stored. */
    private void look() {
        checkpoints = contract.checkpoints(cluster(), false);
    }

    private List<Finding> atStart() {
        return contract.check(cluster(), OptionalInt.empty());
    }

    private List<Finding> whileItRuns() {
        return contract.check(cluster(), OptionalInt.of(2));
    }

    private Cluster cluster() {
        return new Cluster(
                topics, Optional.empty(), Optional.of(new Progress(committed, logs, checkpoints, misplaced)), Map.of());
    }

    private static Finding theOne(List<Finding> findings) {
        assertThat(findings).hasSize(1);
        return findings.get(0);
    }

    private static Topic topic(String name, String id, int partitions) {
        return new Topic(name, id, partitions, 3, Map.of(), Optional.empty());
    }

    private void log(String topic, int partition, long begin, long end) {
        logs.put(new TopicPartition(topic, partition), new Log(begin, end));
    }

    private void committed(String topic, int partition, long offset) {
        committed.put(new TopicPartition(topic, partition), offset);
    }
}
