package dev.rollcall.app.operator;

import dev.rollcall.contract.KafkaTools;
import picocli.CommandLine.Help.Visibility;
import picocli.CommandLine.Option;

/** How Kafka's tools log in, in the commands that are printed. Rollcall itself does not read that file. */
final class ToolsOption {
    @Option(
            names = "--command-config",
            paramLabel = "FILE",
            showDefaultValue = Visibility.NEVER,
            description = "Kafka's tools take their login from it, in the commands that are printed.")
    private String file = "";

    KafkaTools tools(String bootstrapServers) {
        return new KafkaTools(bootstrapServers, file);
    }
}
