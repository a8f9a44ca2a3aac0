package dev.rollcall.real;

import static dev.rollcall.domain.PresenceState.OFFLINE;
import static dev.rollcall.domain.PresenceState.ONLINE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.app.Rollcall;
import dev.rollcall.client.PresencePublisher;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.domain.UserId;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** Publishers' sessions, and what a whole Rollcall makes of them (rule 14). */
@Timeout(120)
@Execution(ExecutionMode.CONCURRENT)
@SuppressWarnings("FutureReturnValueIgnored") // what is published says more
class SessionsIT {
    private static final long LEASE_MS = 2_000;

    @TempDir
    static Path dataDir;

    private static Rollcall rollcall;
    private static RealContext context;

    @BeforeAll
    static void start() throws Exception {
        rollcall = Rollcall.start(RollcallConfig.of(RealContext.settings(
                dataDir,
                "device.lease.ms",
                String.valueOf(LEASE_MS),
                "disconnect.grace.ms",
                "1000",
                "shard.hold.ms",
                "30000",
                "pulse.interval.ms",
                "250")));
        rollcall.awaitReady();
        context = new RealContext(rollcall.bootstrapServers());
    }

    @AfterAll
    static void stop() {
        context.close();
        rollcall.close();
    }

    @Test
    void shouldStayOnlineWithoutAHeartbeatOfItsOwnUntilItsConnectionCloses() throws Exception {
        try (PresencePublisher publisher = publisher("staying")) {
            publisher.opened(UserId.of("@staying:example.org"), "phone");
            context.awaitState(List.of("@staying:example.org"), ONLINE);
            RealContext.sleep(Duration.ofMillis(4 * LEASE_MS));
            assertThat(context.emitted("@staying:example.org")).hasSize(1);

            publisher.closed(UserId.of("@staying:example.org"), "phone");
            context.awaitState(List.of("@staying:example.org"), OFFLINE);
        }
    }

    @Test
    void shouldExpireWithItsLeaseWhenItOnlyPolls() throws Exception {
        try (PresencePublisher publisher = publisher("polls")) {
            publisher.polled(UserId.of("@polls:example.org"), "phone");
            context.awaitState(List.of("@polls:example.org"), ONLINE);
            context.awaitState(List.of("@polls:example.org"), OFFLINE);
        }
    }

    @Test
    void shouldTakeNobodyOfflineWhenTheShardHandsOverAndIsBackSoonerThanTheHoldEnds() throws Exception {
        List<String> users = RealContext.users("restarted", 200);
        PresencePublisher first = publisher("restarted");
        users.forEach(user -> first.opened(UserId.of(user), "phone"));
        context.awaitState(users, ONLINE);

        first.handOver();
        RealContext.sleep(Duration.ofMillis(3 * LEASE_MS));
        try (PresencePublisher second = publisher("restarted")) {
            users.subList(1, 200).forEach(user -> second.opened(UserId.of(user), "phone"));

            context.awaitState(users.subList(0, 1), OFFLINE); // it did not come back
            assertThat(context.everOffline(users.subList(1, 200))).isEmpty();
        }
    }

    @Test
    void shouldTakeAllOfflineWhoAreNotOpenedElsewhereWhenTheShardGoesForGood() throws Exception {
        List<String> users = RealContext.users("gone", 20);
        PresencePublisher going = publisher("going");
        users.forEach(user -> going.opened(UserId.of(user), "phone"));
        context.awaitState(users, ONLINE);
        try (PresencePublisher other = publisher("taking-over")) {
            going.close();
            users.subList(0, 10).forEach(user -> other.opened(UserId.of(user), "phone"));

            context.awaitState(users.subList(10, 20), OFFLINE);
            assertThat(context.everOffline(users.subList(0, 10))).isEmpty();
        }
    }

    private static PresencePublisher publisher(String shard) throws Exception {
        PresencePublisher publisher = PresencePublisher.forShard(shard)
                .lease(Duration.ofMillis(LEASE_MS))
                .start(Map.of("bootstrap.servers", rollcall.bootstrapServers()));
        publisher.appearOffline(UserId.of("@nobody:example.org"), false).get(20, TimeUnit.SECONDS);
        return publisher;
    }
}
