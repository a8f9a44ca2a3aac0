package dev.rollcall.contract;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.config.RollcallConfig;
import dev.rollcall.contract.Cluster.Topic;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TopicContractTest {
    private static final int PARTITIONS = 12;
    private static final List<String> CHANGELOGS = List.of("rollcall-users-changelog", "rollcall-shards-changelog");

    private final ClusterContract contract = new ClusterContract(
            RollcallConfig.of(Map.of("bootstrap.servers", "kafka:9092", "routing.enabled", "true")));
    private final Map<String, Topic> found = new HashMap<>();

    TopicContractTest() {
        for (String topic : contract.topics().names()) {
            found.put(topic, topic(topic, PARTITIONS, 3, contract.topics().settings(topic)));
        }
        for (String topic : CHANGELOGS) {
            found.put(topic, topic(topic, PARTITIONS, 3, Map.of("cleanup.policy", "compact")));
        }
    }

    @Test
    void shouldFindNothingWhenTheTopicsAreAsRollcallMakesThem() {
        assertThat(atStart()).isEmpty();
        assertThat(whileItRuns()).isEmpty();
        assertThat(contract.partitions(cluster())).isEqualTo(PARTITIONS);
    }

    @ParameterizedTest
    @CsvSource({
        "device-heartbeat, message.timestamp.type, CreateTime, LogAppendTime",
        "device-heartbeat, cleanup.policy, compact, delete",
        "device-heartbeat, cleanup.policy, 'compact,delete', delete",
        "device-heartbeat, cleanup.policy, 'delete,compact', delete",
        "status, message.timestamp.type, CreateTime, LogAppendTime",
        "appear-offline, message.timestamp.type, CreateTime, LogAppendTime",
        "presence, message.timestamp.type, LogAppendTime, CreateTime",
        "presence-routing, message.timestamp.type, LogAppendTime, CreateTime",
        "presence-dead-letters, cleanup.policy, compact, delete",
        "presence-dead-letters, cleanup.policy, 'compact,delete', delete",
        "rollcall-users-changelog, cleanup.policy, delete, compact",
        "rollcall-users-changelog, cleanup.policy, 'compact,delete', compact",
        "rollcall-shards-changelog, cleanup.policy, delete, compact",
    })
    void shouldRefuseWhatCorruptsPresenceOrEndsTheProcessor(String topic, String setting, String is, String shouldBe) {
        set(topic, setting, is);

        Finding finding = theOne(atStart());

        assertThat(finding.isRefused()).isTrue();
        assertThat(finding.toString())
                .startsWith("the topic %s has %s=%s, and must have %s: ".formatted(topic, setting, is, shouldBe));
        assertThat(finding.fix().text(KafkaTools.of("kafka:9092")))
                .isEqualTo("kafka-configs.sh --bootstrap-server kafka:9092 --alter --entity-type topics --entity-name "
                        + topic + " --add-config " + setting + "=" + shouldBe);
        assertThat(whileItRuns()).containsExactly(finding);
    }

    @ParameterizedTest
    @CsvSource({
        "status, cleanup.policy, delete, compact",
        "status, cleanup.policy, 'compact,delete', compact",
        "appear-offline, cleanup.policy, delete, compact",
        "presence, cleanup.policy, delete, compact",
        "presence, cleanup.policy, 'compact,delete', compact",
        "presence-routing, cleanup.policy, delete, compact",
        "presence-dead-letters, message.timestamp.type, CreateTime, LogAppendTime",
        "device-heartbeat, retention.ms, 600000, 21600000",
        "device-heartbeat, retention.bytes, 1073741824, -1",
        "device-heartbeat, min.insync.replicas, 1, 2",
        "presence, min.insync.replicas, 1, 2",
        "rollcall-users-changelog, min.insync.replicas, 1, 2",
    })
    void shouldWarnOfWhatIsUnwise(String topic, String setting, String is, String shouldBe) {
        set(topic, setting, is);

        Finding finding = theOne(atStart());

        assertThat(finding.isRefused()).isFalse();
        assertThat(finding.toString())
                .startsWith("the topic %s has %s=%s, and should have %s: ".formatted(topic, setting, is, shouldBe));
    }

    @ParameterizedTest
    @ValueSource(strings = {"device-heartbeat", "presence", "presence-dead-letters", "rollcall-users-changelog"})
    void shouldWarnWhenATopicHasOneReplica(String topic) {
        replicas(topic, 1);
        set(topic, "min.insync.replicas", "1");

        Finding finding = theOne(atStart());

        assertThat(finding.isRefused()).isFalse();
        assertThat(finding.toString()).startsWith("the topic " + topic + " has replicas=1, and should have 3: ");
        assertThat(finding.fix().text(KafkaTools.of("kafka:9092")))
                .contains("kafka-reassign-partitions.sh --bootstrap-server kafka:9092");
    }

    @Test
    void shouldRefuseWhenBrokersWouldTakeNoRecord() {
        set("presence", "min.insync.replicas", "4");

        Finding finding = theOne(atStart());
        assertThat(finding.isRefused()).isTrue();
        assertThat(finding.toString())
                .startsWith("the topic presence has min.insync.replicas=4, and must have at most 3: ");
    }

    @Test
    void shouldSayNothingOfReplicasWhenTheBrokerIsRollcallsOwn() {
        replicas("presence", 1);

        assertThat(new ClusterContract(RollcallConfig.defaults()).check(cluster(), OptionalInt.empty()))
                .isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"-1", "21600000", "86400000"})
    void shouldFindNothingWhenHeartbeatsAreKeptForLongEnough(String retention) {
        set("device-heartbeat", "retention.ms", retention);

        assertThat(atStart()).isEmpty();
    }

    @Test
    void shouldFindAllThatIsWrongAtOnce() {
        set("status", "message.timestamp.type", "CreateTime");
        set("device-heartbeat", "cleanup.policy", "compact");
        set("presence", "cleanup.policy", "delete");

        assertThat(atStart())
                .extracting(Finding::topic)
                .containsExactlyInAnyOrder("status", "device-heartbeat", "presence");
    }

    @ParameterizedTest
    @ValueSource(strings = {"device-heartbeat", "status", "appear-offline"})
    void shouldAskForMorePartitionsWhenAnInputHasFewerAndNothingIsStoredYet(String topic) {
        found.remove(CHANGELOGS.get(0));
        partitions(topic, 4);

        Finding finding = theOne(atStart());

        assertThat(finding.isRefused()).isTrue();
        assertThat(finding.toString()).startsWith("the topic " + topic + " has partitions=4, and must have 12: ");
        assertThat(finding.fix().text(KafkaTools.of("kafka:9092")))
                .isEqualTo(
                        "kafka-topics.sh --bootstrap-server kafka:9092 --alter --topic " + topic + " --partitions 12");
    }

    @Test
    void shouldAskForANewApplicationWhenTheInputsHaveMorePartitionsThanWhatIsStored() {
        for (String topic : List.of("device-heartbeat", "status", "appear-offline")) {
            partitions(topic, 24);
        }

        assertThat(atStart()).hasSize(3).allSatisfy(finding -> {
            assertThat(finding.isRefused()).isTrue();
            assertThat(finding.toString()).contains("partitions=24, and must have 12: what is stored of the users");
            assertThat(finding.fix().text(KafkaTools.of("kafka:9092"))).contains("application.id");
        });
    }

    @Test
    void shouldAskForANewApplicationWhenPartitionsWereAddedWhileItRuns() {
        found.remove(CHANGELOGS.get(0)); // it may not be seen
        partitions("status", 24);

        Finding finding = theOne(whileItRuns());

        assertThat(finding.toString()).startsWith("the topic status has partitions=24, and must have 12: ");
        assertThat(finding.fix().text(KafkaTools.of("kafka:9092"))).contains("application.id");
    }

    @Test
    void shouldLeaveThePartitionsOfTheOutputsToTheOperator() {
        partitions("presence", 3);
        partitions("presence-dead-letters", 1);

        assertThat(atStart()).isEmpty();
    }

    @Test
    void shouldSayNothingOfWhatCouldNotBeSeen() {
        found.remove("presence");
        found.put("status", topic("status", PARTITIONS, 3, Map.of()));

        assertThat(atStart()).isEmpty();
    }

    private List<Finding> atStart() {
        return contract.check(cluster(), OptionalInt.empty());
    }

    private List<Finding> whileItRuns() {
        return contract.check(cluster(), OptionalInt.of(PARTITIONS));
    }

    private Cluster cluster() {
        return new Cluster(found, Optional.empty(), Optional.empty(), Map.of());
    }

    private static Topic topic(String name, int partitions, int replicas, Map<String, String> settings) {
        return new Topic(name, "id", partitions, replicas, settings, Optional.empty());
    }

    private static Finding theOne(List<Finding> findings) {
        assertThat(findings).hasSize(1);
        return findings.get(0);
    }

    private void set(String topic, String setting, String value) {
        found.computeIfPresent(topic, (name, before) -> {
            Map<String, String> settings = new HashMap<>(before.settings());
            settings.put(setting, value);
            return topic(name, before.partitions(), before.replicas(), settings);
        });
    }

    private void partitions(String topic, int partitions) {
        found.computeIfPresent(topic, (name, before) -> topic(name, partitions, before.replicas(), before.settings()));
    }

    private void replicas(String topic, int replicas) {
        found.computeIfPresent(topic, (name, before) -> topic(name, before.partitions(), replicas, before.settings()));
    }
}
