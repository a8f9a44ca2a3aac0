package dev.rollcall.chaos;

import dev.rollcall.chaos.network.Network;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;

/** The Rollcall processors, each a process with a directory of its own. */
final class Processors implements AutoCloseable {
    static final String APPLICATION_ID = "rollcall";

    private static final Duration READY_WITHIN = Duration.ofMinutes(2);
    private static final int HEAP_MB = 320;

    private final Path directory;
    private final String bootstrapServers;
    private final Map<String, String> settings;
    private final List<Path> classes;
    private final Clocks clocks;
    private final Network network;
    private final SortedMap<String, Child> processes = new TreeMap<>();
    private int starts;

    /**
     * Starts none yet.
     *
     * @param overrides Rollcall's keys, over the campaign's
     * @param classes directories in front of the class path; none: Rollcall as it is
     */
    Processors(
            Path directory,
            String bootstrapServers,
            Map<String, String> overrides,
            List<Path> classes,
            Clocks clocks,
            Network network) {
        this.directory = directory;
        this.bootstrapServers = bootstrapServers;
        this.settings = new HashMap<>(Timing.processor());
        this.settings.putAll(overrides);
        this.classes = classes;
        this.clocks = clocks;
        this.network = network;
    }

    /** Those that were started and were not taken away, in order of their names. */
    List<String> names() {
        return List.copyOf(processes.keySet());
    }

    Child process(String name) {
        Child process = processes.get(name);
        if (process == null) {
            throw new IllegalStateException("no processor " + name);
        }
        return process;
    }

    /** Starts a process on the directory of this name, new or not; returns at once. */
    Child start(String name) {
        Map<String, String> all = new TreeMap<>(settings);
        all.put("bootstrap.servers", bootstrapServers);
        all.put("application.id", APPLICATION_ID);
        all.put("data.dir", dataDirectory(name).toString());
        List<String> arguments = new ArrayList<>();
        all.forEach((key, value) -> arguments.addAll(List.of("--set", key + "=" + value)));
        starts++;
        Child process = Child.start(
                "processor " + name,
                network.enter(node(name)),
                directory.resolve("%s-%d.log".formatted(name, starts)),
                HEAP_MB,
                clocks.environment(node(name)),
                classes,
                ProcessorNode.class,
                arguments);
        processes.put(name, process);
        return process;
    }

    /** The name of the node, and of the clock, that it has for itself. */
    static String node(String processor) {
        return "processor-" + processor;
    }

    void awaitReady(String name) throws InterruptedException {
        process(name).awaitPrinted("Rollcall is ready", READY_WITHIN);
    }

    /** Forgets one that has ended. */
    void takeAway(String name) {
        processes.remove(name);
    }

    Path dataDirectory(String name) {
        return directory.resolve(name);
    }

    /** Everything that it kept on its disk is gone. */
    void wipe(String name) {
        deleteAll(dataDirectory(name));
    }

    static void deleteAll(Path directory) {
        if (!Files.exists(directory)) {
            return;
        }
        try (Stream<Path> all = Files.walk(directory)) {
            for (Path path : all.sorted((one, other) -> other.compareTo(one)).toList()) {
                Files.delete(path);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        processes.values().forEach(Child::kill);
    }
}
