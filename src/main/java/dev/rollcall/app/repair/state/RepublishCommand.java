package dev.rollcall.app.repair.state;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rollcall.app.operator.Program;
import dev.rollcall.app.repair.Clients;
import dev.rollcall.app.repair.Output;
import dev.rollcall.config.ConfigException;
import dev.rollcall.domain.Presence;
import dev.rollcall.domain.UserId;
import dev.rollcall.domain.UserSnapshot;
import dev.rollcall.domain.UserSnapshot.Emitted;
import dev.rollcall.wire.Topic;
import dev.rollcall.wire.Topics;
import dev.rollcall.wire.stored.StoredSerialization;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** Writes what was last published of each user once more, for a topic that is new or was emptied. */
@Command(
        name = "republish",
        description = {
            "Writes what was last published of each user to topic.presence, from what is stored: for a topic that is new, or has"
                    + " lost records. Sequences go on. Users whose last record there is the same or a newer one are left out, so it"
                    + " can be run again.",
            "Needs all instances to be stopped, but for --dry-run and for another topic."
        },
        footer = {"", "Example: republish --dry-run --set bootstrap.servers=kafka:9092"},
        mixinStandardHelpOptions = true)
public final class RepublishCommand implements Callable<Integer> {
    /** So many are written at once. */
    private static final int BATCH = 50_000;

    @ParentCommand
    private @Nullable Program program;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Option(
            names = "--to",
            paramLabel = "TOPIC",
            description =
                    "Another topic, before it becomes topic.presence. Run it again when all instances are stopped.")
    private @Nullable String to;

    @Option(names = "--dry-run", description = "Counts, and writes nothing.")
    private boolean dryRun;

    @Option(names = "--json", description = "Prints one JSON object.")
    private boolean json;

    /** What was last published of a user. */
    private record Published(long at, Presence presence) {
        static @Nullable Published of(@Nullable UserSnapshot stored) {
            @Nullable Emitted emitted = stored == null ? null : stored.emitted();
            if (stored == null || emitted == null) {
                return null;
            }
            Long lastActive = stored.lastActive() == UserSnapshot.NEVER ? null : (Long) stored.lastActive();
            return new Published(
                    emitted.at(),
                    new Presence( // for who reads the topic this is the first, so that there is no state before
                            emitted.state(),
                            null,
                            stored.status().text(),
                            emitted.since(),
                            lastActive,
                            emitted.sequence()));
        }

        /** As its readers decide what is newer: the sequence begins again when a user was forgotten. */
        boolean isNewerThan(Presence other, long otherAt) {
            return presence.sequence() > other.sequence() || at > otherAt;
        }
    }

    private static final class Counts {
        private long stored;
        private long published;
        private long written;
    }

    @Override
    public Integer call() {
        return Clients.with(Objects.requireNonNull(program), clients -> {
            String topic = topic(clients);
            if (!dryRun && topic.equals(clients.config().topics().presence())) {
                clients.requireStopped("one that runs would publish at the same time");
            }
            if (clients.scan().find(topic).isEmpty()) {
                throw new ConfigException(
                        "there is no topic %s: create it first, compacted and with message.timestamp.type=CreateTime%s"
                                .formatted(topic, to == null ? " (rollcall topics create)" : ""));
            }
            Counts counts = new Counts();
            int partitions = clients.scan().partitions(clients.usersChangelog());
            for (int partition = 0; partition < partitions; partition++) {
                republish(clients, partition, partitions, topic, counts);
            }
            print(topic, counts);
            return 0;
        });
    }

    private String topic(Clients clients) {
        Topics topics = clients.topics();
        if (to == null) {
            return topics.presence().name();
        }
        List<String> others =
                new ArrayList<>(topics.inputs().stream().map(Topic::name).toList());
        others.addAll(List.of(
                topics.deadLetters().name(),
                topics.routing().name(),
                clients.usersChangelog(),
                clients.shardsChangelog()));
        if (to.isBlank() || others.contains(to)) {
            throw new ParameterException(spec.commandLine(), "--to must be a topic of its own: it is " + to);
        }
        return to;
    }

    private void republish(Clients clients, int partition, int partitions, String topic, Counts counts) {
        Map<UserId, Published> due = new HashMap<>();
        Set<UserId> stored = new HashSet<>();
        clients.scan().partition(clients.usersChangelog(), partition, record -> {
            UserId user = UserId.ofBytes(record.key());
            @Nullable
            UserSnapshot snapshot =
                    StoredSerialization.userSnapshots().deserializer().deserialize(record.topic(), record.value());
            @Nullable Published published = Published.of(snapshot);
            if (snapshot == null) {
                stored.remove(user);
            } else {
                stored.add(user);
            }
            if (published == null) {
                due.remove(user);
            } else {
                due.put(user, published);
            }
        });
        counts.stored += stored.size();
        counts.published += due.size();
        leaveOutWhatIsThere(clients, partition, partitions, topic, due);
        counts.written += due.size();
        if (!dryRun) {
            write(clients, topic, due);
        }
    }

    private static void leaveOutWhatIsThere(
            Clients clients, int partition, int partitions, String topic, Map<UserId, Published> due) {
        if (due.isEmpty()) {
            return;
        }
        Map<UserId, Published> all = Map.copyOf(due);
        Consumer<ConsumerRecord<byte[], byte[]>> compare = record -> {
            @Nullable UserId user = record.key() == null ? null : UserId.ofBytes(record.key());
            @Nullable Published published = user == null ? null : all.get(user);
            if (user == null || published == null) {
                return;
            }
            @Nullable
            Presence there = clients.topics().presence().values().deserializer().deserialize(topic, record.value());
            if (there == null || published.isNewerThan(there, record.timestamp())) {
                due.put(user, published); // the record that counts is the last one
            } else {
                due.remove(user);
            }
        };
        if (clients.scan().partitions(topic) == partitions) {
            clients.scan().partition(topic, partition, compare);
        } else {
            clients.scan().all(topic, compare);
        }
    }

    private static void write(Clients clients, String topic, Map<UserId, Published> due) {
        List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>();
        due.forEach((user, published) -> {
            records.add(new ProducerRecord<>(
                    topic,
                    null,
                    Math.max(0, published.at()),
                    user.bytes(),
                    clients.topics().presence().values().serializer().serialize(topic, published.presence()),
                    new RecordHeaders()));
            if (records.size() == BATCH) {
                clients.write(records);
                records.clear();
            }
        });
        clients.write(records);
    }

    private void print(String topic, Counts counts) {
        ObjectNode all = Output.object()
                .put("topic", topic)
                .put("dry_run", dryRun)
                .put("stored", counts.stored)
                .put("published", counts.published)
                .put("written", counts.written)
                .put("same_or_newer", counts.published - counts.written);
        new Output(spec, json)
                .print(
                        all,
                        List.of(
                                "%d users are stored, of %d something was published"
                                        .formatted(counts.stored, counts.published),
                                "%d have the same or a newer record on %s"
                                        .formatted(counts.published - counts.written, topic),
                                "%d %s".formatted(counts.written, dryRun ? "would be written" : "written")));
    }
}
