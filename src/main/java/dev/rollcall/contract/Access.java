package dev.rollcall.contract;

import static org.apache.kafka.common.acl.AclOperation.ALTER_CONFIGS;
import static org.apache.kafka.common.acl.AclOperation.CREATE;
import static org.apache.kafka.common.acl.AclOperation.DELETE;
import static org.apache.kafka.common.acl.AclOperation.DESCRIBE_CONFIGS;
import static org.apache.kafka.common.acl.AclOperation.READ;
import static org.apache.kafka.common.acl.AclOperation.WRITE;
import static org.apache.kafka.common.resource.PatternType.LITERAL;
import static org.apache.kafka.common.resource.PatternType.PREFIXED;
import static org.apache.kafka.common.resource.ResourceType.GROUP;
import static org.apache.kafka.common.resource.ResourceType.TOPIC;
import static org.apache.kafka.common.resource.ResourceType.TRANSACTIONAL_ID;

import dev.rollcall.config.RollcallConfig;
import dev.rollcall.topology.PresenceTopology;
import dev.rollcall.wire.TopicNames;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;

/** The least rights of each {@link Role}. READ and WRITE include DESCRIBE. */
public final class Access {
    static final String TOOL = "kafka-acls.sh";

    private final Map<ResourcePattern, Set<AclOperation>> rights = new LinkedHashMap<>();

    private Access() {}

    /**
     * What a role needs, by these settings.
     *
     * @param group the consumer group of a {@link Role#NOTIFIER} or {@link Role#ROUTING}
     */
    public static Access of(Role role, RollcallConfig config, String group) {
        Access access = new Access();
        TopicNames names = config.topics();
        switch (role) {
            case PROCESSOR -> {
                access.processor(config, names);
                if (config.http().port().isPresent()) {
                    access.edge(config, names);
                }
            }
            case EDGE -> access.edge(config, names);
            case SHARD -> access.inputs(names, WRITE);
            case NOTIFIER -> access.topic(names.presence(), READ).add(GROUP, LITERAL, group, READ);
            case REPAIR -> access.repair(config, names);
            case ROUTING -> access.topic(names.routing(), READ).add(GROUP, LITERAL, group, READ);
        }
        return access;
    }

    /** In the order in which they were asked for. */
    public Map<ResourcePattern, Set<AclOperation>> rights() {
        return rights;
    }

    /** What is needed to read or write a topic, as a clause: "Read and Write on the topic status". */
    public String onTopic(String topic) {
        String operations = rights.getOrDefault(new ResourcePattern(TOPIC, topic, LITERAL), Set.of()).stream()
                .filter(operation -> operation == READ || operation == WRITE)
                .map(Access::camelCase)
                .collect(Collectors.joining(" and "));
        return "%s on the topic %s".formatted(operations.isEmpty() ? "Describe" : operations, topic);
    }

    /** A command for each resource, which grants what is needed of it. */
    public List<String> granting(String principal, KafkaTools tools) {
        return commands("--add", principal, tools);
    }

    /** A command for each resource, which takes away what {@link #granting} grants. */
    public List<String> removing(String principal, KafkaTools tools) {
        return commands("--remove --force", principal, tools); // without it the tool asks each time
    }

    private List<String> commands(String action, String principal, KafkaTools tools) {
        return rights.entrySet().stream()
                .map(one -> tools.command(TOOL, action + " " + arguments(one.getKey(), one.getValue(), principal)))
                .toList();
    }

    /** What the tool is told of a right, beside whether to add it. */
    static String arguments(ResourcePattern resource, Set<AclOperation> operations, String principal) {
        return "--allow-principal %s %s %s--%s %s"
                .formatted(
                        principal,
                        operations.stream()
                                .map(operation -> "--operation " + camelCase(operation))
                                .collect(Collectors.joining(" ")),
                        resource.patternType() == PREFIXED ? "--resource-pattern-type prefixed " : "",
                        resource.resourceType().name().toLowerCase(Locale.ROOT).replace('_', '-'),
                        resource.name());
    }

    private static String camelCase(AclOperation operation) {
        return Arrays.stream(operation.name().split("_", -1))
                .map(word -> word.charAt(0) + word.substring(1).toLowerCase(Locale.ROOT))
                .collect(Collectors.joining());
    }

    private void processor(RollcallConfig config, TopicNames names) {
        String id = config.applicationId();
        inputs(names, READ, WRITE, DESCRIBE_CONFIGS); // writes clock ticks, and sends misrouted records on
        topic(names.presence(), WRITE, DESCRIBE_CONFIGS);
        topic(names.deadLetters(), WRITE, DESCRIBE_CONFIGS);
        if (config.rules().routing()) {
            topic(names.routing(), WRITE, DESCRIBE_CONFIGS);
        }
        for (String changelog : PresenceTopology.changelogs(id)) {
            topic(changelog, READ, WRITE, CREATE, DESCRIBE_CONFIGS, ALTER_CONFIGS);
        }
        add(GROUP, LITERAL, id, READ);
        add(GROUP, LITERAL, Checkpoint.group(id), READ);
        add(TRANSACTIONAL_ID, PREFIXED, id + "-", WRITE);
    }

    private void edge(RollcallConfig config, TopicNames names) {
        topic(names.presence(), READ);
        inputs(names, WRITE);
        topic(names.status(), READ); // a user's own text and flag are read where they are written
        topic(names.appearOffline(), READ);
        if (config.rules().routing()) {
            topic(names.routing(), READ);
        }
    }

    private void repair(RollcallConfig config, TopicNames names) {
        String id = config.applicationId();
        inputs(names, READ, DESCRIBE_CONFIGS);
        topic(names.status(), WRITE);
        topic(names.appearOffline(), WRITE);
        topic(names.presence(), READ, WRITE, DESCRIBE_CONFIGS);
        topic(names.deadLetters(), READ, DESCRIBE_CONFIGS);
        if (config.rules().routing()) {
            topic(names.routing(), READ, WRITE, DESCRIBE_CONFIGS);
        }
        for (String changelog : PresenceTopology.changelogs(id)) {
            topic(changelog, READ, WRITE, CREATE, DELETE, DESCRIBE_CONFIGS);
        }
        add(GROUP, LITERAL, id, READ); // to see that nobody runs, and to commit for who runs next
        add(GROUP, LITERAL, Checkpoint.group(id), READ);
        add(TRANSACTIONAL_ID, LITERAL, id + "-rebuild", WRITE);
    }

    private void inputs(TopicNames names, AclOperation... operations) {
        for (String input : List.of(names.deviceHeartbeat(), names.status(), names.appearOffline())) {
            topic(input, operations);
        }
    }

    private Access topic(String name, AclOperation... operations) {
        return add(TOPIC, LITERAL, name, operations);
    }

    private Access add(ResourceType type, PatternType pattern, String name, AclOperation... operations) {
        rights.computeIfAbsent(new ResourcePattern(type, name, pattern), any -> EnumSet.noneOf(AclOperation.class))
                .addAll(List.of(operations));
        return this;
    }
}
