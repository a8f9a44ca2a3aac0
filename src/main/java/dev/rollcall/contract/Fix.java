package dev.rollcall.contract;

/** How a {@link Finding} is corrected. */
public sealed interface Fix {
    /** Tells the operator what to do, as a command if there is one. */
    String text(String bootstrapServers);

    /** A setting of a topic that can be changed at any time. */
    record Alter(String topic, String setting, String value) implements Fix {
        @Override
        public String text(String bootstrapServers) {
            return ("kafka-configs.sh --bootstrap-server %s --alter --entity-type topics --entity-name %s"
                            + " --add-config %s=%s")
                    .formatted(bootstrapServers, topic, setting, value);
        }
    }

    /** More partitions, while no stored state depends on their number. */
    record AddPartitions(String topic, int partitions) implements Fix {
        @Override
        public String text(String bootstrapServers) {
            return "kafka-topics.sh --bootstrap-server %s --alter --topic %s --partitions %d"
                    .formatted(bootstrapServers, topic, partitions);
        }
    }

    /** More replicas, which the operator has to place. */
    record AddReplicas(String topic) implements Fix {
        @Override
        public String text(String bootstrapServers) {
            return ("name three brokers for each partition of %s in a file, and:"
                            + " kafka-reassign-partitions.sh --bootstrap-server %s --reassignment-json-file FILE --execute")
                    .formatted(topic, bootstrapServers);
        }
    }

    /** A feature of the cluster. */
    record Upgrade(String before, String feature, int level) implements Fix {
        @Override
        public String text(String bootstrapServers) {
            return "%skafka-features.sh --bootstrap-server %s upgrade --feature %s=%d"
                    .formatted(before, bootstrapServers, feature, level);
        }
    }

    /**
     * What somebody has to decide on.
     *
     * @param tool empty: there is none
     * @param command what follows {@code --bootstrap-server HOSTS}; empty: the tool is Rollcall itself
     */
    record Decide(String text, String tool, String command) implements Fix {
        static Decide on(String text) {
            return new Decide(text, "", "");
        }

        @Override
        public String text(String bootstrapServers) {
            if (tool.isEmpty()) {
                return text;
            }
            return command.isEmpty()
                    ? "%s: %s --set bootstrap.servers=%s".formatted(text, tool, bootstrapServers)
                    : "%s: %s --bootstrap-server %s %s".formatted(text, tool, bootstrapServers, command);
        }
    }
}
