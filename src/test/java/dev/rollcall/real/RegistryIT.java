package dev.rollcall.real;

import static dev.rollcall.domain.PresenceState.IDLE;
import static dev.rollcall.domain.PresenceState.OFFLINE;
import static dev.rollcall.domain.PresenceState.ONLINE;
import static dev.rollcall.real.RealContext.await;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.rollcall.app.Main;
import dev.rollcall.app.Rollcall;
import dev.rollcall.client.PresencePublisher;
import dev.rollcall.client.PresenceSubscriber;
import dev.rollcall.client.PresenceSubscriber.Options;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserId;
import dev.rollcall.real.RealContext.Emitted;
import dev.rollcall.registry.Registry;
import dev.rollcall.topology.DeadLetter;
import dev.rollcall.topology.UserPartitioner;
import dev.rollcall.wire.Topic;
import dev.rollcall.wire.Topics;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.IntStream;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.generic.GenericRecordBuilder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.Serdes;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Values in a schema registry's wire format, with a real registry. */
@Tag("other-language")
@Timeout(600)
@SuppressWarnings("try") // that they run is all, and a test is not interrupted
class RegistryIT {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** What a team's own shard writes: a field more than Rollcall's, and none that it does not need. */
    private static final Schema FOREIGN = new Schema.Parser().parse("""
            {"type": "record", "name": "DeviceHeartbeat", "namespace": "dev.rollcall.v1", "fields": [
              {"name": "app_version", "type": "string"},
              {"name": "device_id", "type": "string"},
              {"name": "state", "type": ["null", {"type": "enum", "name": "PresenceState",
                "symbols": ["OFFLINE", "IDLE", "ONLINE"], "default": "OFFLINE"}], "default": null}]}""");

    private static final Schema FLAG = published("AppearOffline");
    private static final Schema TEXT = published("UserStatus");

    @TempDir
    private static Path dir;

    private static Apicurio registry;
    private static int heartbeats;
    private static int foreign;
    private static int texts;
    private static int flags;

    @BeforeAll
    static void startRegistry() throws Exception {
        registry = Apicurio.start(dir.resolve("registry"));
        heartbeats = registry.register(
                "device-heartbeat-value", published("DeviceHeartbeat").toString());
        foreign = registry.register("another-heartbeat-value", FOREIGN.toString());
        texts = registry.register("status-value", TEXT.toString());
        flags = registry.register("appear-offline-value", FLAG.toString());
    }

    @AfterAll
    static void stopRegistry() throws Exception {
        if (registry != null) {
            registry.close();
        }
    }

    @Test
    void shouldReadBothFormatsOnOnePartitionAndRefuseWhatTheRegistryDoesNotKnow(@TempDir Path data) throws Exception {
        try (Rollcall rollcall = start(data, "topic.partitions", "1");
                RealContext context = new RealContext(rollcall.bootstrapServers());
                KafkaProducer<byte[], byte[]> producer = context.producer(Map.of())) {
            List<ConsumerRecord<byte[], byte[]>> refused = new CopyOnWriteArrayList<>();
            try (AutoCloseable unused = context.read(RealContext.TOPICS.deadLetters(), refused::add)) {
                String alice = "@alice:example.org";
                String bob = "@bob:example.org";
                send(producer, "device-heartbeat", alice, heartbeat(heartbeats, published("DeviceHeartbeat"), ONLINE));
                assertThat(context.awaitEmitted(alice, 1).state()).isEqualTo(ONLINE);
                context.text(alice, "own format");
                assertThat(context.awaitEmitted(alice, 2).presence().status()).isEqualTo("own format");
                send(producer, "status", alice, text("the registry's"));
                assertThat(context.awaitEmitted(alice, 3).presence().status()).isEqualTo("the registry's");
                context.heartbeat(alice, "phone", IDLE);
                assertThat(context.awaitEmitted(alice, 4).state()).isEqualTo(IDLE);
                send(producer, "device-heartbeat", alice, foreign(ONLINE));
                assertThat(context.awaitEmitted(alice, 5).state()).isEqualTo(ONLINE);

                context.heartbeat(bob, "phone", ONLINE);
                context.awaitEmitted(bob, 1);
                send(producer, "appear-offline", bob, flag(true));
                assertThat(context.awaitEmitted(bob, 2).state()).isEqualTo(OFFLINE);
                context.unhide(bob);
                assertThat(context.awaitEmitted(bob, 3).state()).isEqualTo(ONLINE);

                byte[] unknown = registered(999_999, new byte[] {1, 2, 3});
                send(producer, "device-heartbeat", alice, unknown);
                send(producer, "device-heartbeat", alice, registered(texts, new byte[] {0, 0}));
                context.heartbeat(bob, "phone", IDLE);
                assertThat(context.awaitEmitted(bob, 4).state()).isEqualTo(IDLE);
                await().until(() -> refused.size() == 2);
                assertThat(refused.get(0).value()).isEqualTo(unknown);
                assertThat(header(refused.get(0), DeadLetter.REASON)).isEqualTo("unknown_schema");
                assertThat(header(refused.get(0), DeadLetter.MESSAGE))
                        .isEqualTo("schema 999999 is not in the registry");
                assertThat(header(refused.get(1), DeadLetter.REASON)).isEqualTo("wrong_topic");
                context.assertHistoriesAreWhole();

                JsonNode letters = json(run(rollcall, "dead-letters", "list", "--json"));
                assertThat(letters.toString()).contains("unknown_schema");
                JsonNode inspected = json(run(rollcall, "inspect", alice, "--json"));
                assertThat(inspected.path("status").toString()).contains("the registry's");
            }
        }
    }

    @Test
    void shouldWriteWhatAPlainAvroDecoderReadsWhenItIsAsked(@TempDir Path data) throws Exception {
        Map<String, ConsumerRecord<byte[], byte[]>> written = new ConcurrentHashMap<>();
        try (Rollcall rollcall = start(data, "schema.registry.write", "true", "http.port", "0");
                RealContext context = new RealContext(rollcall.bootstrapServers())) {
            RollcallConfig config =
                    RollcallConfig.of(Map.of("schema.registry.url", registry.url(), "schema.registry.write", "true"));
            Topics topics = Registry.topics(config);
            Map<String, Object> brokers = Map.of("bootstrap.servers", rollcall.bootstrapServers());
            try (AutoCloseable beats = context.read(raw("device-heartbeat"), one -> written.put(one.topic(), one));
                    AutoCloseable statuses = context.read(raw("status"), one -> written.put(one.topic(), one));
                    AutoCloseable presences = context.read(raw("presence"), one -> written.put(one.topic(), one));
                    PresencePublisher shard =
                            PresencePublisher.forShard("shard-1").topics(topics).start(brokers)) {
                UserId alice = UserId.of("@alice:example.org");
                shard.opened(alice, "phone", ONLINE).get();
                shard.status(alice, new StatusText("at lunch", null)).get();
                await().until(() -> written.containsKey("presence") && isText(written.get("presence"), "at lunch"));

                assertThat(written.keySet()).contains("presence", "device-heartbeat", "status");
                assertThat(written.values())
                        .allSatisfy(record ->
                                assertThat(record.value()[0]).as(record.topic()).isZero());
                GenericRecord presence = decoded(written.get("presence"));
                assertThat(presence.getSchema().getFullName()).isEqualTo("dev.rollcall.v1.UserPresence");
                assertThat(presence.get("state")).hasToString("ONLINE");

                List<String> seen = new CopyOnWriteArrayList<>();
                try (PresenceSubscriber subscriber = new PresenceSubscriber(
                        topics.presence(),
                        brokers,
                        Options.fullCopy(),
                        change -> seen.add(change.user() + " " + change.after()))) {
                    Thread thread = new Thread(subscriber::run, "subscriber");
                    thread.start();
                    await().until(() -> !seen.isEmpty());
                }
                assertThat(seen.get(0)).contains("@alice:example.org", "ONLINE", "at lunch");

                await().alias("the edge has read it")
                        .until(() -> get(rollcall, "/health/ready").status() == 200);
                assertThat(get(rollcall, "/_matrix/client/v3/presence/%40alice%3Aexample.org/status")
                                .body())
                        .contains("at lunch");
                assertThat(json(run(rollcall, "inspect", "@alice:example.org", "--json"))
                                .path("presence")
                                .toString())
                        .contains("at lunch");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"classic", "streams"})
    void shouldHoldAPartitionAndItsOrderWhenTheRegistryIsAway(String protocol, @TempDir Path data) throws Exception {
        try (Rollcall rollcall =
                        start(data, "http.port", "0", "device.lease.ms", "3600000", "kafka.group.protocol", protocol);
                RealContext context = new RealContext(rollcall.bootstrapServers());
                KafkaProducer<byte[], byte[]> producer = context.producer(Map.of())) {
            List<ConsumerRecord<byte[], byte[]>> refused = new CopyOnWriteArrayList<>();
            try (AutoCloseable unused = context.read(RealContext.TOPICS.deadLetters(), refused::add)) {
                List<String> held = users(0);
                String alice = held.get(0);
                String shown = held.get(1);
                String hidden = held.get(2);
                String behind = held.get(3);
                String other = users(1).get(0);
                rollcall.awaitReady();
                await().until(() -> get(rollcall, "/health/ready").status() == 200);
                context.heartbeat(other, "phone", ONLINE);
                context.awaitEmitted(other, 1);
                context.heartbeat(alice, "tablet", IDLE);
                context.awaitEmitted(alice, 1);

                registry.kill();
                send(producer, "device-heartbeat", alice, foreign(ONLINE));
                send(producer, "device-heartbeat", shown, foreign(ONLINE));
                RealContext.sleep(Duration.ofMillis(200));
                context.hide(shown);
                context.hide(hidden);
                context.text(alice, "after it");
                RealContext.sleep(Duration.ofMillis(200));
                context.heartbeat(hidden, "phone", ONLINE);
                context.heartbeat(behind, "phone", ONLINE);
                context.heartbeat(other, "phone", IDLE);

                assertThat(context.awaitEmitted(other, 2).state())
                        .as("other partitions go on")
                        .isEqualTo(IDLE);
                await().untilAsserted(() -> {
                    Answer ready = get(rollcall, "/health/ready");
                    assertThat(ready.status()).isEqualTo(503);
                    assertThat(ready.body())
                            .contains("schema %d of the registry".formatted(foreign), "device-heartbeat-0 waits");
                });
                assertThat(get(rollcall, "/metrics").body()).contains("rollcall_held_partitions 1.0");
                RealContext.sleep(Duration.ofSeconds(5));
                context.heartbeat(other, "phone", ONLINE);
                context.awaitEmitted(other, 3);
                assertThat(refused).isEmpty();
                assertThat(context.emitted(alice)).hasSize(1);
                assertThat(context.spokenOf()).doesNotContain(shown, hidden, behind);

                registry.startAgain();
                context.awaitState(List.of(behind), ONLINE);
                context.awaitState(List.of(shown), OFFLINE);
                assertThat(context.emitted(shown)).extracting(Emitted::state).containsExactly(ONLINE, OFFLINE);
                assertThat(context.emitted(alice))
                        .extracting(one -> one.state() + " " + one.presence().status())
                        .containsExactly("IDLE null", "ONLINE null", "ONLINE after it");
                assertThat(context.spokenOf()).doesNotContain(hidden);
                assertThat(refused).isEmpty();
                context.assertHistoriesAreWhole();
                await().untilAsserted(() ->
                        assertThat(get(rollcall, "/health/ready").status()).isEqualTo(200));
            }
        }
    }

    @Test
    void shouldSayWhatIsMissingWhenItIsToWriteAndTheRegistryIsAway(@TempDir Path data) {
        StringWriter err = new StringWriter();
        int code = Main.commandLine()
                .setOut(new PrintWriter(new StringWriter()))
                .setErr(new PrintWriter(err, true))
                .execute(
                        "send",
                        "heartbeat",
                        "@alice:example.org",
                        "phone",
                        "--set",
                        "data.dir=" + data,
                        "--set",
                        "schema.registry.url=http://127.0.0.1:1/none",
                        "--set",
                        "schema.registry.write=true");

        assertThat(code).isEqualTo(69);
        assertThat(err.toString())
                .contains("the schema registry has not told the id of dev.rollcall.v1.", "http://127.0.0.1:1/none")
                .doesNotContain("\tat ");
    }

    // ---- helpers ----

    private static Rollcall start(Path data, String... more) {
        List<String> all = new ArrayList<>(List.of(more));
        all.addAll(List.of("schema.registry.url", registry.url()));
        return Rollcall.start(RollcallConfig.of(RealContext.settings(data, all.toArray(String[]::new))));
    }

    /** Users of one of the partitions. */
    private static List<String> users(int partition) {
        UserPartitioner partitioner = new UserPartitioner(RealContext.PARTITIONS);
        return IntStream.range(0, 100)
                .mapToObj("@user%d:example.org"::formatted)
                .filter(user -> partitioner.partitionOf(UserId.of(user)) == partition)
                .toList();
    }

    private record Answer(int status, String body) {}

    private static Answer get(Rollcall rollcall, String path) throws Exception {
        var response = HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create(rollcall.httpUrl().orElseThrow() + path))
                                .build(),
                        BodyHandlers.ofString());
        return new Answer(response.statusCode(), response.body());
    }

    private static String run(Rollcall rollcall, String... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of(
                "--set", "bootstrap.servers=" + rollcall.bootstrapServers(),
                "--set", "schema.registry.url=" + registry.url()));
        int code = Main.commandLine()
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(all.toArray(String[]::new));
        assertThat(code).as(err.toString()).isZero();
        return out.toString();
    }

    private static JsonNode json(String text) throws IOException {
        return JSON.readTree(text);
    }

    private static void send(KafkaProducer<byte[], byte[]> producer, String topic, String user, byte[] value) {
        RealContext.acknowledged(producer.send(new ProducerRecord<>(topic, user.getBytes(UTF_8), value)));
    }

    private static String header(ConsumerRecord<byte[], byte[]> record, String name) {
        return new String(record.headers().lastHeader(name).value(), UTF_8);
    }

    // ---- values, as any Avro library writes and reads them ----

    private static byte[] heartbeat(int id, Schema schema, PresenceState state) throws IOException {
        Schema states = schema.getField("state").schema().getTypes().get(1);
        return registered(
                id,
                new GenericRecordBuilder(schema)
                        .set("device_id", "tablet")
                        .set("state", new GenericData.EnumSymbol(states, state.name()))
                        .build());
    }

    private static byte[] foreign(PresenceState state) throws IOException {
        Schema states = FOREIGN.getField("state").schema().getTypes().get(1);
        return registered(
                foreign,
                new GenericRecordBuilder(FOREIGN)
                        .set("app_version", "1.2.3")
                        .set("device_id", "tablet")
                        .set("state", new GenericData.EnumSymbol(states, state.name()))
                        .build());
    }

    private static byte[] text(String text) throws IOException {
        return registered(
                texts, new GenericRecordBuilder(TEXT).set("text", text).build());
    }

    private static byte[] flag(boolean appearOffline) throws IOException {
        return registered(
                flags,
                new GenericRecordBuilder(FLAG)
                        .set("appear_offline", appearOffline)
                        .build());
    }

    private static byte[] registered(int id, GenericRecord value) throws IOException {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        var encoder = EncoderFactory.get().binaryEncoder(body, null);
        new GenericDatumWriter<GenericRecord>(value.getSchema()).write(value, encoder);
        encoder.flush();
        return registered(id, body.toByteArray());
    }

    private static byte[] registered(int id, byte[] body) {
        return ByteBuffer.allocate(5 + body.length)
                .put((byte) 0)
                .putInt(id)
                .put(body)
                .array();
    }

    private static GenericRecord decoded(ConsumerRecord<byte[], byte[]> record) throws Exception {
        byte[] value = record.value();
        Schema schema =
                new Schema.Parser().parse(registry.schema(ByteBuffer.wrap(value).getInt(1)));
        return new GenericDatumReader<GenericRecord>(schema)
                .read(null, DecoderFactory.get().binaryDecoder(value, 5, value.length - 5, null));
    }

    private static boolean isText(ConsumerRecord<byte[], byte[]> record, String text) throws Exception {
        Object status = decoded(record).get("status");
        return status != null && text.contentEquals(status.toString());
    }

    private static Topic<byte[], byte[]> raw(String topic) {
        return new Topic<>(topic, Serdes.ByteArray(), Serdes.ByteArray());
    }

    private static Schema published(String record) {
        try {
            return new Schema.Parser().parse(Files.readString(Path.of("schemas", record + ".avsc")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
