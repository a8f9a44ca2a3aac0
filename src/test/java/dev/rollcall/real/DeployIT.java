package dev.rollcall.real;

import static dev.rollcall.domain.PresenceState.OFFLINE;
import static dev.rollcall.domain.PresenceState.ONLINE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.client.PresencePublisher;
import dev.rollcall.domain.UserId;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** All shards of a homeserver are deployed, one after the other, with 50 000 connections open. */
@Tag("load")
@Timeout(300)
@SuppressWarnings("try") // that it runs is all
class DeployIT {
    private static final int SHARDS = 5;
    private static final int OF_A_SHARD = 10_000;

    /** So many of each shard's clients do not come back. */
    private static final int GONE = 100;

    private static final long RESUME_MS = 10_000;

    @TempDir
    private Path directory;

    @Test
    void shouldPublishNothingOfThoseWhoComeBackAndTheEndOfThoseWhoDoNot() throws Exception {
        int port = RealContext.freePort();
        String servers = "localhost:" + port;
        Map<String, String> settings = RealContext.settings(
                directory, "embedded.kafka.port", String.valueOf(port), "shard.resume.ms", String.valueOf(RESUME_MS));
        List<PresencePublisher> shards = new ArrayList<>();
        try (RollcallProcess rollcall = RollcallProcess.ready(settings, directory.resolve("output.log"));
                RealContext context = new RealContext(servers)) {
            try {
                for (int shard = 0; shard < SHARDS; shard++) {
                    shards.add(started(shard, servers));
                    open(shards.get(shard), users(shard));
                }
                for (int shard = 0; shard < SHARDS; shard++) {
                    context.awaitState(users(shard), ONLINE);
                }

                long firstRestart = System.currentTimeMillis();
                for (int shard = 0; shard < SHARDS; shard++) {
                    shards.get(shard).handOver();
                    shards.set(shard, started(shard, servers));
                    open(shards.get(shard), users(shard).subList(GONE, OF_A_SHARD));
                }
                long lastRestart = System.currentTimeMillis();

                for (int shard = 0; shard < SHARDS; shard++) {
                    context.awaitState(users(shard).subList(0, GONE), OFFLINE);
                }
                assertThat(System.currentTimeMillis() - lastRestart)
                        .as("how long after the last restart nobody is a ghost any more, in ms")
                        .isLessThan(RESUME_MS + 10_000);
                for (int shard = 0; shard < SHARDS; shard++) {
                    assertThat(context.emitted(users(shard).get(0))
                                    .get(1)
                                    .presence()
                                    .since())
                            .as("when those who did not come back have gone: with the restart")
                            .isBetween(firstRestart, lastRestart);
                    for (String user : users(shard).subList(GONE, OF_A_SHARD)) {
                        assertThat(context.emitted(user)).as(user).hasSize(1);
                    }
                }
            } finally {
                shards.forEach(PresencePublisher::handOver);
            }
        }
    }

    private static List<String> users(int shard) {
        return RealContext.users("of-shard-" + shard, OF_A_SHARD);
    }

    private static PresencePublisher started(int shard, String servers) {
        return PresencePublisher.forShard("shard-" + shard).start(Map.of("bootstrap.servers", servers));
    }

    private static void open(PresencePublisher shard, List<String> users) {
        List<CompletableFuture<Void>> opened = new ArrayList<>();
        users.forEach(user -> opened.add(shard.opened(UserId.of(user), "socket")));
        CompletableFuture.allOf(opened.toArray(CompletableFuture[]::new)).join();
    }
}
