package dev.rollcall.app.repair.user;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rollcall.app.operator.Program;
import dev.rollcall.app.repair.Clients;
import dev.rollcall.app.repair.Output;
import dev.rollcall.config.ConfigException;
import dev.rollcall.domain.UserId;
import dev.rollcall.wire.Topics;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** Erases a user, as far as the processor does not do it. */
@Command(
        name = "forget",
        description = {
            "Erases a user whose account is gone: clears the text and the flag, while Rollcall runs. The processor does the rest"
                    + " when the user's devices have ended and user.retention.ms is over: presence and what is stored.",
            "--now does that rest at once. It needs all instances to be stopped after they have read what this command wrote.",
            "--verify says what still holds the user's id, and until when. It then ends with 1."
        },
        footer = {
            "",
            "Examples: forget @alice:example.org --dry-run --set bootstrap.servers=kafka:9092",
            "          forget @alice:example.org --verify --set bootstrap.servers=kafka:9092"
        },
        mixinStandardHelpOptions = true)
public final class ForgetCommand implements Callable<Integer> {
    private static final int HELD = 1;

    @ParentCommand
    private @Nullable Program program;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Parameters(paramLabel = "USER", description = "The user id.")
    private String user = "";

    @Option(names = "--now", description = "Erases presence and what is stored as well; all instances are stopped.")
    private boolean now;

    @Option(names = "--verify", description = "Reads all topics, and writes nothing.")
    private boolean verify;

    @Option(names = "--dry-run", description = "Says what would be written, and writes nothing.")
    private boolean dryRun;

    @Option(names = "--json", description = "Prints one JSON object.")
    private boolean json;

    @Override
    public Integer call() {
        UserId id = Output.user(spec, user);
        if (verify && (now || dryRun)) {
            throw new ParameterException(spec.commandLine(), "--verify writes nothing: leave out --now and --dry-run");
        }
        return Clients.with(
                Objects.requireNonNull(program), clients -> verify ? verify(clients, id) : forget(clients, id));
    }

    private int verify(Clients clients, UserId id) {
        Traces traces = Traces.read(clients, id, Traces.topics(clients));
        ObjectNode all = Output.object().put("user", id.toString()).put("held", !traces.isEmpty());
        all.set("traces", traces.json());
        List<String> lines = new ArrayList<>(traces.lines());
        lines.add(
                traces.isEmpty()
                        ? "no topic holds the id; state directories of instances may until RocksDB compacts its files"
                        : "the id is still held");
        new Output(spec, json).print(all, lines);
        return traces.isEmpty() ? 0 : HELD;
    }

    private int forget(Clients clients, UserId id) {
        Topics topics = clients.topics();
        List<String> inputs =
                List.of(topics.statuses().name(), topics.appearOffline().name());
        List<String> rest = new ArrayList<>(
                List.of(clients.usersChangelog(), topics.presence().name()));
        if (clients.config().rules().routing()) {
            rest.add(topics.routing().name());
        }
        if (now) {
            if (!dryRun) {
                clients.requireStopped("one that runs has the user in memory, and would store it again");
            }
            requireRead(clients, id, inputs);
        }
        // A record that was misrouted stays in its partition, so that is where the tombstone has to be.
        List<TopicPartition> values =
                Traces.read(clients, id, now ? rest : inputs).withValues();
        List<ProducerRecord<byte[], byte[]>> tombstones = values.stream()
                .map(at -> new ProducerRecord<>(at.topic(), at.partition(), id.bytes(), (byte[]) null))
                .toList();
        if (!dryRun) {
            clients.write(tombstones);
        }
        print(clients, id, values);
        return 0;
    }

    /** What was written to clear the text and the flag has to have taken effect: read later, it would be stored once more. */
    private static void requireRead(Clients clients, UserId id, List<String> inputs) {
        Map<TopicPartition, Long> offsets = clients.offsets();
        Traces traces = Traces.read(clients, id, inputs);
        boolean isRead = traces.lastOffsets().entrySet().stream()
                .allMatch(one -> one.getValue() < offsets.getOrDefault(one.getKey(), 0L));
        if (!traces.withValues().isEmpty() || !isRead) {
            throw new ConfigException(
                    "there is a text or a flag of the user, or one that was cleared and not read yet: start an instance, run"
                            + " this without --now, and stop the instance some seconds later");
        }
    }

    private void print(Clients clients, UserId id, List<TopicPartition> values) {
        ObjectNode all = Output.object().put("user", id.toString()).put("dry_run", dryRun);
        ArrayNode written = all.putArray("tombstones");
        List<String> lines = new ArrayList<>();
        values.forEach(at -> {
            written.add(at.toString());
            lines.add((dryRun ? "would write a tombstone to " : "tombstone written to ") + at);
        });
        if (values.isEmpty()) {
            lines.add("there is nothing to clear");
        }
        ArrayNode left = all.putArray("left");
        for (String line : left(clients)) {
            left.add(line);
            lines.add(line);
        }
        new Output(spec, json).print(all, lines);
    }

    /** What this command cannot do, and who does it when. */
    private List<String> left(Clients clients) {
        Topics topics = clients.topics();
        List<String> left = new ArrayList<>();
        if (!now) {
            left.add("%s and %s: by the processor, %d ms (user.retention.ms) after the user's last device has ended"
                    .formatted(
                            topics.presence().name(),
                            clients.usersChangelog(),
                            clients.config().rules().retentionMs()));
        }
        left.add(Traces.retention(clients, topics.heartbeats().name()));
        left.add(Traces.retention(clients, topics.deadLetters().name()));
        left.add("a heartbeat of a device that lives brings the user back: end its devices");
        return left;
    }
}
