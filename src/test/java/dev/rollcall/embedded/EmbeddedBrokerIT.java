package dev.rollcall.embedded;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.common.utils.Exit;
import org.apache.kafka.server.common.Feature;
import org.apache.kafka.server.common.MetadataVersion;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(120)
class EmbeddedBrokerIT {
    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    private final Set<Thread> before = Thread.getAllStackTraces().keySet();

    @Nested
    class Running {
        @TempDir
        static Path dataDir;

        static EmbeddedBroker broker;

        @BeforeAll
        static void start() {
            broker = EmbeddedBroker.start(dataDir, 0);
        }

        @AfterAll
        static void close() {
            broker.close();
        }

        @Test
        void shouldDeliverWhatWasProducedWhenClientsConnect() throws Exception {
            createTopic(broker, "plain", Map.of());

            produce(broker, "plain", "one", "two");

            assertThat(consume(broker, "plain", 2)).containsExactly("one", "two");
        }

        @Test
        void shouldDeliverOnlyWhatWasCommittedWhenProducedInTransactions() throws Exception {
            createTopic(broker, "transactional", Map.of());

            try (KafkaProducer<String, String> producer = producer(broker, Map.of("transactional.id", "test"))) {
                producer.initTransactions();
                producer.beginTransaction();
                producer.send(new ProducerRecord<>("transactional", "aborted")).get();
                producer.abortTransaction();
                producer.beginTransaction();
                producer.send(new ProducerRecord<>("transactional", "committed"))
                        .get();
                producer.commitTransaction();
            }

            assertThat(consume(broker, "transactional", 1)).containsExactly("committed");
        }

        @Test
        void shouldHaveEachFeatureAtItsLatestProductionLevelWhenFormatted() throws Exception {
            Map<String, Short> latest = Feature.PRODUCTION_FEATURES.stream()
                    .filter(feature -> feature != Feature.KRAFT_VERSION)
                    .collect(Collectors.toMap(Feature::featureName, Feature::latestProduction));
            latest.put(
                    MetadataVersion.FEATURE_NAME,
                    MetadataVersion.latestProduction().featureLevel());

            try (Admin admin = admin(broker)) {
                Map<String, Short> finalized = new HashMap<>();
                admin.describeFeatures()
                        .featureMetadata()
                        .get()
                        .finalizedFeatures()
                        .forEach((name, range) -> {
                            finalized.put(name, range.maxVersionLevel());
                        });

                assertThat(finalized)
                        .containsAllEntriesOf(latest)
                        .containsKeys("streams.version", "group.version", "transaction.version", "share.version");
                assertThat(finalized.get("transaction.version")).isEqualTo((short) 2);
            }
        }

        @Test
        void shouldRememberAGroupsOffsetsHoweverLongItIsAway() throws Exception {
            try (Admin admin = admin(broker)) {
                ConfigResource self = new ConfigResource(ConfigResource.Type.BROKER, "1");
                String minutes = admin.describeConfigs(List.of(self)).all().get().values().stream()
                        .flatMap(config -> config.entries().stream())
                        .filter(entry -> entry.name().equals("offsets.retention.minutes"))
                        .findFirst()
                        .orElseThrow()
                        .value();
                assertThat(Duration.ofMinutes(Long.parseLong(minutes))).isGreaterThan(Duration.ofDays(365_000));
            }
        }

        @Test
        void shouldRunAStreamsGroupWhenAskedTo() throws Exception {
            createTopic(broker, "from", Map.of());
            createTopic(broker, "to", Map.of());
            StreamsBuilder topology = new StreamsBuilder();
            topology.stream("from").to("to");
            Properties settings = new Properties();
            settings.put("application.id", "copy");
            settings.put("bootstrap.servers", broker.bootstrapServers());
            settings.put("group.protocol", "streams");
            settings.put("processing.guarantee", "exactly_once_v2");
            settings.put("default.key.serde", "org.apache.kafka.common.serialization.Serdes$StringSerde");
            settings.put("default.value.serde", "org.apache.kafka.common.serialization.Serdes$StringSerde");
            settings.put("auto.offset.reset", "earliest");

            try (KafkaStreams streams = new KafkaStreams(topology.build(), settings)) {
                streams.start();
                produce(broker, "from", "copied");

                assertThat(consume(broker, "to", 1)).containsExactly("copied");
            }
        }

        @Test
        void shouldBeReachableOnLoopbackOnlyWhenStarted() throws Exception {
            List<InetAddress> others = NetworkInterface.networkInterfaces()
                    .flatMap(NetworkInterface::inetAddresses)
                    .filter(address -> !address.isLoopbackAddress() && !address.isLinkLocalAddress())
                    .toList();
            assumeFalse(others.isEmpty(), "a machine with nothing but loopback");

            for (InetAddress other : others) {
                try (Socket socket = new Socket()) {
                    assertThatThrownBy(() -> socket.connect(new InetSocketAddress(other, broker.port()), 2000))
                            .isInstanceOf(IOException.class);
                }
            }
        }

        @Test
        void shouldRefuseTheDirectoryWhenAnotherBrokerOfThisProcessHasIt() {
            assertThatExceptionOfType(EmbeddedBrokerException.class)
                    .isThrownBy(() -> EmbeddedBroker.start(dataDir, 0))
                    .withMessageContaining(dataDir.toString())
                    .withMessageContaining("in use")
                    .withMessageContaining("data.dir");
        }
    }

    @Nested
    class Restarting {
        @Test
        void shouldKeepTopicsRecordsAndOffsetsWhenRestarted(@TempDir Path dataDir) throws Exception {
            try (EmbeddedBroker broker = EmbeddedBroker.start(dataDir, 0)) {
                createTopic(broker, "kept", Map.of());
                produce(broker, "kept", "first");
                assertThat(consume(broker, "kept", 1)).containsExactly("first");
            }
            try (EmbeddedBroker broker = EmbeddedBroker.start(dataDir, 0)) {
                produce(broker, "kept", "second");

                assertThat(consume(broker, "kept", 1))
                        .as("what the group had not read")
                        .containsExactly("second");
            }
        }

        @Test
        void shouldListenOnThePortAskedForWhenItIsTakenUpAgain(@TempDir Path dataDir) throws Exception {
            int port;
            try (EmbeddedBroker broker = EmbeddedBroker.start(dataDir, 0)) {
                port = broker.port();
                createTopic(broker, "topic", Map.of());
            }
            try (EmbeddedBroker broker = EmbeddedBroker.start(dataDir, port)) {
                assertThat(broker.bootstrapServers()).isEqualTo("localhost:" + port);
                produce(broker, "topic", "record");
            }
        }

        @Test
        void shouldKeepRecordsWhenTheProcessWasKilled(@TempDir Path dataDir, @TempDir Path logs) throws Exception {
            OtherProcess other = OtherProcess.start(dataDir, logs);
            produceTo(other.bootstrapServers(), "kept", "survivor");
            other.kill();

            try (EmbeddedBroker broker = EmbeddedBroker.start(dataDir, 0)) {
                assertThat(consume(broker, "kept", 1)).containsExactly("survivor");
            }
        }

        @Test
        void shouldStopCleanlyAndInTimeWhenClosedByAnInterruptedThread(@TempDir Path dataDir) {
            EmbeddedBroker broker = EmbeddedBroker.start(dataDir, 0);

            long before = System.nanoTime();
            Thread.currentThread().interrupt();
            broker.close();
            Duration took = Duration.ofNanos(System.nanoTime() - before);

            assertThat(Thread.interrupted()).as("still told of the interrupt").isTrue();
            assertThat(took).isLessThan(Duration.ofSeconds(5));
            assertThat(dataDir).isDirectoryContaining("glob:**.kafka_cleanshutdown");
            assertNothingLeftRunning();
        }

        @Test
        void shouldDoNothingWhenClosedAgain(@TempDir Path dataDir) {
            EmbeddedBroker broker = EmbeddedBroker.start(dataDir, 0);
            broker.close();
            try (EmbeddedBroker next = EmbeddedBroker.start(dataDir, broker.port())) {
                broker.close();

                assertThatThrownBy(() -> Exit.halt(3))
                        .as("the next one still guards the process")
                        .hasMessageContaining("status 3");
                assertThat(next.port()).isEqualTo(broker.port());
            }
        }
    }

    @Nested
    class Refusing {
        @TempDir
        Path dataDir;

        @Test
        void shouldNameThePortAndItsKeyWhenThePortIsInUse() throws Exception {
            int port;
            try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                port = taken.getLocalPort();

                assertThatExceptionOfType(EmbeddedBrokerException.class)
                        .isThrownBy(() -> EmbeddedBroker.start(dataDir, taken.getLocalPort()))
                        .withMessageContaining(String.valueOf(taken.getLocalPort()))
                        .withMessageContaining("in use")
                        .withMessageContaining("embedded.kafka.port");
            }
            assertNothingLeftRunning();
            EmbeddedBroker.start(dataDir, port).close();
        }

        @ParameterizedTest
        @CsvSource({"AAAAAAAAAAAAAAAAAAAAAA, 1", DataDirectory.CLUSTER_ID + ", 7"})
        void shouldNameTheDirectoryAndItsKeyWhenAnotherClusterFormattedIt(String clusterId, int nodeId)
                throws Exception {
            Files.writeString(
                    dataDir.resolve("meta.properties"),
                    "version=1\ncluster.id=" + clusterId + "\nnode.id=" + nodeId + "\n");

            assertThatExceptionOfType(EmbeddedBrokerException.class)
                    .isThrownBy(() -> EmbeddedBroker.start(dataDir, 0))
                    .withMessageContaining(dataDir.toString())
                    .withMessageContaining("another Kafka cluster")
                    .withMessageContaining("cluster.id=" + clusterId)
                    .withMessageContaining("node.id=" + nodeId)
                    .withMessageContaining("data.dir");
            assertThat(dataDir).as("left as it was").isDirectoryNotContaining("glob:**.lock");
        }

        @ParameterizedTest
        @ValueSource(
                strings = {
                    "",
                    "cluster.id=\\u00",
                    "version=1\ncluster.id=" + DataDirectory.CLUSTER_ID,
                    "version=1\nnode.id=one\ncluster.id=" + DataDirectory.CLUSTER_ID,
                    "version=1\nnode.id=1\ndirectory.id=?\ncluster.id=" + DataDirectory.CLUSTER_ID
                })
        void shouldNameTheFileWhenMetaPropertiesIsCorrupt(String content) throws Exception {
            Path file = Files.writeString(dataDir.resolve("meta.properties"), content);

            assertThatExceptionOfType(EmbeddedBrokerException.class)
                    .isThrownBy(() -> EmbeddedBroker.start(dataDir, 0))
                    .withMessageContaining(file.toString())
                    .withMessageContaining("cannot be read")
                    .withMessageContaining("data.dir");
        }

        @Test
        void shouldNameWhatItFoundWhenTheDirectoryHoldsSomethingElse() throws Exception {
            Files.createDirectory(dataDir.resolve("holiday-pictures"));

            assertThatExceptionOfType(EmbeddedBrokerException.class)
                    .isThrownBy(() -> EmbeddedBroker.start(dataDir, 0))
                    .withMessageContaining("holiday-pictures")
                    .withMessageContaining("data.dir");
        }

        @Test
        void shouldNameTheDirectoryWhenItCannotBeMade() throws Exception {
            Path file = Files.writeString(dataDir.resolve("file"), "not a directory");

            assertThatExceptionOfType(EmbeddedBrokerException.class)
                    .isThrownBy(() -> EmbeddedBroker.start(file.resolve("kafka"), 0))
                    .withMessageContaining(file.resolve("kafka").toString())
                    .withMessageContaining("cannot be made or written to")
                    .withMessageContaining("data.dir");
        }

        @Test
        void shouldRefuseTheDirectoryWhenAnotherProcessHasIt(@TempDir Path logs) throws Exception {
            OtherProcess other = OtherProcess.start(dataDir, logs);
            try {
                assertThatExceptionOfType(EmbeddedBrokerException.class)
                        .isThrownBy(() -> EmbeddedBroker.start(dataDir, 0))
                        .withMessageContaining(dataDir.toString())
                        .withMessageContaining("in use")
                        .withMessageContaining("data.dir");
                produceTo(other.bootstrapServers(), "kept", "unharmed");
            } finally {
                other.kill();
            }
            assertNothingLeftRunning();
        }

        @Test
        void shouldLeaveNothingBehindWhenKafkaItselfFailsToStart() throws Exception {
            EmbeddedBroker first = EmbeddedBroker.start(dataDir, 0);
            int port = first.port();
            first.close();
            Path quorumState = dataDir.resolve("__cluster_metadata-0").resolve("quorum-state");
            byte[] sound = Files.readAllBytes(quorumState);
            Files.writeString(quorumState, "damaged");

            assertThatExceptionOfType(EmbeddedBrokerException.class)
                    .isThrownBy(() -> EmbeddedBroker.start(dataDir, port))
                    .withMessageContaining("could not start")
                    .withMessageContaining(dataDir.toString());

            assertNothingLeftRunning();
            Files.write(quorumState, sound);
            EmbeddedBroker.start(dataDir, port).close();
        }

        @Test
        void shouldNameTheSettingWhenAnOverrideIsOutOfRange() {
            assertThatExceptionOfType(EmbeddedBrokerException.class)
                    .isThrownBy(() -> EmbeddedBroker.start(dataDir, 0, Map.of("log.segment.bytes", "-1"), what -> {}))
                    .withMessageContaining("log.segment.bytes");
            assertNothingLeftRunning();
        }
    }

    @Nested
    class Dying {
        @Test
        void shouldTellTheCallerAndLeaveTheProcessAloneWhenTheDataDirectoryFails(@TempDir Path dataDir)
                throws Exception {
            Queue<String> told = new ConcurrentLinkedQueue<>();
            EmbeddedBroker broker = EmbeddedBroker.start(dataDir, 0, Map.of(), told::add);
            createTopic(broker, "doomed", Map.of("segment.bytes", "1048576"));
            produce(broker, "doomed", "still there");
            deleteRecursively(dataDir.resolve("doomed-0"));

            // A new segment cannot be created in a directory that is gone.
            try (KafkaProducer<String, byte[]> producer = new KafkaProducer<>(Map.of(
                    "bootstrap.servers", broker.bootstrapServers(),
                    "key.serializer", StringSerializer.class,
                    "value.serializer", ByteArraySerializer.class,
                    "max.block.ms", "1000",
                    "delivery.timeout.ms", "3000",
                    "request.timeout.ms", "2000",
                    "linger.ms", "0"))) {
                for (int i = 0; i < 4 && told.isEmpty(); i++) {
                    Future<RecordMetadata> unused = producer.send(new ProducerRecord<>("doomed", new byte[500_000]));
                }
                await().atMost(TIMEOUT).until(() -> !told.isEmpty());
            }

            broker.close();
            assertThat(told).hasSize(1);
            assertNothingLeftRunning();
        }

        @Test
        void shouldStillGuardTheProcessWhenOneOfTwoBrokersIsClosed(@TempDir Path one, @TempDir Path two) {
            Queue<String> told = new ConcurrentLinkedQueue<>();
            EmbeddedBroker closed = EmbeddedBroker.start(one, 0);
            try (EmbeddedBroker running = EmbeddedBroker.start(two, 0, Map.of(), told::add)) {
                closed.close();

                assertThatThrownBy(() -> Exit.halt(3)).hasMessageContaining("status 3");
                assertThatThrownBy(() -> Exit.exit(4)).hasMessageContaining("status 4");

                await().atMost(TIMEOUT).until(() -> !told.isEmpty());
                assertThat(told).singleElement().asString().contains("status 3");
                assertThat(running.port()).isPositive();
            }
        }
    }

    /** A broker in a JVM of its own, which tells its port and then waits to be killed. */
    record OtherProcess(Process process, String bootstrapServers) {
        public static void main(String[] args) throws Exception {
            EmbeddedBroker broker = EmbeddedBroker.start(Path.of(args[0]), 0);
            createTopic(broker, "kept", Map.of());
            System.out.println("listening on " + broker.bootstrapServers());
            Thread.sleep(Duration.ofMinutes(2).toMillis());
            broker.close();
        }

        static OtherProcess start(Path dataDir, Path logs) throws IOException {
            Process process = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-XX:TieredStopAtLevel=1", // it does not live long enough for more
                            "-cp",
                            System.getProperty("java.class.path"),
                            OtherProcess.class.getName(),
                            dataDir.toString())
                    .redirectError(logs.resolve("stderr").toFile())
                    .start();
            BufferedReader out = new BufferedReader(new InputStreamReader(process.getInputStream(), UTF_8));
            String line = out.readLine();
            while (line != null && !line.startsWith("listening on ")) {
                line = out.readLine();
            }
            if (line == null) {
                process.destroyForcibly();
                throw new AssertionError(
                        "the other process emitted nothing: " + Files.readString(logs.resolve("stderr")));
            }
            return new OtherProcess(process, line.substring("listening on ".length()));
        }

        void kill() throws InterruptedException {
            process.destroyForcibly().waitFor();
        }
    }

    private static Admin admin(EmbeddedBroker broker) {
        return Admin.create(Map.of("bootstrap.servers", broker.bootstrapServers()));
    }

    private static void createTopic(EmbeddedBroker broker, String name, Map<String, String> settings) throws Exception {
        try (Admin admin = admin(broker)) {
            admin.createTopics(List.of(new NewTopic(name, 1, (short) 1).configs(settings)))
                    .all()
                    .get();
        }
    }

    private static void produce(EmbeddedBroker broker, String topic, String... values) throws Exception {
        produceTo(broker.bootstrapServers(), topic, values);
    }

    private static void produceTo(String bootstrapServers, String topic, String... values) throws Exception {
        try (KafkaProducer<String, String> producer = producer(bootstrapServers, Map.of())) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (String value : values) {
                sent.add(producer.send(new ProducerRecord<>(topic, value)));
            }
            for (Future<RecordMetadata> one : sent) {
                one.get();
            }
        }
    }

    private static KafkaProducer<String, String> producer(EmbeddedBroker broker, Map<String, Object> settings) {
        return producer(broker.bootstrapServers(), settings);
    }

    private static KafkaProducer<String, String> producer(String bootstrapServers, Map<String, Object> settings) {
        Map<String, Object> all = new HashMap<>(settings);
        all.put("bootstrap.servers", bootstrapServers);
        return new KafkaProducer<>(all, new StringSerializer(), new StringSerializer());
    }

    /** Reads committed records that the group of this topic's name has not read yet, until it has the expected number. */
    private static List<String> consume(EmbeddedBroker broker, String topic, int expected) {
        Map<String, Object> settings = Map.of(
                "bootstrap.servers", broker.bootstrapServers(),
                "group.id", "readers-of-" + topic,
                "group.protocol", "consumer",
                "isolation.level", "read_committed",
                "auto.offset.reset", "earliest");
        List<String> values = new ArrayList<>();
        try (KafkaConsumer<String, String> consumer =
                new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer())) {
            consumer.subscribe(List.of(topic));
            await().atMost(TIMEOUT).pollInSameThread().until(() -> {
                consumer.poll(Duration.ofMillis(100)).forEach(record -> values.add(record.value()));
                return values.size() >= expected;
            });
            consumer.commitSync();
        }
        return values;
    }

    private void assertNothingLeftRunning() {
        await().atMost(Duration.ofSeconds(5))
                .untilAsserted(() -> assertThat(threadsSinceTheTestBegan())
                        .as("threads that belong to a broker")
                        .isEmpty());
    }

    private Set<String> threadsSinceTheTestBegan() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> !before.contains(thread))
                .map(Thread::getName)
                // Two of these serve the metrics of all brokers of the JVM; the others belong to the test.
                .filter(name -> !name.startsWith("metrics-meter-tick-thread"))
                .filter(name -> !name.startsWith("ForkJoinPool-")) // JUnit's, which come when others wait
                .filter(name ->
                        !name.startsWith("junit") && !name.startsWith("awaitility") && !name.startsWith("process"))
                .collect(Collectors.toSet());
    }

    private static void deleteRecursively(Path directory) throws IOException {
        try (Stream<Path> inside = Files.walk(directory)) {
            for (Path path : inside.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }
}
