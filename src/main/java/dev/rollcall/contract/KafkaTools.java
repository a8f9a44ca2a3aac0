package dev.rollcall.contract;

/**
 * Kafka's own tools, in the commands that an operator is given to run.
 *
 * @param commandConfig the file with which they log in; empty: the cluster is open to all
 */
public record KafkaTools(String bootstrapServers, String commandConfig) {
    private static final String RESET = "kafka-streams-application-reset.sh";

    /** For a cluster that asks nobody who they are, or for an operator who adds that. */
    public static KafkaTools of(String bootstrapServers) {
        return new KafkaTools(bootstrapServers, "");
    }

    /**
     * One command.
     *
     * @param tool its script
     * @param rest what follows the cluster
     */
    public String command(String tool, String rest) {
        return "%s --bootstrap-server %s%s %s".formatted(tool, bootstrapServers, login(tool), rest);
    }

    private String login(String tool) {
        if (commandConfig.isEmpty()) {
            return "";
        }
        // This one takes --command-config as well from 4.2 on, but those of 4.0 and 4.1 do not.
        String option = tool.equals(RESET) ? "--config-file" : "--command-config";
        return " %s %s".formatted(option, commandConfig.contains(" ") ? "'" + commandConfig + "'" : commandConfig);
    }
}
