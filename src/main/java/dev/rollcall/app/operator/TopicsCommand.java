package dev.rollcall.app.operator;

import dev.rollcall.admin.TopicSetup;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.contract.Finding;
import dev.rollcall.contract.Fix.Alter;
import dev.rollcall.contract.KafkaTools;
import dev.rollcall.text.Printable;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.ToIntBiFunction;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** Creates Rollcall's topics, and corrects their settings. */
@Command(
        name = "topics",
        description = "Creates Rollcall's topics, or corrects their settings.",
        mixinStandardHelpOptions = true,
        footer = {"", "Example: topics create --dry-run --set bootstrap.servers=kafka:9092"},
        synopsisSubcommandLabel = "(create | fix)")
public final class TopicsCommand implements Runnable {
    private static final String DRY_RUN = "--dry-run";

    @ParentCommand
    private @Nullable Program settings;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "give what to do: create or fix");
    }

    @Command(description = "Creates the topics that are missing.", mixinStandardHelpOptions = true)
    int create(
            @Option(names = DRY_RUN, description = "Prints the commands, and creates nothing.") boolean dryRun,
            @Mixin ToolsOption login) {
        return with(login, (topics, tools) -> {
            List<String> missing = topics.missing();
            missing.forEach(name -> print(command(topics.newTopic(name), tools)));
            if (!dryRun) {
                topics.create(missing);
            }
            print(missing.isEmpty() ? "no topic is missing" : dryRun ? "nothing was created" : "created");
            return 0;
        });
    }

    @Command(
            description = "Corrects the settings that can be changed at any time. The rest is printed.",
            mixinStandardHelpOptions = true)
    int fix(
            @Option(names = DRY_RUN, description = "Prints the commands, and changes nothing.") boolean dryRun,
            @Mixin ToolsOption login) {
        return with(login, (topics, tools) -> {
            List<Finding> findings = topics.findings();
            List<Finding> mine = findings.stream()
                    .filter(finding -> finding.fix() instanceof Alter)
                    .toList();
            mine.forEach(finding -> print(finding.fix().text(tools)));
            if (!dryRun && !mine.isEmpty()) {
                topics.alter(mine, "the operator asked for it");
            }
            print(mine.isEmpty() ? "no setting is to be changed" : dryRun ? "nothing was changed" : "changed");
            List<Finding> others =
                    findings.stream().filter(finding -> !mine.contains(finding)).toList();
            if (!others.isEmpty()) {
                print("left to you:\n" + CheckCommand.text(others, tools));
            }
            return others.stream().anyMatch(Finding::isRefused) ? ExitCode.CONFIGURATION : 0;
        });
    }

    private static String command(NewTopic topic, KafkaTools tools) {
        String rest = "--create --topic %s --partitions %d%s%s"
                .formatted(
                        topic.name(),
                        topic.numPartitions(),
                        topic.replicationFactor() < 0 ? "" : " --replication-factor " + topic.replicationFactor(),
                        new TreeMap<>(topic.configs())
                                .entrySet().stream()
                                        .map(one -> " --config %s=%s".formatted(one.getKey(), one.getValue()))
                                        .collect(Collectors.joining()));
        return tools.command("kafka-topics.sh", rest);
    }

    private int with(ToolsOption login, ToIntBiFunction<TopicSetup, KafkaTools> action) {
        Program program = Objects.requireNonNull(settings);
        RollcallConfig config = program.config();
        String servers = program.bootstrapServers(config);
        Admin admin = Admin.create(program.admin(config));
        try {
            return action.applyAsInt(new TopicSetup(admin, config, servers), login.tools(servers));
        } finally {
            admin.close(Duration.ZERO);
        }
    }

    private void print(String text) {
        PrintWriter out = spec.commandLine().getOut();
        out.println(Printable.lines(text));
        out.flush();
    }
}
