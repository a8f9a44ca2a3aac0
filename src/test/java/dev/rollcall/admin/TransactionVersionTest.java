package dev.rollcall.admin;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.admin.FinalizedVersionRange;
import org.apache.kafka.clients.admin.SupportedVersionRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TransactionVersionTest {
    private static final String COMMAND =
            "kafka-features.sh --bootstrap-server broker:9092 upgrade --feature transaction.version=2";

    @ParameterizedTest
    @CsvSource({"2", "3"})
    void shouldFindNothingWhenALateEndOfATransactionHarmsNone(short level) {
        assertThat(refused(Map.of("transaction.version", inForce(level)), (short) 3))
                .isEmpty();
    }

    @Test
    void shouldNameTheLevelAndTheCommandWhenItIsTooLow() {
        assertThat(refused(Map.of("transaction.version", inForce((short) 1)), (short) 2))
                .hasValueSatisfying(text -> assertThat(text)
                        .contains("the cluster has transaction.version=1, and must have 2")
                        .contains("fix: " + COMMAND));
    }

    @Test
    void shouldTakeTheLevelForZeroWhenItIsNotListed() {
        assertThat(refused(Map.of(), (short) 2))
                .hasValueSatisfying(text -> assertThat(text)
                        .contains("the cluster has transaction.version=0, and must have 2")
                        .contains("fix: " + COMMAND));
    }

    @Test
    void shouldAskForOtherBrokersWhenTheseDoNotKnowTheLevel() {
        assertThat(TransactionVersion.refused(Map.of(), Map.of(), "broker:9092"))
                .hasValueSatisfying(text ->
                        assertThat(text).contains("upgrade the brokers to Kafka 4.0 or later, and then: " + COMMAND));
    }

    private static Optional<String> refused(Map<String, FinalizedVersionRange> inForce, short supported) {
        return TransactionVersion.refused(
                inForce, Map.of("transaction.version", new SupportedVersionRange((short) 0, supported)), "broker:9092");
    }

    private static FinalizedVersionRange inForce(short level) {
        return new FinalizedVersionRange(level, level);
    }
}
