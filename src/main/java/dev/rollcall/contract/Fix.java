package dev.rollcall.contract;

/** How a {@link Finding} is corrected. */
public sealed interface Fix {
    /** Tells the operator what to do, as a command if there is one. */
    String text(KafkaTools tools);

    /** A setting of a topic that can be changed at any time. */
    record Alter(String topic, String setting, String value) implements Fix {
        @Override
        public String text(KafkaTools tools) {
            return tools.command(
                    "kafka-configs.sh",
                    "--alter --entity-type topics --entity-name %s --add-config %s=%s"
                            .formatted(topic, setting, value));
        }
    }

    /** More partitions, while no stored state depends on their number. */
    record AddPartitions(String topic, int partitions) implements Fix {
        @Override
        public String text(KafkaTools tools) {
            return tools.command("kafka-topics.sh", "--alter --topic %s --partitions %d".formatted(topic, partitions));
        }
    }

    /** More replicas, which the operator has to place. */
    record AddReplicas(String topic) implements Fix {
        @Override
        public String text(KafkaTools tools) {
            return "name three brokers for each partition of %s in a file, and: %s"
                    .formatted(
                            topic,
                            tools.command("kafka-reassign-partitions.sh", "--reassignment-json-file FILE --execute"));
        }
    }

    /** A feature of the cluster. */
    record Upgrade(String before, String feature, int level) implements Fix {
        @Override
        public String text(KafkaTools tools) {
            return before + tools.command("kafka-features.sh", "upgrade --feature %s=%d".formatted(feature, level));
        }
    }

    /**
     * What somebody has to decide on.
     *
     * @param tool empty: there is none
     * @param command what follows the cluster; empty: the tool is Rollcall itself
     */
    record Decide(String text, String tool, String command) implements Fix {
        static Decide on(String text) {
            return new Decide(text, "", "");
        }

        @Override
        public String text(KafkaTools tools) {
            if (tool.isEmpty()) {
                return text;
            }
            return command.isEmpty()
                    ? "%s: %s --set bootstrap.servers=%s".formatted(text, tool, tools.bootstrapServers())
                    : "%s: %s".formatted(text, tools.command(tool, command));
        }
    }
}
