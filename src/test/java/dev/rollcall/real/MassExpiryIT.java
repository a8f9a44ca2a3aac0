package dev.rollcall.real;

import static dev.rollcall.real.RealContext.await;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.Presence;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.wire.Inbound;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.MemberDescription;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A great many devices fall silent in the same moment: nobody takes the processor for dead, and those who live are served
 * meanwhile. {@code -Drollcall.test.silent=1000000} makes it a million.
 */
@Tag("load")
@Timeout(600)
class MassExpiryIT {
    private static final int SILENT = Integer.getInteger("rollcall.test.silent", 200_000);
    private static final int LIVING = 200;

    /** From the first heartbeat to the moment in which all leases end. */
    private static final Duration ALL_THERE_AFTER = Duration.ofSeconds(10).plusMillis(SILENT / 16L);

    /** A member that does not poll for so long is out of its group: far below the default of five minutes. */
    private static final long MAX_POLL_INTERVAL_MS = 10_000;

    @TempDir
    private Path directory;

    private final BitSet silentOnline = new BitSet(SILENT);
    private final BitSet silentOffline = new BitSet(SILENT);

    /** When the change of a living user was sent that is under way, in ms since the epoch. */
    private final Map<String, Long> sentAt = new HashMap<>();

    private final Map<String, PresenceState> lastEmitted = new HashMap<>();
    private final List<Long> waits = new ArrayList<>();
    private long firstExpirySeen;
    private long lastExpirySeen;

    @Test
    void shouldServeTheLivingWhileAGreatManyExpire() throws Exception {
        int port = RealContext.freePort();
        Map<String, String> settings = RealContext.settings(
                directory,
                "embedded.kafka.port",
                String.valueOf(port),
                "kafka.max.poll.interval.ms",
                String.valueOf(MAX_POLL_INTERVAL_MS));
        String servers = "localhost:" + port;
        try (RollcallProcess rollcall = RollcallProcess.ready(settings, directory.resolve("output.log"));
                KafkaProducer<byte[], byte[]> producer = RealContext.producer(servers, Map.of("linger.ms", 5));
                KafkaConsumer<byte[], Presence> presence = readPresence(servers);
                Admin admin = Admin.create(Map.of("bootstrap.servers", servers))) {
            List<String> members = members(admin);
            long endMs = System.currentTimeMillis() + ALL_THERE_AFTER.toMillis();
            for (int i = 0; i < SILENT; i++) {
                long leaseMs = endMs - System.currentTimeMillis();
                var unused = send(producer, silent(i), PresenceState.ONLINE, leaseMs);
            }
            producer.flush();
            await().atMost(ALL_THERE_AFTER).until(() -> {
                read(presence);
                return silentOnline.cardinality() == SILENT;
            });
            assertThat(System.currentTimeMillis())
                    .as("all are there before any is gone")
                    .isLessThan(endMs);

            long giveUpAt = endMs + Duration.ofMinutes(3).toMillis();
            while ((silentOffline.cardinality() < SILENT || waits.size() <= LIVING)
                    && System.currentTimeMillis() < giveUpAt) {
                for (int i = 0; i < LIVING; i++) {
                    String user = living(i);
                    if (!sentAt.containsKey(user)) { // one change of each is under way
                        sentAt.put(user, System.currentTimeMillis());
                        var unused = send(producer, user, another(lastEmitted.get(user)), 600_000);
                    }
                }
                read(presence);
            }

            waits.sort(null);
            System.out.printf(
                    "MassExpiryIT: %d expiries within %.1f s; meanwhile %d changes of the living, waiting for %d ms (median), %d ms (longest)%n",
                    silentOffline.cardinality(),
                    (lastExpirySeen - firstExpirySeen) / 1e3,
                    waits.size(),
                    waits.get(waits.size() / 2),
                    waits.get(waits.size() - 1));
            assertThat(silentOffline.cardinality()).isEqualTo(SILENT);
            assertThat(waits).as("the living were served meanwhile").hasSizeGreaterThan(LIVING);
            assertThat(members(admin)).as("nobody was taken for dead").isEqualTo(members);
            assertThat(rollcall.emitted()).doesNotContain("fenced", "poll timeout", "TaskMigrated");
        }
    }

    private void read(KafkaConsumer<byte[], Presence> presence) {
        for (ConsumerRecord<byte[], Presence> record : presence.poll(Duration.ofMillis(20))) {
            String user = new String(record.key(), StandardCharsets.UTF_8);
            PresenceState state = record.value().state();
            long now = System.currentTimeMillis();
            if (user.startsWith("@living")) {
                assertThat(state).as(user).isNotEqualTo(PresenceState.OFFLINE);
                lastEmitted.put(user, state);
                Long sent = sentAt.remove(user);
                if (firstExpirySeen > 0 && sent != null) {
                    waits.add(now - sent);
                }
            } else if (state == PresenceState.ONLINE) {
                silentOnline.set(number(user));
            } else {
                assertThat(silentOffline.get(number(user))).as("%s twice", user).isFalse();
                silentOffline.set(number(user));
                firstExpirySeen = firstExpirySeen == 0 ? now : firstExpirySeen;
                lastExpirySeen = now;
            }
        }
    }

    private static Future<RecordMetadata> send(
            KafkaProducer<byte[], byte[]> producer, String user, PresenceState state, long leaseMs) {
        Heartbeat heartbeat = new Heartbeat("phone", state, false, OptionalLong.of(leaseMs), null);
        return producer.send(RealContext.record(RealContext.TOPICS.heartbeats(), user, new Inbound.Beat(heartbeat)));
    }

    private static PresenceState another(@Nullable PresenceState state) {
        return state == PresenceState.ONLINE ? PresenceState.IDLE : PresenceState.ONLINE;
    }

    private static KafkaConsumer<byte[], Presence> readPresence(String servers) {
        KafkaConsumer<byte[], Presence> consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", servers, "isolation.level", "read_committed", "max.poll.records", 50_000),
                new ByteArrayDeserializer(),
                RealContext.TOPICS.presence().values().deserializer());
        List<TopicPartition> partitions = new ArrayList<>();
        for (int partition = 0; partition < RealContext.PARTITIONS; partition++) {
            partitions.add(new TopicPartition(RealContext.TOPICS.presence().name(), partition));
        }
        consumer.assign(partitions);
        consumer.seekToBeginning(partitions);
        return consumer;
    }

    private static List<String> members(Admin admin) throws Exception {
        Collection<MemberDescription> members = admin.describeConsumerGroups(List.of("rollcall"))
                .describedGroups()
                .get("rollcall")
                .get()
                .members();
        return members.stream().map(MemberDescription::consumerId).sorted().toList();
    }

    private static String silent(int number) {
        return "@s" + number + ":example.org";
    }

    private static int number(String user) {
        return Integer.parseInt(user, 2, user.indexOf(':'), 10);
    }

    private static String living(int number) {
        return "@living" + number + ":example.org";
    }
}
