package dev.rollcall.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

/** What whoever starts Rollcall gets to see, without a cluster. */
class CommandLineTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @ParameterizedTest
    @CsvSource({
        "64, nonsense",
        "64, check --nonsense",
        "64, topics",
        "64, acls",
        "64, acls --principal rollcall",
        "64, acls --principal User:n --role notifier",
        "64, simulate --seconds 0",
        "64, inspect",
        "64, rebuild --hold-ms 0",
        "64, matrix --nonsense",
        "78, matrix --set matrix.homeserver=nonsense",
        "78, matrix --set matrix.host=192.0.2.1",
        "0, matrix --help",
        "78, topology --set nonsense=1",
        "78, topology --set device.lease.ms=0",
        "78, topology --set kafka.sesion.timeout.ms=1",
        "0, topology",
        "0, acls --principal User:rollcall",
    })
    void shouldEndWithTheCodeOfTheMistake(int code, String arguments) {
        assertThat(execute(arguments)).as("%s%s", out, err).isEqualTo(code);
    }

    @ParameterizedTest
    @CsvSource({
        "kafka.security.protocol=NONSENSE",
        "kafka.request.timeout.ms=soon",
        "kafka.ssl.truststore.location=/no/such/file --set kafka.security.protocol=SSL",
        "kafka.sasl.jaas.config=nonsense --set kafka.security.protocol=SASL_PLAINTEXT",
    })
    void shouldSayItInOneLineWhenASettingOfKafkaIsWrong(String setting) {
        int code = execute("check --set bootstrap.servers=localhost:1 --set " + setting);

        assertThat(code).isEqualTo(78);
        assertThat(err.toString().strip().lines()).hasSize(1).first().asString().startsWith("kafka.*: ");
    }

    @Test
    void shouldPrintTheRightsOfEachRole() {
        assertThat(execute("acls --principal User:rollcall --set bootstrap.servers=kafka:9092 --set http.port="))
                .isZero();
        assertThat(out.toString().lines())
                .containsExactly(
                        line("--operation Read --operation Write --operation DescribeConfigs --topic device-heartbeat"),
                        line("--operation Read --operation Write --operation DescribeConfigs --topic status"),
                        line("--operation Read --operation Write --operation DescribeConfigs --topic appear-offline"),
                        line("--operation Write --operation DescribeConfigs --topic presence"),
                        line("--operation Write --operation DescribeConfigs --topic presence-dead-letters"),
                        line("--operation Read --operation Write --operation Create --operation DescribeConfigs"
                                + " --operation AlterConfigs --topic rollcall-users-changelog"),
                        line("--operation Read --operation Write --operation Create --operation DescribeConfigs"
                                + " --operation AlterConfigs --topic rollcall-shards-changelog"),
                        line("--operation Read --group rollcall"),
                        line("--operation Read --group rollcall-checkpoint"),
                        line("--operation Write --resource-pattern-type prefixed --transactional-id rollcall-"));
    }

    @ParameterizedTest
    @CsvSource({
        "shard, 3, --topic device-heartbeat",
        "notifier --group push, 2, --group push",
        "routing --group push, 2, --topic presence-routing",
        "edge, 4, --operation Read --topic presence",
        "repair, 10, --transactional-id rollcall-rebuild",
    })
    void shouldAskForLittleWhenARoleDoesLittle(String role, int resources, String has) {
        assertThat(execute("acls --principal User:x --role " + role)).isZero();
        assertThat(out.toString().lines()).hasSize(resources).anyMatch(line -> line.endsWith(has));
    }

    @Test
    void shouldAskNoClusterForTheRights() throws Exception {
        try (ServerSocket broker = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            assertThat(execute("acls --principal User:x --set bootstrap.servers=localhost:" + broker.getLocalPort()))
                    .isZero();
            broker.setSoTimeout(100);
            assertThatThrownBy(broker::accept).isInstanceOf(SocketTimeoutException.class);
        }
    }

    @Test
    void shouldTakeAwayWhatItGrants() {
        execute("acls --principal User:rollcall");
        List<String> granting = out.toString().lines().toList();
        out.getBuffer().setLength(0);

        assertThat(execute("acls --principal User:rollcall --remove --command-config admin.properties"))
                .isZero();
        assertThat(out.toString().lines())
                .hasSameSizeAs(granting)
                .containsExactlyElementsOf(granting.stream()
                        .map(line -> line.replace(" --add ", " --command-config admin.properties --remove --force "))
                        .toList());
    }

    @Test
    void shouldPrintOneObjectWhenTheClusterCannotBeAskedAndJsonIsWanted() throws Exception {
        int code = execute("check --json --set bootstrap.servers=kafka:9092 --set kafka.security.protocol=NONSENSE");

        JsonNode json = new ObjectMapper().readTree(out.toString());
        assertThat(code).isEqualTo(78);
        assertThat(json.get("usable").booleanValue()).isFalse();
        assertThat(json.get("error").asText())
                .startsWith("kafka.*: ")
                .isEqualTo(err.toString().strip());
    }

    @Test
    void shouldNameEachParameterInTheHelpAndNoDefaultWhereThereIsNone() {
        List<CommandLine> all = new ArrayList<>(List.of(Main.commandLine()));
        for (int at = 0; at < all.size(); at++) {
            all.addAll(all.get(at).getSubcommands().values());
        }

        assertThat(all)
                .hasSizeGreaterThan(20)
                .allSatisfy(command -> assertThat(command.getUsageMessage())
                        .as(command.getCommandName())
                        .doesNotContainPattern("<\\w+>|Default: *(\\[]|\\{})?\\s*\\R"));
    }

    private static String line(String rest) {
        return "kafka-acls.sh --bootstrap-server kafka:9092 --add --allow-principal User:rollcall " + rest;
    }

    private int execute(String arguments) {
        CommandLine commandLine = Main.commandLine();
        commandLine.setOut(new PrintWriter(out, true));
        commandLine.setErr(new PrintWriter(err, true));
        return commandLine.execute(arguments.split(" "));
    }
}
