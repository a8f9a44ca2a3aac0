package dev.rollcall.app.operator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.contract.Finding;
import dev.rollcall.contract.Finding.Severity;
import dev.rollcall.contract.Fix;
import dev.rollcall.contract.KafkaTools;
import java.util.List;
import org.junit.jupiter.api.Test;

class CheckCommandTest {
    private static final KafkaTools TOOLS = KafkaTools.of("kafka:9092");

    @Test
    void shouldIndentAllFindingsAlike() {
        Finding absent = finding("status", "", "absent", "there", "why\nrefused: not");
        Finding compacted = finding("presence", "cleanup.policy", "delete", "compact", "why");

        assertThat(CheckCommand.text(List.of(absent, compacted), TOOLS).lines())
                .containsExactly(
                        "unwise: the topic status is absent, and should be there: why\\u000arefused: not",
                        "    fix: kafka-topics.sh --bootstrap-server kafka:9092 --alter --topic status --partitions 3",
                        "unwise: the topic presence has cleanup.policy=delete, and should have compact: why",
                        "    fix: kafka-topics.sh --bootstrap-server kafka:9092 --alter --topic presence --partitions 3",
                        "0 refused, 2 unwise");
    }

    @Test
    void shouldSayThatNothingIsWrong() {
        assertThat(CheckCommand.text(List.of(), TOOLS)).isEqualTo("nothing is wrong with the cluster on kafka:9092");
    }

    private static Finding finding(String topic, String setting, String is, String shouldBe, String why) {
        return new Finding(Severity.UNWISE, topic, setting, is, shouldBe, why, new Fix.AddPartitions(topic, 3));
    }
}
