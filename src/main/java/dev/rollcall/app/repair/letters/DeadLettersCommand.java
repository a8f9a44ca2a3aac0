package dev.rollcall.app.repair.letters;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rollcall.app.operator.ExitCode;
import dev.rollcall.app.operator.Program;
import dev.rollcall.app.repair.Clients;
import dev.rollcall.app.repair.Output;
import dev.rollcall.domain.Rejection.Reason;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
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

/** Lists, shows and replays the records that were refused. */
@Command(
        name = "dead-letters",
        description = "Lists the records that were refused, shows one, or writes them again to where they came from.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Examples: dead-letters list --since PT1H --set bootstrap.servers=kafka:9092",
            "          dead-letters show 0:42 --set bootstrap.servers=kafka:9092",
            "          dead-letters replay --reason unknown_schema --dry-run --set bootstrap.servers=kafka:9092"
        },
        synopsisSubcommandLabel = "(list | show | replay)")
public final class DeadLettersCommand implements Runnable {
    private static final String SINCE =
            "Those since then: an instant as 2026-11-30T12:00:00Z, or how long ago, as PT1H30M.";
    private static final int SHOWN = 100;

    @ParentCommand
    private @Nullable Program program;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Override
    public void run() {
        throw refused("give what to do: list, show or replay");
    }

    @Command(
            description = "Prints one line for each, the oldest first.",
            footer = {"", "Example: dead-letters list --reason invalid_field --since PT1H"},
            mixinStandardHelpOptions = true)
    int list(
            @Option(names = "--reason", paramLabel = "REASON", description = "Of ${COMPLETION-CANDIDATES}.") @Nullable
                    Reason reason,
            @Option(names = "--since", paramLabel = "TIME", description = SINCE) @Nullable String since,
            @Option(names = "--limit", paramLabel = "N", description = "The last N, 100 without this.") @Nullable
                    Integer limit,
            @Option(names = "--json", description = "Prints one JSON object.") boolean json) {
        int most = limit == null ? SHOWN : limit;
        if (most < 1) {
            throw refused("--limit must be at least 1");
        }
        return Clients.with(program(), clients -> {
            Newest newest = new Newest(most);
            long[] count = {0};
            read(clients, reason, since, letter -> {
                count[0]++;
                newest.add(letter);
            });
            List<Letter> last = newest.inOrder();
            ObjectNode all = Output.object().put("found", count[0]).put("shown", last.size());
            ArrayNode letters = all.putArray("letters");
            last.forEach(letter -> letters.add(letter.summary()));
            List<String> lines = new ArrayList<>();
            last.forEach(letter -> lines.add(letter.line()));
            lines.add(
                    count[0] > last.size()
                            ? "the last %d of %d; --limit shows more".formatted(last.size(), count[0])
                            : "%d found".formatted(count[0]));
            new Output(spec, json).print(all, lines);
            return 0;
        });
    }

    @Command(
            description = "Prints one: its headers, its bytes, and what they say if they can be read.",
            footer = {"", "Example: dead-letters show 0:42"},
            mixinStandardHelpOptions = true)
    int show(
            @Parameters(paramLabel = "PARTITION:OFFSET", description = "As list prints it.") String place,
            @Option(names = "--json", description = "Prints one JSON object.") boolean json) {
        long[] at = place(place);
        return Clients.with(program(), clients -> {
            TopicPartition partition =
                    new TopicPartition(clients.topics().deadLetters().name(), (int) at[0]);
            @Nullable
            Letter letter = clients.scan()
                    .at(partition, at[1])
                    .map(record -> new Letter(record, clients.topics()))
                    .orElse(null);
            if (letter == null) {
                spec.commandLine()
                        .getErr()
                        .println("there is no dead letter %s: never was, or no longer".formatted(place));
                return ExitCode.USAGE;
            }
            new Output(spec, json).print(letter.details());
            return 0;
        });
    }

    @Command(
            description = {
                "Writes letters again to the topics that they came from, for when the reason is gone: a schema that is known now,"
                        + " a lower limit that was raised. Brokers stamp them anew; the header rollcall.rerouted-from-time has when they were"
                        + " first written, so that they undo nothing newer.",
                "Not replayed: heartbeats (an old one says of somebody who may have gone that they are here; the next one of a device"
                        + " that lives says the same), what would be refused again, what was cut, texts and flags of users who have a newer"
                        + " one, and what was replayed before."
            },
            footer = {"", "Example: dead-letters replay --reason unknown_schema --dry-run"},
            mixinStandardHelpOptions = true)
    int replay(
            @Parameters(
                            paramLabel = "PARTITION:OFFSET",
                            arity = "0..*",
                            description = "Which ones, as list prints them; else those of --reason and --since.")
                    @Nullable
                    List<String> places,
            @Option(names = "--reason", paramLabel = "REASON", description = "Of ${COMPLETION-CANDIDATES}.") @Nullable
                    Reason reason,
            @Option(names = "--since", paramLabel = "TIME", description = SINCE) @Nullable String since,
            @Option(names = "--all", description = "All of them.") boolean all,
            @Option(names = "--again", description = "Also those that were replayed before.") boolean again,
            @Option(names = "--dry-run", description = "Says what would be written, and writes nothing.")
                    boolean dryRun,
            @Option(names = "--json", description = "Prints one JSON object.") boolean json) {
        List<long[]> named =
                places == null ? List.of() : places.stream().map(this::place).toList();
        boolean isFiltered = reason != null || since != null;
        if ((named.isEmpty() && !isFiltered && !all) || (!named.isEmpty() && (isFiltered || all))) {
            throw refused("give which letters: PARTITION:OFFSET, or --reason and --since, or --all");
        }
        return Clients.with(program(), clients -> {
            List<Letter> letters = new ArrayList<>();
            read(clients, reason, since, letter -> {
                if (named.isEmpty() || named.stream().anyMatch(letter::isAt)) {
                    letters.add(letter);
                }
            });
            Replay replay = new Replay(clients, letters, again);
            List<ProducerRecord<byte[], byte[]>> records = replay.records();
            if (!dryRun) {
                clients.write(records);
            }
            ObjectNode told = Output.object().put("dry_run", dryRun).put("replayed", records.size());
            told.set("letters", replay.verdicts());
            List<String> lines = new ArrayList<>(replay.lines());
            lines.add(
                    "%d of %d %s".formatted(records.size(), letters.size(), dryRun ? "would be replayed" : "replayed"));
            new Output(spec, json).print(told, lines);
            return 0;
        });
    }

    private void read(Clients clients, @Nullable Reason reason, @Nullable String since, Consumer<Letter> each) {
        String topic = clients.topics().deadLetters().name();
        Consumer<Letter> ofReason = letter -> {
            if (reason == null || letter.isOf(reason)) {
                each.accept(letter);
            }
        };
        if (since == null) {
            clients.scan().all(topic, record -> ofReason.accept(new Letter(record, clients.topics())));
        } else {
            clients.scan()
                    .since(topic, instant(since), record -> ofReason.accept(new Letter(record, clients.topics())));
        }
    }

    private long instant(String text) {
        try {
            return text.startsWith("P") || text.startsWith("p")
                    ? System.currentTimeMillis() - Duration.parse(text).toMillis()
                    : Instant.parse(text).toEpochMilli();
        } catch (DateTimeParseException | ArithmeticException e) {
            throw refused("--since must be as 2026-11-30T12:00:00Z or PT1H30M: it is " + text);
        }
    }

    private long[] place(String text) {
        String[] parts = text.split(":", -1);
        try {
            return new long[] {Integer.parseInt(parts[0]), Long.parseLong(parts[1])};
        } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
            throw refused("a letter is PARTITION:OFFSET, as 0:42: it is " + text);
        }
    }

    private Program program() {
        return Objects.requireNonNull(program);
    }

    private ParameterException refused(String reason) {
        return new ParameterException(spec.commandLine(), reason);
    }
}
