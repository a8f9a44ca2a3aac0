package dev.rollcall.contract;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.config.RollcallConfig;
import dev.rollcall.contract.Cluster.Features;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FeatureContractTest {
    private static final String COMMAND =
            "kafka-features.sh --bootstrap-server broker:9092 upgrade --feature transaction.version=2";
    private static final Map<String, Integer> OFFERED = Map.of("transaction.version", 2, "streams.version", 1);

    @ParameterizedTest
    @ValueSource(ints = {2, 3})
    void shouldFindNothingWhenALateEndOfATransactionHarmsNone(int level) {
        assertThat(check(Map.of(), Map.of("transaction.version", level), OFFERED))
                .isEmpty();
    }

    @Test
    void shouldNameTheLevelAndTheCommandWhenItIsTooLow() {
        Finding finding = theOne(check(Map.of(), Map.of("transaction.version", 1), OFFERED));

        assertThat(finding.isRefused()).isTrue();
        assertThat(finding.toString()).startsWith("the cluster has transaction.version=1, and must have 2: ");
        assertThat(finding.fix().text(KafkaTools.of("broker:9092"))).isEqualTo(COMMAND);
    }

    @Test
    void shouldTakeTheLevelForZeroWhenItIsNotListed() {
        assertThat(theOne(check(Map.of(), Map.of(), OFFERED)).toString())
                .startsWith("the cluster has transaction.version=0, and must have 2: ");
    }

    @Test
    void shouldAskForOtherBrokersWhenTheseDoNotKnowTheLevel() {
        assertThat(theOne(check(Map.of(), Map.of(), Map.of())).fix().text(KafkaTools.of("broker:9092")))
                .isEqualTo("upgrade the brokers to Kafka 4.0 or later, and then: " + COMMAND);
    }

    @Test
    void shouldWarnOfAtLeastOnceAndAskForNoTransactionsWhenItIsChosen() {
        Finding finding = theOne(check(Map.of("kafka.processing.guarantee", "at_least_once"), Map.of(), Map.of()));

        assertThat(finding.isRefused()).isFalse();
        assertThat(finding.toString())
                .startsWith(
                        "the cluster has kafka.processing.guarantee=at_least_once, and should have exactly_once_v2: ");
    }

    @Test
    void shouldRefuseWhenTheStreamsProtocolIsChosenAndTheClusterHasNoneOfIt() {
        Finding finding =
                theOne(check(Map.of("kafka.group.protocol", "streams"), Map.of("transaction.version", 2), OFFERED));

        assertThat(finding.isRefused()).isTrue();
        assertThat(finding.toString()).startsWith("the cluster has streams.version=0, and must have 1: ");
        assertThat(finding.fix().text(KafkaTools.of("broker:9092")))
                .isEqualTo("kafka-features.sh --bootstrap-server broker:9092 upgrade --feature streams.version=1");
    }

    @ParameterizedTest
    @CsvSource({"10080, 1", "43199, 1", "43200, 0", "2147483647, 0"})
    void shouldWarnWhenBrokersForgetOffsetsSooner(String minutes, int findings) {
        Cluster cluster =
                new Cluster(Map.of(), Optional.empty(), Optional.empty(), Map.of("offsets.retention.minutes", minutes));

        assertThat(new FeatureContract(RollcallConfig.of(Map.of())).check(cluster))
                .hasSize(findings)
                .allSatisfy(finding -> {
                    assertThat(finding.isRefused()).isFalse();
                    assertThat(finding.toString())
                            .startsWith("the cluster has offsets.retention.minutes=" + minutes
                                    + ", and should have at least 43200: after an outage longer than that");
                });
    }

    private static Finding theOne(List<Finding> findings) {
        assertThat(findings).hasSize(1);
        return findings.get(0);
    }

    private static List<Finding> check(
            Map<String, String> settings, Map<String, Integer> inForce, Map<String, Integer> supported) {
        return new FeatureContract(RollcallConfig.of(settings))
                .check(new Cluster(
                        Map.of(), Optional.of(new Features(inForce, supported)), Optional.empty(), Map.of()));
    }
}
