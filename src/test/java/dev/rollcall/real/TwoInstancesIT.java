package dev.rollcall.real;

import static dev.rollcall.domain.PresenceState.IDLE;
import static dev.rollcall.domain.PresenceState.OFFLINE;
import static dev.rollcall.domain.PresenceState.ONLINE;
import static dev.rollcall.real.RealContext.await;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.app.Rollcall;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.embedded.EmbeddedBroker;
import dev.rollcall.real.RealContext.Beating;
import dev.rollcall.real.RealContext.Emitted;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Two processors share the partitions of one cluster, and one of them goes while there is much to do. */
@Execution(ExecutionMode.CONCURRENT)
@Timeout(180)
class TwoInstancesIT {
    private static final Duration LEASE = Duration.ofSeconds(4);

    /** A member that says nothing for so long is gone. Longer than the lease, so that this is not what saves anybody. */
    private static final String SESSION_TIMEOUT_MS = "6000";

    /** How long it may take until the one that is left has everything: well within a session. */
    private static final Duration TAKEN_OVER_WITHIN = Duration.ofSeconds(15);

    @TempDir
    private Path dataDir;

    private EmbeddedBroker broker;
    private RealContext context;

    @BeforeEach
    void startBroker() {
        broker = EmbeddedBroker.start(dataDir.resolve("broker"), 0);
    }

    @AfterEach
    void stop() {
        if (context != null) {
            context.close();
        }
        broker.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"classic", "streams"})
    void shouldLoseNothingWhenOneOfTwoLeaves(String protocol) throws Exception {
        // The session is the default one here, 45 s: whoever leaves has to say so.
        Map<String, String> more = Map.of("kafka.group.protocol", protocol);
        try (Rollcall staying = Rollcall.start(RollcallConfig.of(settings("staying", more)))) {
            staying.awaitReady();
            Rollcall leaving = Rollcall.start(RollcallConfig.of(settings("leaving", more)));
            try (leaving) {
                leaving.awaitReady();
                shouldLoseNothing(protocol, leaving::close);
            }
        }
    }

    @Test
    void shouldLoseNothingWhenOneOfTwoIsKilled() throws Exception {
        Map<String, String> more = Map.of("kafka.session.timeout.ms", SESSION_TIMEOUT_MS);
        try (Rollcall staying = Rollcall.start(RollcallConfig.of(settings("staying", more)))) {
            staying.awaitReady();
            RollcallProcess killed = RollcallProcess.ready(settings("killed", more), dataDir.resolve("killed.log"));
            try (killed) {
                shouldLoseNothing("classic", killed::close);
            }
        }
    }

    private void shouldLoseNothing(String protocol, Runnable leave) throws Exception {
        List<String> living = RealContext.users("living", 200);
        List<String> silent = RealContext.users("silent", 50);
        List<String> changing = RealContext.users("changing", 20);
        List<String> beatingUsers = new ArrayList<>(living);
        beatingUsers.addAll(silent);
        beatingUsers.addAll(changing);
        context = new RealContext(broker.bootstrapServers());
        Beating beating = context.keepBeating(beatingUsers, Duration.ofMillis(200));
        context.awaitState(beatingUsers, ONLINE);
        awaitTasks(protocol, 2);

        List<PresenceState> changes = new ArrayList<>(List.of(ONLINE));
        change(changing, changes, Duration.ofSeconds(1));
        beating.silence(silent);
        long left = System.currentTimeMillis();
        Thread leaver = new Thread(leave, "leaver");
        leaver.start();
        change(changing, changes, Duration.ofSeconds(3));
        leaver.join();
        long gone = System.currentTimeMillis();
        change(changing, changes, Duration.ofSeconds(4));
        awaitTasks(protocol, 1);
        change(changing, changes, Duration.ofSeconds(1));

        context.awaitState(silent, OFFLINE);
        assertThat(context.everOffline(living)).as("flapped").isEmpty();
        assertThat(living).allSatisfy(user -> assertThat(context.emitted(user)).hasSize(1));
        assertThat(silent).allSatisfy(user -> {
            Emitted offline = context.awaitEmitted(user, 2);
            assertThat(offline.presence().since())
                    .isBetween(left - 1_000 + LEASE.toMillis(), gone + TAKEN_OVER_WITHIN.toMillis() + LEASE.toMillis());
        });
        await().untilAsserted(() -> assertThat(changing)
                .allSatisfy(user -> assertThat(context.emitted(user)).hasSizeGreaterThanOrEqualTo(changes.size())));
        assertThat(changing)
                .allSatisfy(user -> assertThat(context.emitted(user))
                        .extracting(Emitted::state)
                        .containsExactlyElementsOf(changes));
        context.assertHistoriesAreWhole();
    }

    /** Each of these goes back and forth between ONLINE and IDLE; notes what has to be emitted of each. */
    private void change(List<String> users, List<PresenceState> changes, Duration time) throws InterruptedException {
        long end = System.nanoTime() + time.toNanos();
        do {
            PresenceState state = changes.size() % 2 == 0 ? ONLINE : IDLE;
            changes.add(state);
            context.heartbeats(users, state);
            RealContext.sleep(Duration.ofMillis(100));
        } while (System.nanoTime() < end);
    }

    /** Waits until so many members share all partitions. */
    private void awaitTasks(String protocol, int members) {
        try (Admin admin = context.admin()) {
            await().atMost(members == 1 ? TAKEN_OVER_WITHIN : RealContext.TIMEOUT)
                    .pollInterval(Duration.ofMillis(100))
                    .untilAsserted(() -> {
                        Map<String, Integer> tasks =
                                protocol.equals("classic") ? consumerTasks(admin) : streamsTasks(admin);
                        assertThat(tasks.values())
                                .as("tasks by member: %s", tasks)
                                .hasSize(members)
                                .allSatisfy(count -> assertThat(count).isPositive());
                        assertThat(tasks.values().stream()
                                        .mapToInt(count -> count)
                                        .sum())
                                .as("tasks by member: %s", tasks)
                                .isEqualTo(RealContext.PARTITIONS);
                    });
        }
    }

    private static Map<String, Integer> consumerTasks(Admin admin) throws ExecutionException, InterruptedException {
        Map<String, Integer> tasks = new TreeMap<>();
        admin.describeConsumerGroups(List.of("rollcall"))
                .describedGroups()
                .get("rollcall")
                .get()
                .members()
                .forEach(member -> tasks.put(member.consumerId(), (int) member.assignment().topicPartitions().stream()
                        .filter(partition -> partition.topic().equals("device-heartbeat"))
                        .count()));
        return tasks;
    }

    private static Map<String, Integer> streamsTasks(Admin admin) throws ExecutionException, InterruptedException {
        Map<String, Integer> tasks = new TreeMap<>();
        admin.describeStreamsGroups(List.of("rollcall"))
                .describedGroups()
                .get("rollcall")
                .get()
                .members()
                .forEach(member -> tasks.put(
                        member.memberId(),
                        member.assignment().activeTasks().stream()
                                .mapToInt(sub -> sub.partitions().size())
                                .sum()));
        return tasks;
    }

    private Map<String, String> settings(String instance, Map<String, String> more) {
        Map<String, String> settings = RealContext.settings(
                dataDir.resolve(instance),
                "bootstrap.servers",
                broker.bootstrapServers(),
                "device.lease.ms",
                String.valueOf(LEASE.toMillis()),
                "pulse.interval.ms",
                "250");
        settings.putAll(more);
        return settings;
    }
}
