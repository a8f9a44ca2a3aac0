package dev.rollcall.real;

import static dev.rollcall.domain.PresenceState.IDLE;
import static dev.rollcall.domain.PresenceState.OFFLINE;
import static dev.rollcall.domain.PresenceState.ONLINE;
import static dev.rollcall.real.RealContext.await;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.app.Rollcall;
import dev.rollcall.client.PresencePublisher;
import dev.rollcall.client.PresenceSubscriber;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.Presence;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.UserId;
import dev.rollcall.embedded.EmbeddedBroker;
import dev.rollcall.real.RealContext.Beating;
import dev.rollcall.wire.Topic;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The inputs get more partitions, and a new application takes the old one's place, step by step as docs/operations.md says
 * ("More partitions"): whoever goes over to its output finds everybody as the old one left them, and sees nobody go OFFLINE.
 */
@Timeout(300)
@SuppressWarnings("try") // that they run is all, and a test is not interrupted
class MorePartitionsIT {
    private static final int PARTITIONS = 9;
    private static final String HIDDEN = "@hidden:example.org";
    private static final String TEXTED = "@texted:example.org";
    private static final List<String> LIVING = RealContext.users("living", 60);
    private static final List<String> CONNECTED = RealContext.users("connected", 30);
    private static final List<String> IDLING = RealContext.users("idling", 20);
    private static final List<String> GONE = RealContext.users("gone", 20);

    private static final Duration LEASE = Duration.ofSeconds(10);
    private static final Duration HOLD = Duration.ofSeconds(4);

    @TempDir
    private Path dir;

    private final Map<String, List<Presence>> next = new ConcurrentHashMap<>();

    @Test
    void shouldHaveEverybodyAsTheOldOneLeftThemAndNobodyOffline() throws Exception {
        try (EmbeddedBroker broker = EmbeddedBroker.start(dir.resolve("broker"), 0)) {
            Rollcall old = started(broker, Map.of());
            try (RealContext context = new RealContext(broker.bootstrapServers());
                    PresencePublisher shard = PresencePublisher.forShard("shard-1")
                            .lease(LEASE)
                            .start(Map.of(
                                    "bootstrap.servers", broker.bootstrapServers(), "metadata.max.age.ms", 1_000));
                    Admin admin = context.admin()) {
                Beating beating = context.keepBeating(LIVING, Duration.ofMillis(250));
                beforeTheChange(context, shard);
                old.close();
                Map<String, Presence> left = last(context);

                admin.createPartitions(Map.of(
                                "device-heartbeat", NewPartitions.increaseTo(PARTITIONS),
                                "status", NewPartitions.increaseTo(PARTITIONS),
                                "appear-offline", NewPartitions.increaseTo(PARTITIONS)))
                        .all()
                        .get();
                try (Rollcall ignored = started(
                        broker,
                        Map.of(
                                "application.id",
                                "rollcall-2",
                                "topic.presence",
                                "presence-2",
                                "topic.partitions",
                                String.valueOf(PARTITIONS)))) {
                    awaitNoLag(admin);
                    try (PresenceSubscriber reader = switchedOver(broker)) {
                        await().until(reader::snapshotComplete);
                        everybodyIsAsBefore(left);
                        RealContext.sleep(LEASE.plus(HOLD).plusSeconds(3)); // whoever was lost would be gone by now
                        everybodyIsAsBefore(left);
                        nobodyWasShownWrongly();
                        goesOn(context, beating);
                    }
                }
            } finally {
                old.close();
            }
        }
    }

    private void beforeTheChange(RealContext context, PresencePublisher shard) {
        CONNECTED.forEach(user -> shard.opened(UserId.of(user), "socket").join());
        IDLING.forEach(user -> context.heartbeat(user, lasting(IDLE)));
        context.heartbeats(GONE, ONLINE);
        List.of(HIDDEN, TEXTED).forEach(user -> context.heartbeat(user, lasting(ONLINE)));
        context.awaitState(List.of(HIDDEN, TEXTED), ONLINE);
        context.text(TEXTED, "Back soon");
        context.hide(HIDDEN);
        context.awaitState(LIVING, ONLINE);
        context.awaitState(CONNECTED, ONLINE);
        context.awaitState(IDLING, IDLE);
        context.awaitState(GONE, OFFLINE);
        context.awaitState(List.of(HIDDEN), OFFLINE);
        context.awaitEmitted(TEXTED, 2);
    }

    /** A reader that goes over to the new output, as the last step says. */
    private PresenceSubscriber switchedOver(EmbeddedBroker broker) {
        Topic<UserId, Presence> topic = new Topic<>(
                "presence-2",
                RealContext.TOPICS.presence().keys(),
                RealContext.TOPICS.presence().values());
        PresenceSubscriber reader = new PresenceSubscriber(
                topic,
                Map.of("bootstrap.servers", broker.bootstrapServers()),
                PresenceSubscriber.Options.fullCopy(),
                change -> next.computeIfAbsent(change.user().toString(), any -> new CopyOnWriteArrayList<>())
                        .add(requireNonNull(change.after())));
        new Thread(reader::run, "reader").start();
        return reader;
    }

    /** Waits until the new application has read what there is, as the step says. */
    private static void awaitNoLag(Admin admin) {
        await().pollInterval(Duration.ofMillis(200)).until(() -> lag(admin) < 100);
    }

    private static long lag(Admin admin) throws Exception {
        Map<TopicPartition, OffsetSpec> inputs = new ConcurrentHashMap<>();
        for (String topic : List.of("device-heartbeat", "status", "appear-offline")) {
            for (int partition = 0; partition < PARTITIONS; partition++) {
                inputs.put(new TopicPartition(topic, partition), OffsetSpec.latest());
            }
        }
        Map<TopicPartition, OffsetAndMetadata> read = admin.listConsumerGroupOffsets("rollcall-2")
                .partitionsToOffsetAndMetadata()
                .get();
        long lag = 0;
        for (var input : admin.listOffsets(inputs).all().get().entrySet()) {
            OffsetAndMetadata to = read.get(input.getKey());
            lag += input.getValue().offset() - (to == null ? 0 : to.offset());
        }
        return lag;
    }

    private void everybodyIsAsBefore(Map<String, Presence> left) {
        await().untilAsserted(() -> assertThat(left).allSatisfy((user, before) -> {
            Presence now = last(user);
            boolean isUnknown = now == null && before.state() == OFFLINE && before.status() == null;
            assertThat(isUnknown || (now != null && now.state() == before.state()))
                    .as("%s is %s, and was %s", user, now, before)
                    .isTrue();
            assertThat(now == null ? null : now.status()).as(user).isEqualTo(before.status());
        }));
    }

    private void nobodyWasShownWrongly() {
        List<String> here = new ArrayList<>(LIVING);
        here.addAll(CONNECTED);
        here.addAll(IDLING);
        here.add(TEXTED);
        assertThat(here)
                .allSatisfy(
                        user -> assertThat(next.get(user)).as(user).noneMatch(presence -> presence.state() == OFFLINE));
        assertThat(next.getOrDefault(HIDDEN, List.of())).allMatch(presence -> presence.state() == OFFLINE);
    }

    private void goesOn(RealContext context, Beating beating) {
        context.heartbeats(IDLING, ONLINE);
        context.unhide(HIDDEN);
        List<String> silent = LIVING.subList(0, 10);
        beating.silence(silent);
        List<String> online = new ArrayList<>(IDLING);
        online.add(HIDDEN);
        await().untilAsserted(() -> {
            assertThat(online).allMatch(user -> isNow(user, ONLINE));
            assertThat(silent).allMatch(user -> isNow(user, OFFLINE));
        });
        assertThat(LIVING.subList(10, LIVING.size())).allMatch(user -> isNow(user, ONLINE));
        assertThat(CONNECTED).allMatch(user -> isNow(user, ONLINE));
    }

    private boolean isNow(String user, PresenceState state) {
        Presence last = last(user);
        return last != null && last.state() == state;
    }

    private @Nullable Presence last(String user) {
        List<Presence> all = next.getOrDefault(user, List.of());
        return all.isEmpty() ? null : all.get(all.size() - 1);
    }

    private static Map<String, Presence> last(RealContext context) {
        Map<String, Presence> last = new ConcurrentHashMap<>();
        context.spokenOf()
                .forEach(user ->
                        last.put(user, requireNonNull(context.lastEmitted(user)).presence()));
        return last;
    }

    private static Heartbeat lasting(PresenceState state) {
        return new Heartbeat("phone", state, false, OptionalLong.of(3_600_000), null);
    }

    private Rollcall started(EmbeddedBroker broker, Map<String, String> more) throws Exception {
        Map<String, String> settings = RealContext.settings(
                dir.resolve("data"),
                "bootstrap.servers",
                broker.bootstrapServers(),
                "device.lease.ms",
                String.valueOf(LEASE.toMillis()),
                "shard.hold.ms",
                String.valueOf(HOLD.toMillis()),
                "shard.resume.ms",
                String.valueOf(HOLD.toMillis()),
                "pulse.interval.ms",
                "250");
        settings.putAll(more);
        Rollcall rollcall = Rollcall.start(RollcallConfig.of(settings));
        rollcall.awaitReady();
        return rollcall;
    }
}
