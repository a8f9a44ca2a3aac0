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

    /** Those that hold connections in sessions; only they can do what follows. */
    List<String> holdingShards() {
        return IntStream.range(0, LoadGenerator.SHARDS)
                .filter(LoadGenerator::holdsConnections)
                .mapToObj(i -> "shard-" + i)
                .toList();
    }

    /** Begins another session, also where it has stopped; its devices come back one after the other. */
    void restart(String shard) {
        process.tell("restart " + shard);
    }

    /** The session before the last restart goes on writing for that long. */
    void zombie(String shard, Duration time) {
        process.tell("zombie %s %d".formatted(shard, time.toMillis()));
    }

    /** The shard's devices are opened by the other one from now on. */
    void move(String shard, String other) {
        process.tell("move %s %s".formatted(shard, other));
    }

    /** Ends the session in good order; its devices come back at the other shard. */
    void end(String shard, String other) {
        process.tell("end %s %s".formatted(shard, other));
    }

    void cutOff(String shard, int partition, Duration time) {
        process.tell("cut %s %d %d".formatted(shard, partition, time.toMillis()));
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
