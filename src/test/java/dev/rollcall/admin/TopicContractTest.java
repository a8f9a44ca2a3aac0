package dev.rollcall.admin;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.admin.TopicContract.Finding;
import dev.rollcall.admin.TopicContract.Found;
import dev.rollcall.config.RollcallConfig;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TopicContractTest {
    private static final int PARTITIONS = 12;
    private static final List<String> CHANGELOGS = List.of("rollcall-users-changelog", "rollcall-shards-changelog");

    private final TopicContract contract = new TopicContract(RollcallConfig.of(Map.of("routing.enabled", "true")));
    private final Map<String, Found> found = new HashMap<>();

    TopicContractTest() {
        for (String topic : contract.names()) {
            found.put(topic, new Found(topic, PARTITIONS, contract.settings(topic)));
        }
        for (String topic : CHANGELOGS) {
            found.put(topic, new Found(topic, PARTITIONS, Map.of("cleanup.policy", "compact")));
        }
    }

    @Test
    void shouldFindNothingWhenTheTopicsAreAsRollcallMakesThem() {
        assertThat(atStart()).isEmpty();
        assertThat(contract.check(found, OptionalInt.of(PARTITIONS))).isEmpty();
        assertThat(contract.partitions(found)).isEqualTo(PARTITIONS);
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
                .startsWith("%s has %s=%s, and must have %s: ".formatted(topic, setting, is, shouldBe));
        assertThat(finding.fix().text("kafka:9092"))
                .isEqualTo("kafka-configs.sh --bootstrap-server kafka:9092 --alter --entity-type topics --entity-name "
                        + topic + " --add-config " + setting + "=" + shouldBe);
        assertThat(contract.check(found, OptionalInt.of(PARTITIONS))).containsExactly(finding);
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
    })
    void shouldWarnOfWhatIsUnwise(String topic, String setting, String is, String shouldBe) {
        set(topic, setting, is);

        Finding finding = theOne(atStart());

        assertThat(finding.isRefused()).isFalse();
        assertThat(finding.toString())
                .startsWith("%s has %s=%s, and should have %s: ".formatted(topic, setting, is, shouldBe));
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
        assertThat(finding.toString()).startsWith(topic + " has partitions=4, and must have 12: ");
        assertThat(finding.fix().text("kafka:9092"))
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
            assertThat(finding.fix().text("kafka:9092")).contains("application.id");
        });
    }

    @Test
    void shouldAskForANewApplicationWhenPartitionsWereAddedWhileItRuns() {
        found.remove(CHANGELOGS.get(0)); // it may not be seen
        partitions("status", 24);

        Finding finding = theOne(contract.check(found, OptionalInt.of(PARTITIONS)));

        assertThat(finding.toString()).startsWith("status has partitions=24, and must have 12: ");
        assertThat(finding.fix().text("kafka:9092")).contains("application.id");
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
        found.put("status", new Found("status", PARTITIONS, Map.of()));

        assertThat(atStart()).isEmpty();
    }

    private List<Finding> atStart() {
        return contract.check(found, OptionalInt.empty());
    }

    private static Finding theOne(List<Finding> findings) {
        assertThat(findings).hasSize(1);
        return findings.get(0);
    }

    private void set(String topic, String setting, String value) {
        found.computeIfPresent(topic, (name, before) -> {
            Map<String, String> settings = new HashMap<>(before.settings());
            settings.put(setting, value);
            return new Found(name, before.partitions(), settings);
        });
    }

    private void partitions(String topic, int partitions) {
        found.computeIfPresent(topic, (name, before) -> new Found(name, partitions, before.settings()));
    }
}
