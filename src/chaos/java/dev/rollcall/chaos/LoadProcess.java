package dev.rollcall.chaos;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** The process of the simulated shards, as the campaign sees it. */
final class LoadProcess implements AutoCloseable {
    private final Child process;
    private final List<String> shards = new ArrayList<>(
            IntStream.range(0, LoadGenerator.SHARDS).mapToObj(i -> "shard-" + i).toList());

    LoadProcess(Path directory, String bootstrapServers, int users, long seed, boolean plain)
            throws InterruptedException {
        process = Child.start(
                "shards",
                directory.resolve("shards.log"),
                512,
                Map.of(),
                List.of(),
                LoadGenerator.class,
                List.of(bootstrapServers, String.valueOf(users), String.valueOf(seed), String.valueOf(plain)));
        process.awaitPrinted(LoadGenerator.RUNNING, Duration.ofMinutes(1));
    }

    /** By their first names: one whose devices came back elsewhere still answers to it. */
    List<String> shards() {
        return shards;
    }

    boolean isAlive() {
        return process.isAlive();
    }

    void silence(String shard, Duration time) {
        process.tell("silence %s %d".formatted(shard, time.toMillis()));
    }

    /** All users but one on the sparse partition fall silent for that long. */
    void leave(Duration time) {
        process.tell("leave %d".formatted(time.toMillis()));
    }

    void stop(String shard) {
        process.tell("stop " + shard);
    }

    /** The devices of a shard that was stopped come back at a new one. */
    void adopt(String shard) {
        process.tell("adopt " + shard);
    }

    /** Ends the load, and waits until all that was sent is acknowledged; returns how many records those were. */
    String quiesce() throws InterruptedException {
        process.tell("quiesce");
        process.awaitPrinted(LoadGenerator.QUIESCED, Duration.ofSeconds(150));
        String printed = process.printed();
        return printed.substring(printed.lastIndexOf(LoadGenerator.QUIESCED) + LoadGenerator.QUIESCED.length())
                .strip();
    }

    @Override
    public void close() {
        process.kill();
    }
}
