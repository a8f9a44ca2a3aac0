package dev.rollcall.app.repair.state;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rollcall.admin.ClusterException;
import dev.rollcall.admin.TopicSetup;
import dev.rollcall.app.operator.Program;
import dev.rollcall.app.repair.Clients;
import dev.rollcall.app.repair.Output;
import dev.rollcall.config.ConfigException;
import dev.rollcall.domain.Limits;
import dev.rollcall.partition.RebuildCounts;
import dev.rollcall.topology.OutputLimits;
import dev.rollcall.topology.PresenceTopology;
import dev.rollcall.wire.Topic;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.TopicConfig;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** Makes what is stored of the users anew, when it is lost. */
@Command(
        name = "rebuild",
        description = {
            "Makes what is stored of the users anew, when the changelog is lost: from presence, the texts and flags, and the"
                    + " heartbeats that are kept. Sequences go on, hidden users stay hidden, and only what has changed is published.",
            "Who was published as online, and of whom no heartbeat is left, stays so for --hold-ms.",
            "Needs all instances to be stopped. What they have on disk is deleted when they start."
        },
        footer = {"", "Example: rebuild --dry-run --set bootstrap.servers=kafka:9092"},
        mixinStandardHelpOptions = true,
        showDefaultValues = true)
public final class RebuildCommand implements Callable<Integer> {
    /** A partition is one transaction; brokers allow 15 minutes by default. */
    private static final Duration TRANSACTION_TIMEOUT = Duration.ofMinutes(15);

    private static final Duration PAUSE = Duration.ofMillis(100);
    private static final int PAUSES = 600;

    @ParentCommand
    private @Nullable Program program;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Option(
            names = "--hold-ms",
            paramLabel = "MS",
            description =
                    "For how long users of whom no heartbeat is left stay as they were published, counted from the last record"
                            + " that there is: until instances run again, and shards have opened again what they hold.")
    private long holdMs = 300_000;

    @Option(names = "--discard", description = "Deletes what the changelogs still have.")
    private boolean discard;

    @Option(names = "--dry-run", description = "Counts, and writes nothing.")
    private boolean dryRun;

    @Option(names = "--json", description = "Prints one JSON object.")
    private boolean json;

    @Override
    public Integer call() {
        if (holdMs < 1 || holdMs > Limits.MAX_LEASE_MS) {
            throw new ParameterException(spec.commandLine(), "--hold-ms must be 1 to " + Limits.MAX_LEASE_MS);
        }
        return Clients.with(Objects.requireNonNull(program), this::rebuild);
    }

    private int rebuild(Clients clients) {
        if (!dryRun) {
            clients.requireStopped("one that runs has what is stored in memory");
        }
        int partitions = partitions(clients);
        Map<TopicPartition, Long> committed = clients.offsets();
        makeChangelogs(clients, partitions);
        PartitionSource source = new PartitionSource(clients, partitions, committed, holdMs);
        @Nullable RebuildWriter writer = dryRun ? null : writer(clients);
        RebuildCounts counts = RebuildCounts.NONE;
        for (int partition = 0; partition < partitions; partition++) {
            counts = counts.plus(source.read(partition, writer));
        }
        if (!dryRun) {
            new TopicSetup(clients.admin(), clients.config(), clients.bootstrapServers()).acceptState();
        }
        print(counts, source);
        return 0;
    }

    private static int partitions(Clients clients) {
        List<String> inputs =
                clients.topics().inputs().stream().map(Topic::name).toList();
        int partitions = clients.scan().partitions(inputs.get(0));
        for (String input : inputs) {
            if (clients.scan().partitions(input) != partitions) {
                throw new ConfigException("the inputs %s must have the same number of partitions".formatted(inputs));
            }
        }
        int unused = clients.scan().partitions(clients.topics().presence().name()); // has to be there, may be empty
        return partitions;
    }

    /** Makes the changelogs, as Kafka Streams does, where there are none; before it changes anything it looks at both. */
    private void makeChangelogs(Clients clients, int partitions) {
        List<String> all = PresenceTopology.changelogs(clients.config().applicationId());
        List<String> left = all.stream()
                .filter(changelog -> isLeft(clients, changelog, partitions))
                .toList();
        if (!left.isEmpty() && !discard) {
            throw new ConfigException(
                    "%s still has records, or another number of partitions than the inputs (%d). What is stored of users and of shards belongs together: where one of %s is lost, --discard deletes the rest of the other and makes both anew"
                            .formatted(String.join(" and ", left), partitions, String.join(" and ", all)));
        }
        if (dryRun) {
            return;
        }
        for (String changelog : all) {
            if (left.contains(changelog)) {
                clients.await(clients.admin().deleteTopics(List.of(changelog)).all());
                awaitThat(clients, changelog, false);
            }
            if (!clients.exists(changelog)) {
                create(clients, changelog, partitions);
            }
        }
    }

    private static boolean isLeft(Clients clients, String changelog, int partitions) {
        long count = clients.scan().find(changelog).orElse(0);
        return count > 0 && (count != partitions || clients.scan().hasRecords(changelog));
    }

    private static void create(Clients clients, String changelog, int partitions) {
        Map<String, String> settings = new HashMap<>(OutputLimits.ANY_TIMESTAMP);
        settings.put(TopicConfig.CLEANUP_POLICY_CONFIG, TopicConfig.CLEANUP_POLICY_COMPACT);
        settings.put(TopicConfig.MESSAGE_TIMESTAMP_TYPE_CONFIG, "CreateTime");
        NewTopic topic = new NewTopic(changelog, partitions, clients.config().topicReplicationFactor());
        clients.await(
                clients.admin().createTopics(List.of(topic.configs(settings))).all());
        awaitThat(clients, changelog, true);
    }

    /** Waits until the broker that is asked knows of it. */
    private static void awaitThat(Clients clients, String topic, boolean exists) {
        for (int i = 0; clients.exists(topic) != exists; i++) {
            if (i == PAUSES) {
                throw new ClusterException("the brokers %s %s for %d s: try again"
                        .formatted(
                                exists ? "do not know of" : "have not deleted",
                                topic,
                                PAUSE.multipliedBy(PAUSES).toSeconds()));
            }
            LockSupport.parkNanos(PAUSE.toNanos());
        }
    }

    private RebuildWriter writer(Clients clients) {
        KafkaProducer<byte[], byte[]> producer = clients.producer(Map.of(
                ProducerConfig.TRANSACTIONAL_ID_CONFIG,
                clients.config().applicationId() + "-rebuild",
                ProducerConfig.TRANSACTION_TIMEOUT_CONFIG,
                (int) TRANSACTION_TIMEOUT.toMillis()));
        producer.initTransactions();
        return new RebuildWriter(clients, producer);
    }

    private void print(RebuildCounts counts, PartitionSource source) {
        ObjectNode all = Output.object()
                .put("dry_run", dryRun)
                .put("heartbeats_read", source.heartbeats())
                .put("users", counts.users())
                .put("with_devices", counts.withDevices())
                .put("hidden", counts.hidden())
                .put("with_text", counts.withText())
                .put("devices_unknown", counts.held())
                .put("states_unknown", counts.guessed())
                .put("changed", counts.changed());
        new Output(spec, json)
                .print(
                        all,
                        List.of(
                                "%d heartbeats read%s"
                                        .formatted(
                                                source.heartbeats(),
                                                source.isWhole() ? "" : ", earlier ones are deleted"),
                                "%d users: %d with devices, %d hidden, %d with a text"
                                        .formatted(
                                                counts.users(),
                                                counts.withDevices(),
                                                counts.hidden(),
                                                counts.withText()),
                                "%d were published as online or idle, and no heartbeat says by which device: they stay so until the hold is over"
                                        .formatted(counts.held()),
                                "%d have a device whose state is from before the heartbeats that are kept: it is taken for the published one"
                                        .formatted(counts.guessed()),
                                "%d %s, as they have changed"
                                        .formatted(counts.changed(), dryRun ? "would be published" : "published"),
                                dryRun ? "nothing was written" : "rebuilt: start the instances"));
    }
}
