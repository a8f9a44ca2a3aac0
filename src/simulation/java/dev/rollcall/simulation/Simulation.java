package dev.rollcall.simulation;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Lets years of presence pass in minutes: see docs/simulation.md. */
public final class Simulation {
    private static final Set<String> FLAGS = Set.of("keep-going", "no-story", "everybody", "help");
    private static final Set<String> VALUES = Set.of(
            "seed",
            "seeds",
            "minutes",
            "total-years",
            "years",
            "users",
            "faults",
            "records",
            "variant",
            "report",
            "ignore",
            "shrink-seconds");
    private static final String USAGE = """
            Plays presence in virtual time, with everything going wrong that can, and judges it by docs/rules.md.
              --seed N          the first seed (1)
              --seeds K         how many (1)
              --minutes M       as many as it takes
              --total-years Y   as many as it takes
              --years Y         how long each lasts; drawn unless given
              --users U         how many users each has; drawn unless given
              --faults F        how many faults each has; drawn unless given
              --variant NAME    of a Rollcall that is broken on purpose, until it is found; all: of each
              --records N       lets each end in peace after so many records; else after the time that is drawn
              --keep-going      after a seed that is wrong, too
              --no-story        does not shrink nor tell it
              --everybody       tells of all users of the partition, not only of the one who is wrong
              --shrink-seconds  how long to look for a shorter story (60)
              --ignore TEXT     findings with this text do not count; several with a ; between them
              --report DIR      where the report goes (target/simulation)
            """;

    private Simulation() {}

    public static void main(String[] args) throws IOException {
        System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "off");
        System.setProperty("org.slf4j.simpleLogger.log.dev.rollcall", "off");
        Map<String, String> options = parse(args);
        if (options.containsKey("help")) {
            System.out.print(USAGE);
            return;
        }
        Path directory = Files.createDirectories(Path.of(options.getOrDefault("report", "target/simulation")));
        boolean isWrong;
        if (options.containsKey("variant")) {
            isWrong = !BrokenVariants.find(options, directory, System.out);
        } else {
            try (Build build = Build.with("same-each-time", List.of())) {
                Object[] result = build.play(options, System.out);
                Files.writeString(directory.resolve("report.txt"), (String) result[4]);
                Files.writeString(directory.resolve("report.json"), (String) result[5]);
                isWrong = (boolean) result[0];
            }
        }
        System.out.flush();
        if (isWrong) {
            throw new IllegalStateException("the simulation found something wrong, or a broken variant not: see above");
        }
    }

    private static Map<String, String> parse(String[] args) {
        Map<String, String> options = new TreeMap<>();
        List<String> left = new ArrayList<>(List.of(args));
        while (!left.isEmpty()) {
            String name = left.remove(0).replaceFirst("^--", "");
            if (FLAGS.contains(name)) {
                options.put(name, "");
            } else if (VALUES.contains(name) && !left.isEmpty()) {
                options.put(name, left.remove(0));
            } else {
                throw new IllegalArgumentException("no option --%s%n%s".formatted(name, USAGE));
            }
        }
        return options;
    }
}
