package dev.rollcall.contract;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.config.RollcallConfig;
import dev.rollcall.contract.Fix.AddPartitions;
import dev.rollcall.contract.Fix.AddReplicas;
import dev.rollcall.contract.Fix.Alter;
import dev.rollcall.contract.Fix.Decide;
import dev.rollcall.contract.Fix.Upgrade;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class KafkaToolsTest {
    private static final KafkaTools TOOLS = new KafkaTools("kafka:9093", "admin.properties");

    @Test
    void shouldLogInWithTheFileInEachCommandThatIsPrinted() {
        Access access = Access.of(Role.PROCESSOR, RollcallConfig.defaults(), "");
        List<String> commands = new ArrayList<>(access.granting("User:rollcall", TOOLS));
        commands.addAll(access.removing("User:rollcall", TOOLS));
        for (Fix fix : List.of(
                new Alter("status", "cleanup.policy", "compact"),
                new AddPartitions("status", 12),
                new AddReplicas("status"),
                new Upgrade("first this: ", "transaction.version", 2),
                new Decide("grant it", "kafka-acls.sh", "--add"))) {
            commands.add(fix.text(TOOLS));
        }

        assertThat(commands)
                .hasSizeGreaterThan(20)
                .allMatch(command ->
                        command.contains(".sh --bootstrap-server kafka:9093 --command-config admin.properties "));
    }

    @Test
    void shouldNameTheOptionOfTheResetToolAsAllItsVersionsKnowIt() {
        assertThat(TOOLS.command("kafka-streams-application-reset.sh", "--force"))
                .isEqualTo("kafka-streams-application-reset.sh --bootstrap-server kafka:9093"
                        + " --config-file admin.properties --force");
    }

    @Test
    void shouldNameTheFileAsAShellTakesItWhenItsPathHasASpace() {
        assertThat(new KafkaTools("kafka:9093", "/etc/kafka tools/admin").command("kafka-topics.sh", "--list"))
                .isEqualTo(
                        "kafka-topics.sh --bootstrap-server kafka:9093 --command-config '/etc/kafka tools/admin' --list");
    }

    @Test
    void shouldNameNoFileWhenNoneIsGiven() {
        assertThat(KafkaTools.of("kafka:9092").command("kafka-topics.sh", "--list"))
                .isEqualTo("kafka-topics.sh --bootstrap-server kafka:9092 --list");
    }
}
