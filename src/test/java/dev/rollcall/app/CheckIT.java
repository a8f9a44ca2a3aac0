package dev.rollcall.app;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.rollcall.embedded.EmbeddedBroker;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** The commands check and topics on a cluster. */
@Timeout(120)
class CheckIT {
    @TempDir
    private Path dir;

    @Test
    void shouldFindWhatIsWrongAndMendItWhenTheOperatorAsksForIt() throws Exception {
        try (EmbeddedBroker cluster = EmbeddedBroker.start(dir.resolve("cluster"), 0);
                Admin admin = Admin.create(Map.of("bootstrap.servers", cluster.bootstrapServers()))) {
            admin.createTopics(List.of(
                            new NewTopic("device-heartbeat", 12, (short) 1)
                                    .configs(Map.of(
                                            "message.timestamp.type", "LogAppendTime", "retention.ms", "600000")),
                            new NewTopic("presence-dead-letters", 1, (short) 1)
                                    .configs(Map.of("cleanup.policy", "compact"))))
                    .all()
                    .get();

            Outcome checked = run(cluster, "check", "--json");
            JsonNode json = new ObjectMapper().readTree(checked.out());
            assertThat(checked.code()).isEqualTo(78);
            assertThat(json.get("usable").asBoolean()).isFalse();
            assertThat(json.get("findings"))
                    .anySatisfy(finding -> {
                        assertThat(finding.get("severity").asText()).isEqualTo("refused");
                        assertThat(finding.get("topic").asText()).isEqualTo("presence-dead-letters");
                        assertThat(finding.get("setting").asText()).isEqualTo("cleanup.policy");
                        assertThat(finding.get("is").asText()).isEqualTo("compact");
                        assertThat(finding.get("should_be").asText()).isEqualTo("delete");
                        assertThat(finding.get("fix").asText()).startsWith("kafka-configs.sh ");
                    })
                    .anySatisfy(finding -> {
                        assertThat(finding.get("severity").asText()).isEqualTo("unwise");
                        assertThat(finding.get("setting").asText()).isEqualTo("retention.ms");
                        assertThat(finding.get("is").asText()).isEqualTo("600000");
                    })
                    .anySatisfy(finding ->
                            assertThat(finding.get("setting").asText()).isEqualTo("replicas"));

            assertThat(run(cluster, "topics", "create", "--dry-run").out())
                    .contains("kafka-topics.sh --bootstrap-server " + cluster.bootstrapServers()
                            + " --create --topic status --partitions 12 --config cleanup.policy=compact")
                    .doesNotContain("--topic device-heartbeat")
                    .contains("nothing was created");
            assertThat(run(cluster, "topics", "fix", "--dry-run").out()).contains("nothing was changed");
            assertThat(admin.listTopics().names().get())
                    .containsExactlyInAnyOrder("device-heartbeat", "presence-dead-letters");

            assertThat(run(cluster, "topics", "create").code()).isZero();
            assertThat(run(cluster, "topics", "fix").code()).isZero();
            assertThat(run(cluster, "check").code()).isZero();
            assertThat(run(cluster, "check").out())
                    .contains("unwise: the topic presence has replicas=1, and should have 3")
                    .doesNotContain("refused: ");
        }
    }

    @Test
    void shouldEndWith69WhenTheClusterIsAway() {
        StringWriter err = new StringWriter();
        CommandLine commandLine = Main.commandLine().setErr(new PrintWriter(err, true));

        assertThat(commandLine.execute(
                        "check",
                        "--set",
                        "bootstrap.servers=localhost:1",
                        "--set",
                        "kafka.default.api.timeout.ms=2000",
                        "--set",
                        "kafka.request.timeout.ms=1000"))
                .isEqualTo(69);
        assertThat(err.toString().strip().lines()).hasSize(1);
    }

    private record Outcome(int code, String out) {}

    private static Outcome run(EmbeddedBroker cluster, String... arguments) {
        StringWriter out = new StringWriter();
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of("--set", "bootstrap.servers=" + cluster.bootstrapServers()));
        int code = Main.commandLine().setOut(new PrintWriter(out, true)).execute(all.toArray(String[]::new));
        return new Outcome(code, out.toString());
    }
}
