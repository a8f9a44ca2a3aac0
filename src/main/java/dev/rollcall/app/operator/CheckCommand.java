package dev.rollcall.app.operator;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rollcall.admin.TopicSetup;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.contract.Finding;
import dev.rollcall.contract.KafkaTools;
import dev.rollcall.http.server.Json;
import dev.rollcall.text.Printable;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.apache.kafka.clients.admin.Admin;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** Prints what is wrong with a cluster. */
@Command(
        name = "check",
        description = {
            "Checks a cluster as the start does, and changes nothing: topics, partitions, replicas, cleanup, retention,"
                    + " stamps, features, rights, what is stored against what was read.",
            "Ends with 78 if Rollcall would not run on it, 69 if it does not answer, else 0."
        },
        footer = {"", "Example: check --json --set bootstrap.servers=kafka:9092"},
        mixinStandardHelpOptions = true)
public final class CheckCommand implements Callable<Integer> {
    @ParentCommand
    private @Nullable Program settings;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Option(names = "--json", description = "Prints one JSON object.")
    private boolean json;

    @Option(
            names = "--accept-partitions",
            description =
                    "Takes the topic of presence with the partitions that were added to it, if nothing else is refused:"
                            + " all its readers must ignore a lower sequence.")
    private boolean acceptPartitions;

    @Mixin
    private ToolsOption login = new ToolsOption();

    @Override
    public Integer call() {
        Program program = Objects.requireNonNull(settings);
        try {
            return check(program);
        } catch (RuntimeException e) {
            if (json) {
                spec.commandLine().getOut().println(json(program.explain(e)));
            }
            throw e;
        }
    }

    private int check(Program program) {
        RollcallConfig config = program.config();
        String servers = program.bootstrapServers(config);
        PrintWriter out = spec.commandLine().getOut();
        List<Finding> findings;
        Admin admin = Admin.create(program.admin(config));
        try {
            TopicSetup topics = new TopicSetup(admin, config, servers).reading(program.consumer(config));
            findings = acceptPartitions ? topics.acceptPartitions() : topics.findings();
        } finally {
            admin.close(Duration.ZERO);
        }
        if (acceptPartitions && findings.isEmpty()) {
            out.printf(
                    "%s is taken with the partitions that it has%n",
                    config.topics().presence());
            return 0;
        }
        KafkaTools tools = login.tools(servers);
        out.println(json ? json(findings, tools) : text(findings, tools));
        return findings.stream().anyMatch(Finding::isRefused) ? ExitCode.CONFIGURATION : 0;
    }

    static String text(List<Finding> findings, KafkaTools tools) {
        StringBuilder text = new StringBuilder();
        for (Finding finding : findings) {
            text.append(Printable.of("%s: %s".formatted(severity(finding), finding)))
                    .append("\n    fix: ")
                    .append(Printable.of(finding.fix().text(tools)))
                    .append('\n');
        }
        long refused = findings.stream().filter(Finding::isRefused).count();
        text.append(
                findings.isEmpty()
                        ? "nothing is wrong with the cluster on " + tools.bootstrapServers()
                        : "%d refused, %d unwise".formatted(refused, findings.size() - refused));
        return text.toString();
    }

    static String json(List<Finding> findings, KafkaTools tools) {
        ObjectNode all = Json.object();
        all.put("bootstrap_servers", tools.bootstrapServers());
        all.put("usable", findings.stream().noneMatch(Finding::isRefused));
        ArrayNode list = all.putArray("findings");
        for (Finding finding : findings) {
            list.addObject()
                    .put("severity", severity(finding))
                    .put("topic", finding.topic())
                    .put("setting", finding.setting())
                    .put("is", finding.is())
                    .put("should_be", finding.shouldBe())
                    .put("why", finding.why())
                    .put("fix", finding.fix().text(tools));
        }
        return all.toPrettyString();
    }

    /** When the cluster cannot be asked. */
    private static String json(String error) {
        return Json.object().put("usable", false).put("error", error).toPrettyString();
    }

    private static String severity(Finding finding) {
        return finding.severity().name().toLowerCase(Locale.ROOT);
    }
}
