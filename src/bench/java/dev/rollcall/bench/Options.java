package dev.rollcall.bench;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What can be emitted on the command line, for whichever scenario understands it. */
final class Options {
    @Option(names = "--users", description = "How many users (default: the scenario's own).")
    @Nullable
    Integer users;

    @Option(names = "--rounds", description = "How many measured rounds (default: ${DEFAULT-VALUE}).")
    int rounds = 5;

    @Option(
            names = "--records",
            description =
                    "How many heartbeats are measured per round (default: the scenario's own, 6000000 for steady).")
    @Nullable
    Long records;

    @Option(
            names = "--contestants",
            split = ",",
            paramLabel = "NAME",
            description = "Only these contestants, for example noop,rollcall.")
    List<String> contestants = new ArrayList<>();

    @Option(
            names = "--before",
            paramLabel = "CLASSES",
            description =
                    "The class path of an earlier version, its benchmark included, which then runs as the contestant before.")
    @Nullable
    String before;

    @Option(
            names = "--jfr",
            paramLabel = "FILE",
            description =
                    "Writes flight recordings of the measured time of rollcall's rounds, and of those before: FILE with whose and the round's number.")
    @Nullable
    Path recording;

    @Option(
            names = "--worker-arg",
            paramLabel = "ARG",
            description = "An argument for the JVMs that the contestants run in; may be repeated (default: -Xmx2g).")
    List<String> workerArguments = new ArrayList<>();

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description =
                    "Sets a key of config/rollcall.properties; kafka.* holds for all contestants on Kafka Streams. May be repeated.")
    Map<String, String> settings = new LinkedHashMap<>();

    @Option(
            names = "--directory",
            paramLabel = "DIR",
            description =
                    "Where results go; the broker's and the contestants' data under it is deleted (default: target/bench).")
    Path directory = Path.of("target", "bench");

    int users(int byDefault) {
        return users == null ? byDefault : users;
    }

    long records(long byDefault) {
        return records == null ? byDefault : records;
    }

    /** For data that is deleted again. */
    Path workDirectory() {
        return directory.resolve("work");
    }

    List<String> jvmArguments() {
        return workerArguments.isEmpty() ? List.of("-Xmx2g") : workerArguments;
    }

    /** Those of the scenario's that were asked for, and with Rollcall its earlier version, if there is one. */
    List<Contestant> contestants(Contestant... all) {
        List<Contestant> chosen = chosen(all);
        return before == null || !chosen.contains(Contestant.ROLLCALL)
                ? chosen
                : Stream.concat(chosen.stream(), Stream.of(Contestant.BEFORE)).toList();
    }

    private List<Contestant> chosen(Contestant... all) {
        if (contestants.isEmpty()) {
            return Arrays.stream(all)
                    .filter(one -> !Contestant.RIVALS.contains(one) || Rivals.arePresent())
                    .toList();
        }
        List<Contestant> known = List.of(all);
        return contestants.stream()
                .map(Contestant::ofId)
                .peek(contestant -> {
                    if (!known.contains(contestant)) {
                        throw new IllegalArgumentException(
                                "%s does not run in this scenario".formatted(contestant.id()));
                    }
                    if (Contestant.RIVALS.contains(contestant)) {
                        Rivals.requirePresent(contestant);
                    }
                })
                .toList();
    }
}
