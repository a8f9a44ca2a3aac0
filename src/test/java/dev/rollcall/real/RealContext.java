package dev.rollcall.real;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.Presence;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserId;
import dev.rollcall.wire.Inbound;
import dev.rollcall.wire.Topic;
import dev.rollcall.wire.Topics;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Deserializer;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.jspecify.annotations.Nullable;

/**
 * Plain Kafka clients around a running Rollcall: what a homeserver shard sends, as verbs, and what a reader of presence
 * has seen, per user. Everything goes over TCP, and survives a broker that comes back on the same port.
 */
final class RealContext implements AutoCloseable {
    static final Duration TIMEOUT = Duration.ofMinutes(2); // machines may be busy, and slow
    static final Topics TOPICS = Topics.ofContract();
    static final int PARTITIONS = 4;

    private static final int FIRST_PORT = 12_000;
    private static final int PORTS = 20_000;
    /** Several JVMs run tests at once, so each begins somewhere else. */
    private static final AtomicInteger nextPort = new AtomicInteger(new SecureRandom().nextInt(PORTS));

    private final String bootstrapServers;
    private final KafkaProducer<byte[], byte[]> producer;
    private final Reader<Presence> presence;
    private final List<Beating> allBeating = new CopyOnWriteArrayList<>();
    private final Map<String, List<Emitted>> emitted = new ConcurrentHashMap<>();

    /**
     * One record on {@code presence}.
     *
     * @param timestamp the record's own, in ms since the epoch
     * @param receivedAt when this reader had it
     */
    record Emitted(Presence presence, long timestamp, long receivedAt) {
        PresenceState state() {
            return presence.state();
        }
    }

    /** Connects to a cluster on which Rollcall has made its topics. */
    RealContext(String bootstrapServers) {
        this.bootstrapServers = bootstrapServers;
        this.producer = producer(Map.of());
        this.presence = read(TOPICS.presence(), record -> {
            String user = new String(record.key(), UTF_8);
            assertThat(record.value()).as("no tombstone for %s", user).isNotNull();
            emitted.computeIfAbsent(user, any -> new CopyOnWriteArrayList<>())
                    .add(new Emitted(record.value(), record.timestamp(), System.currentTimeMillis()));
        });
    }

    /** What every Rollcall of these tests is set to: its own directory, any free port, few partitions; and more. */
    static Map<String, String> settings(Path dataDir, String... keysAndValues) {
        Map<String, String> settings = new HashMap<>(Map.of(
                "data.dir",
                dataDir.toString(),
                "embedded.kafka.port",
                "0",
                "http.port",
                "", // most of these tests are not about HTTP
                "topic.partitions",
                String.valueOf(PARTITIONS)));
        for (int i = 0; i < keysAndValues.length; i += 2) {
            settings.put(keysAndValues[i], keysAndValues[i + 1]);
        }
        return settings;
    }

    /** Waits for what has to become true: longer than by default, as a busy machine needs. */
    static ConditionFactory await() {
        return Awaitility.await().atMost(TIMEOUT);
    }

    /**
     * A port for what has to come back on the same one. It is below those that systems hand out by themselves, so that no
     * other connection of this machine takes it meanwhile, and it is another one at each call.
     */
    static int freePort() throws IOException {
        for (int attempt = 0; attempt < 1_000; attempt++) {
            int port = FIRST_PORT + Math.floorMod(nextPort.getAndIncrement(), PORTS);
            try (ServerSocket socket = new ServerSocket()) {
                socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
                return port;
            } catch (BindException e) {
                // it is taken
            }
        }
        throw new IOException("no port is free");
    }

    static List<String> users(String name, int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> "@%s%d:example.org".formatted(name, i))
                .toList();
    }

    // ---- what a homeserver shard does; each returns the record's timestamp, once the broker has it ----

    long heartbeat(String user, String device) {
        return heartbeat(user, device, null);
    }

    long heartbeat(String user, String device, @Nullable PresenceState state) {
        return heartbeat(user, new Heartbeat(device, state, false, OptionalLong.empty(), null));
    }

    long heartbeat(String user, Heartbeat heartbeat) {
        return send(TOPICS.heartbeats(), user, new Inbound.Beat(heartbeat));
    }

    /** The device's connection ends. */
    long end(String user, String device) {
        return heartbeat(user, new Heartbeat(device, null, true, OptionalLong.empty(), null));
    }

    long text(String user, @Nullable String text) {
        return text(user, text, null);
    }

    long text(String user, @Nullable String text, @Nullable Long expiresAt) {
        return send(TOPICS.statuses(), user, new Inbound.Status(new StatusText(text, expiresAt)));
    }

    long hide(String user) {
        return send(TOPICS.appearOffline(), user, new Inbound.AppearOffline(true));
    }

    long unhide(String user) {
        return send(TOPICS.appearOffline(), user, new Inbound.AppearOffline(false));
    }

    /** A heartbeat of each user's only device, in as few requests as possible. */
    void heartbeats(Collection<String> users, PresenceState state) {
        List<Future<RecordMetadata>> sent = users.stream()
                .map(user -> producer.send(record(TOPICS.heartbeats(), user, beat(state))))
                .toList();
        producer.flush();
        sent.forEach(RealContext::acknowledged);
    }

    /** Goes on with heartbeats without a state in the background, until it is stopped. */
    Beating keepBeating(Collection<String> users, Duration every) {
        Beating beating = new Beating(users, every);
        allBeating.add(beating);
        return beating;
    }

    KafkaProducer<byte[], byte[]> producer(Map<String, Object> settings) {
        return producer(bootstrapServers, settings);
    }

    static KafkaProducer<byte[], byte[]> producer(String bootstrapServers, Map<String, Object> settings) {
        Map<String, Object> all = new HashMap<>(settings);
        all.put("bootstrap.servers", bootstrapServers);
        all.put("reconnect.backoff.max.ms", "250");
        return new KafkaProducer<>(all, new ByteArraySerializer(), new ByteArraySerializer());
    }

    Admin admin() {
        return Admin.create(Map.of("bootstrap.servers", bootstrapServers));
    }

    // ---- what a reader of presence sees ----

    /** All that was emitted of a user so far. */
    List<Emitted> emitted(String user) {
        presence.throwFailure();
        return List.copyOf(emitted.getOrDefault(user, List.of()));
    }

    Set<String> spokenOf() {
        presence.throwFailure();
        return Set.copyOf(emitted.keySet());
    }

    @Nullable
    Emitted lastEmitted(String user) {
        List<Emitted> all = emitted(user);
        return all.isEmpty() ? null : all.get(all.size() - 1);
    }

    /** Waits for the record with this number, and that there is none after it yet. */
    Emitted awaitEmitted(String user, int number) {
        await().alias("record " + number + " of " + user)
                .atMost(TIMEOUT)
                .pollInterval(Duration.ofMillis(10))
                .until(() -> emitted(user).size() >= number);
        assertThat(emitted(user)).as("nothing more than expected of %s", user).hasSize(number);
        return emitted(user).get(number - 1);
    }

    void awaitState(Collection<String> users, PresenceState state) {
        await().alias("all are " + state)
                .atMost(TIMEOUT)
                .pollInterval(Duration.ofMillis(50))
                .untilAsserted(() -> assertThat(users)
                        .allSatisfy(user -> assertThat(lastEmitted(user))
                                .as(user)
                                .isNotNull()
                                .extracting(Emitted::state)
                                .isEqualTo(state)));
    }

    /** Those of whom OFFLINE was emitted, ever. */
    List<String> everOffline(Collection<String> users) {
        return users.stream()
                .filter(user -> emitted(user).stream().anyMatch(one -> one.state() == PresenceState.OFFLINE))
                .toList();
    }

    /** Of every user: numbers from 1 without gap or repeat, each record linked to the one before, and each a change. */
    void assertHistoriesAreWhole() {
        for (String user : spokenOf()) {
            Presence before = null;
            for (Emitted one : emitted(user)) {
                Presence now = one.presence();
                String as = "%s: %s after %s".formatted(user, now, before);
                assertThat(now.sequence()).as(as).isEqualTo(before == null ? 1 : before.sequence() + 1);
                assertThat(now.previousState()).as(as).isEqualTo(before == null ? null : before.state());
                if (before != null) {
                    boolean change = now.state() != before.state() || !Objects.equals(now.status(), before.status());
                    assertThat(change).as(as).isTrue();
                }
                before = now;
            }
        }
    }

    /** Reads a topic from its beginning on a thread of its own, read_committed. */
    <V> Reader<V> read(Topic<?, V> topic, Consumer<ConsumerRecord<byte[], V>> listener) {
        return new Reader<>(topic.name(), topic.values().deserializer(), listener);
    }

    @Override
    public void close() {
        allBeating.forEach(Beating::end);
        presence.close();
        producer.close(Duration.ofSeconds(1));
    }

    static void sleep(Duration time) throws InterruptedException {
        TimeUnit.NANOSECONDS.sleep(time.toNanos());
    }

    private long send(Topic<UserId, Inbound> topic, String user, Inbound.Content content) {
        return acknowledged(producer.send(record(topic, user, content))).timestamp();
    }

    private static Inbound.Beat beat(@Nullable PresenceState state) {
        return new Inbound.Beat(new Heartbeat("phone", state, false, OptionalLong.empty(), null));
    }

    static ProducerRecord<byte[], byte[]> record(Topic<UserId, Inbound> topic, String user, Inbound.Content content) {
        return new ProducerRecord<>(topic.name(), UserId.of(user).bytes(), bytes(topic, content));
    }

    static byte[] bytes(Topic<UserId, Inbound> topic, Inbound.Content content) {
        return topic.values().serializer().serialize(topic.name(), Inbound.of(content));
    }

    static RecordMetadata acknowledged(Future<RecordMetadata> sent) {
        try {
            return sent.get(TIMEOUT.toSeconds(), TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException e) {
            throw new AssertionError("the broker did not take a record", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }

    /** Devices that go on living. */
    final class Beating {
        private final Set<String> users = ConcurrentHashMap.newKeySet();
        private final Thread thread;
        private volatile @Nullable Exception failure;
        private volatile boolean stopped;

        private Beating(Collection<String> users, Duration every) {
            this.users.addAll(users);
            this.thread = new Thread(() -> run(every), "beating");
            thread.start();
        }

        /** From now on nothing is heard from these. */
        void silence(Collection<String> silent) {
            users.removeAll(silent);
            producer.flush();
        }

        /** Stops, with everything that was sent at the broker. */
        void stop() {
            end();
            producer.flush();
            assertThat(failure).as("the devices could be heard all the time").isNull();
        }

        private void end() {
            stopped = true;
            thread.interrupt();
            join(thread);
        }

        private void run(Duration every) {
            Callback callback = (metadata, problem) -> {
                if (problem != null) {
                    failure = problem;
                }
            };
            try {
                while (!stopped) {
                    for (String user : users) {
                        var unused = producer.send(record(TOPICS.heartbeats(), user, beat(null)), callback);
                    }
                    sleep(every);
                }
            } catch (InterruptedException | InterruptException e) {
                // stop() was called
            }
        }
    }

    /** A plain consumer of all partitions of a topic. */
    final class Reader<V> implements AutoCloseable {
        private final KafkaConsumer<byte[], V> consumer;
        private final Thread thread;
        private volatile @Nullable Throwable failure;

        private Reader(String topic, Deserializer<V> deserializer, Consumer<ConsumerRecord<byte[], V>> listener) {
            Map<String, Object> settings = Map.of(
                    "bootstrap.servers",
                    bootstrapServers,
                    "isolation.level",
                    "read_committed",
                    "enable.auto.commit",
                    false,
                    "fetch.max.wait.ms",
                    50,
                    "reconnect.backoff.max.ms",
                    250);
            consumer = new KafkaConsumer<>(settings, new ByteArrayDeserializer(), deserializer);
            List<TopicPartition> partitions = consumer.partitionsFor(topic).stream()
                    .map(partition -> new TopicPartition(topic, partition.partition()))
                    .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            thread = new Thread(() -> run(listener), "reader-of-" + topic);
            thread.start();
        }

        void throwFailure() {
            if (failure != null) {
                throw new AssertionError("the reader has failed", failure);
            }
        }

        @Override
        public void close() {
            consumer.wakeup();
            join(thread);
        }

        private void run(Consumer<ConsumerRecord<byte[], V>> listener) {
            try (consumer) {
                while (true) {
                    consumer.poll(Duration.ofMillis(100)).forEach(listener);
                }
            } catch (WakeupException e) {
                // close() was called
            } catch (RuntimeException | AssertionError e) {
                failure = e;
            }
        }
    }
}
