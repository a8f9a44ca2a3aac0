package dev.rollcall.real;

import static dev.rollcall.domain.PresenceState.IDLE;
import static dev.rollcall.domain.PresenceState.OFFLINE;
import static dev.rollcall.domain.PresenceState.ONLINE;
import static java.util.stream.Collectors.toMap;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.app.Rollcall;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.Presence;
import dev.rollcall.real.RealContext.Emitted;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** What anybody sees who runs the one command: an embedded broker, the processor, and clients over TCP. */
@Execution(ExecutionMode.CONCURRENT)
@Tag("load")
@Timeout(120)
class EndToEndIT {
    private static final long LEASE_MS = 2_000;
    private static final long GRACE_MS = 1_000;

    /** So late may a change be seen: a heartbeat's, and, with a clock tick in between, that of an end. */
    private static final long SEEN_WITHIN_MS = 2_000;

    private static final long END_SEEN_WITHIN_MS = 2_500;

    private static Rollcall rollcall;
    private static RealContext context;

    @BeforeAll
    static void start(@TempDir Path dataDir) throws Exception {
        rollcall = Rollcall.start(RollcallConfig.of(RealContext.settings(
                dataDir,
                "device.lease.ms",
                String.valueOf(LEASE_MS),
                "disconnect.grace.ms",
                String.valueOf(GRACE_MS),
                // Three clock ticks that are missed count as an outage, which gives devices more time: a test
                // machine that stops to think for less than 1.5 s does not change what is emitted here.
                "pulse.interval.ms",
                "500")));
        rollcall.awaitReady();
        context = new RealContext(rollcall.bootstrapServers());
    }

    @AfterAll
    static void stop() {
        context.close();
        rollcall.close();
    }

    @AfterEach
    void everyHistoryIsWhole() {
        context.assertHistoriesAreWhole();
    }

    @Test
    void shouldBeOnlineWithinTwoSecondsAndOfflineAfterTheLeaseWhenADeviceBeatsOnce() {
        long beat = context.heartbeat("@once:example.org", "phone");

        Emitted online = context.awaitEmitted("@once:example.org", 1);
        assertThat(online.presence()).isEqualTo(new Presence(ONLINE, null, null, beat, beat, 1));
        assertThat(online.timestamp()).isEqualTo(beat);
        assertThat(online.receivedAt() - beat).isLessThan(SEEN_WITHIN_MS);

        Emitted offline = context.awaitEmitted("@once:example.org", 2);
        long deadline = beat + LEASE_MS;
        assertThat(offline.presence()).isEqualTo(new Presence(OFFLINE, ONLINE, null, deadline, beat, 2));
        assertThat(offline.timestamp()).isEqualTo(deadline);
        assertThat(offline.receivedAt() - deadline).isBetween(0L, END_SEEN_WITHIN_MS);
    }

    @Test
    void shouldLiveAsLongAsItSaysWhenAHeartbeatBringsItsOwnLease() {
        String user = "@lease:example.org";
        long beat = context.heartbeat(user, new Heartbeat("phone", IDLE, false, OptionalLong.of(700), null));

        assertThat(context.awaitEmitted(user, 1).presence()).isEqualTo(new Presence(IDLE, null, null, beat, null, 1));
        assertThat(context.awaitEmitted(user, 2).presence())
                .isEqualTo(new Presence(OFFLINE, IDLE, null, beat + 700, null, 2));
    }

    @Test
    void shouldShowTheHighestStateWhenAUserHasTwoDevices() throws InterruptedException {
        String user = "@two:example.org";
        context.heartbeat(user, "phone", IDLE);
        assertThat(context.awaitEmitted(user, 1).state()).isEqualTo(IDLE);
        context.heartbeat(user, "laptop", ONLINE);
        assertThat(context.awaitEmitted(user, 2).state()).isEqualTo(ONLINE);
        long idle = context.heartbeat(user, "laptop", IDLE);
        assertThat(context.awaitEmitted(user, 3).presence().since()).isEqualTo(idle);
        long laptop = context.heartbeat(user, "laptop", ONLINE);
        assertThat(context.awaitEmitted(user, 4).state()).isEqualTo(ONLINE);

        // The phone goes on, as what it was; the laptop falls silent.
        for (long beat = laptop; beat < laptop + LEASE_MS + END_SEEN_WITHIN_MS; ) {
            beat = context.heartbeat(user, "phone");
            RealContext.sleep(Duration.ofMillis(250));
        }
        assertThat(context.awaitEmitted(user, 5).presence())
                .isEqualTo(new Presence(IDLE, ONLINE, null, laptop + LEASE_MS, laptop, 5));

        long offline = context.heartbeat(user, "phone", OFFLINE);
        assertThat(context.awaitEmitted(user, 6).presence())
                .isEqualTo(new Presence(OFFLINE, IDLE, null, offline, laptop, 6));
    }

    @Test
    void shouldHoldTheStateForTheGraceTimeWhenTheConnectionEnds() throws InterruptedException {
        String user = "@end:example.org";
        context.heartbeat(user, "phone");
        context.end(user, "phone");
        context.heartbeat(user, "phone");
        RealContext.sleep(Duration.ofMillis(GRACE_MS + 600));
        assertThat(context.emitted(user)).as("a heartbeat cancels the end").hasSize(1);

        long beat = context.heartbeat(user, "phone");
        long end = context.end(user, "phone");

        Emitted offline = context.awaitEmitted(user, 2);
        assertThat(offline.presence()).isEqualTo(new Presence(OFFLINE, ONLINE, null, end + GRACE_MS, beat, 2));
        assertThat(offline.timestamp()).isEqualTo(end + GRACE_MS);
    }

    @Test
    void shouldShowTheTextUntilItExpiresWhenItHasAnEnd() {
        String user = "@text:example.org";
        long beat = context.heartbeat(user, new Heartbeat("phone", null, false, OptionalLong.of(60_000), null));
        context.awaitEmitted(user, 1);
        long expiry = System.currentTimeMillis() + 1_500;
        long written = context.text(user, "In a meeting", expiry);

        Emitted withText = context.awaitEmitted(user, 2);
        assertThat(withText.presence()).isEqualTo(new Presence(ONLINE, ONLINE, "In a meeting", beat, beat, 2));
        assertThat(withText.timestamp()).isEqualTo(written);
        assertThat(withText.receivedAt() - written).isLessThan(SEEN_WITHIN_MS);

        Emitted without = context.awaitEmitted(user, 3);
        assertThat(without.presence()).isEqualTo(new Presence(ONLINE, ONLINE, null, beat, beat, 3));
        assertThat(without.timestamp()).isEqualTo(expiry);
        assertThat(without.receivedAt() - expiry).isBetween(0L, END_SEEN_WITHIN_MS);

        context.text(user, "Back");
        assertThat(context.awaitEmitted(user, 4).presence().status()).isEqualTo("Back");
        context.text(user, null);
        assertThat(context.awaitEmitted(user, 5).presence().status()).isNull();
    }

    @Test
    void shouldShowNothingOfTheDevicesWhenTheUserAppearsOffline() throws InterruptedException {
        String user = "@hidden:example.org";
        long seen = context.heartbeat(user, "phone");
        context.text(user, "Here");
        context.awaitEmitted(user, 2);
        long hidden = context.hide(user);

        Emitted hide = context.awaitEmitted(user, 3);
        assertThat(hide.presence()).isEqualTo(new Presence(OFFLINE, ONLINE, "Here", hidden, seen, 3));
        assertThat(hide.timestamp()).isEqualTo(hidden);

        context.heartbeat(user, "phone", IDLE);
        context.heartbeat(user, "laptop", ONLINE);
        context.end(user, "laptop");
        RealContext.sleep(Duration.ofMillis(GRACE_MS + 500));
        context.heartbeat(user, "phone", ONLINE);
        RealContext.sleep(Duration.ofMillis(500));
        assertThat(context.emitted(user)).as("what devices do is not shown").hasSize(3);

        long unhidden = context.unhide(user);
        Emitted unhide = context.awaitEmitted(user, 4);
        assertThat(unhide.presence().state()).isEqualTo(ONLINE);
        assertThat(unhide.presence().status()).isEqualTo("Here");
        assertThat(unhide.receivedAt() - unhidden).isLessThan(SEEN_WITHIN_MS);
    }

    @Test
    void shouldCountFromOneWithoutGapWhenMuchIsEmitted() {
        String user = "@much:example.org";
        for (int i = 0; i < 50; i++) {
            context.heartbeat(user, "phone", i % 2 == 0 ? ONLINE : IDLE);
        }

        context.awaitEmitted(user, 50);
        assertThat(context.emitted(user).stream().map(one -> one.presence().sequence()))
                .containsExactlyElementsOf(
                        Stream.iterate(1L, number -> number + 1).limit(50).toList());
        assertThat(context.emitted(user).stream().map(Emitted::timestamp))
                .isSorted()
                .containsExactlyElementsOf(context.emitted(user).stream()
                        .map(one -> one.presence().since())
                        .toList());
    }

    @Test
    void shouldHaveTheTopicsOfTheContractWhenItHasStarted() throws Exception {
        List<String> inputs = List.of("device-heartbeat", "status", "appear-offline");
        List<String> all = Stream.concat(inputs.stream(), Stream.of("presence", "presence-dead-letters"))
                .toList();
        try (Admin admin = context.admin()) {
            assertThat(admin.describeTopics(all).allTopicNames().get().values())
                    .allSatisfy(topic -> assertThat(topic.partitions()).hasSize(RealContext.PARTITIONS));
            Map<String, List<String>> settings = admin
                    .describeConfigs(all.stream()
                            .map(topic -> new ConfigResource(ConfigResource.Type.TOPIC, topic))
                            .toList())
                    .all()
                    .get()
                    .entrySet()
                    .stream()
                    .collect(toMap(
                            topic -> topic.getKey().name(),
                            topic -> Stream.of("cleanup.policy", "message.timestamp.type")
                                    .map(key -> topic.getValue().get(key).value())
                                    .toList()));

            assertThat(settings)
                    .containsEntry("device-heartbeat", List.of("delete", "LogAppendTime"))
                    .containsEntry("status", List.of("compact", "LogAppendTime"))
                    .containsEntry("appear-offline", List.of("compact", "LogAppendTime"))
                    .containsEntry("presence", List.of("compact", "CreateTime"))
                    .hasEntrySatisfying(
                            "presence-dead-letters",
                            values -> assertThat(values.get(0)).isEqualTo("delete"));
            ConfigResource heartbeats = new ConfigResource(ConfigResource.Type.TOPIC, "device-heartbeat");
            assertThat(admin.describeConfigs(List.of(heartbeats))
                            .all()
                            .get()
                            .get(heartbeats)
                            .get("retention.ms")
                            .value())
                    .isEqualTo(String.valueOf(Duration.ofHours(6).toMillis()));
        }
    }
}
