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
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.Presence;
import dev.rollcall.domain.StatusText;
import dev.rollcall.embedded.EmbeddedBroker;
import dev.rollcall.session.ShardHeartbeat;
import dev.rollcall.wire.Inbound;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The commands that look into what is stored and written, and correct it, on a real broker. */
@Timeout(180)
class RepairIT {
    private static final String ALICE = "@alice:example.org";
    private static final String BOB = "@bob:example.org";
    private static final String CAROL = "@carol:example.org";
    private static final OptionalLong LONG = OptionalLong.of(3_600_000);

    @TempDir
    private Path dir;

    private EmbeddedBroker broker;

    @BeforeEach
    void startBroker() {
        broker = EmbeddedBroker.start(dir.resolve("kafka"), 0);
    }

    @AfterEach
    void stopBroker() {
        broker.close();
    }

    // ---- inspect ----

    @Test
    void shouldTellAllThatIsKnownOfAUserWhenInspected() throws Exception {
        try (Rollcall rollcall = start();
                RealContext context = context()) {
            rollcall.awaitReady();
            context.heartbeat(ALICE, new Heartbeat("phone", IDLE, false, LONG, "shard-1"));
            context.awaitEmitted(ALICE, 1);
            context.text(ALICE, "evil \u202e\u001b[2J");
            context.awaitEmitted(ALICE, 2);
            try (KafkaProducer<byte[], byte[]> producer = context.producer(Map.of())) {
                for (int partition = 0; partition < RealContext.PARTITIONS; partition++) {
                    send(producer, partition, new ShardHeartbeat("shard-2", "s", 1, OptionalLong.empty(), false));
                }
            }
            context.heartbeat(ALICE, new Heartbeat("tab", ONLINE, false, OptionalLong.empty(), "shard-2", "s"));
            context.awaitEmitted(ALICE, 3);
            context.hide(ALICE);
            context.awaitEmitted(ALICE, 4);
            await().until(() ->
                    json("inspect", ALICE).at("/stored/published/sequence").asInt() == 4);

            JsonNode alice = json("inspect", ALICE, "--heartbeats");
            assertThat(alice.get("differences")).isEmpty();
            assertThat(alice.at("/presence/state").asText()).isEqualTo("OFFLINE");
            assertThat(alice.at("/presence/sequence").asInt()).isEqualTo(4);
            assertThat(alice.at("/stored/appear_offline").asBoolean()).isTrue();
            assertThat(alice.at("/stored/text").asText()).isEqualTo("evil \u202e\u001b[2J");
            assertThat(alice.at("/status/text").asText()).isEqualTo("evil \u202e\u001b[2J");
            assertThat(alice.at("/appear_offline/appear_offline").asBoolean()).isTrue();
            assertThat(alice.at("/stored/devices"))
                    .anySatisfy(device -> {
                        assertThat(device.get("device_id").asText()).isEqualTo("phone");
                        assertThat(device.get("state").asText()).isEqualTo("IDLE");
                        assertThat(device.get("lease_ms").asLong()).isEqualTo(3_600_000);
                        assertThat(device.get("because").asText()).contains("its whole shard is silent");
                    })
                    .anySatisfy(device -> {
                        assertThat(device.get("device_id").asText()).isEqualTo("tab");
                        assertThat(device.get("session").asText()).isEqualTo("s");
                        assertThat(device.get("because").asText()).startsWith("its session is alive");
                    });
            assertThat(alice.at("/heartbeats")).hasSize(2);

            Outcome text = run("inspect", ALICE);
            assertThat(text.out())
                    .contains("text: evil \\u202e\\u001b[2J")
                    .contains("differences: none")
                    .doesNotContain("\u202e", "\u001b");
            assertThat(json("inspect", "@nobody:example.org").get("known").asBoolean())
                    .isFalse();

            // Somebody else writes to presence: the next who looks sees it.
            Presence foreign = new Presence(ONLINE, null, null, 1, null, 99);
            write(context, RealContext.TOPICS.presence().name(), ALICE, serialized(foreign));
            assertThat(run("inspect", ALICE).out())
                    .contains("sequence: presence has 99, what is stored has 4")
                    .contains("text: presence has null, what is stored has evil");
        }
    }

    @Test
    void shouldRefuseAWrongCommandLine() {
        assertThat(run("inspect").code()).isEqualTo(64);
        assertThat(run("inspect", "").code()).isEqualTo(64);
        assertThat(run("dead-letters").code()).isEqualTo(64);
        assertThat(run("dead-letters", "list", "--since", "soon").code()).isEqualTo(64);
        assertThat(run("dead-letters", "list", "--limit", "0").code()).isEqualTo(64);
        assertThat(run("dead-letters", "list", "--reason", "nonsense").code()).isEqualTo(64);
        assertThat(run("dead-letters", "show", "17").code()).isEqualTo(64);
        assertThat(run("dead-letters", "replay").code()).isEqualTo(64);
        assertThat(run("dead-letters", "replay", "0:1", "--all").code()).isEqualTo(64);
        assertThat(run("republish", "--to", "status").code()).isEqualTo(64);
        assertThat(run("forget").code()).isEqualTo(64);
        assertThat(run("forget", ALICE, "--verify", "--dry-run").code()).isEqualTo(64);
        assertThat(run("republish", "--to", "nowhere").code()).isEqualTo(78);
        for (String command : List.of("inspect", "dead-letters", "republish", "forget")) {
            assertThat(run(command, "--help").out()).contains("Example");
        }
    }

    // ---- dead letters ----

    @Test
    void shouldListShowAndReplayDeadLetters() throws Exception {
        try (Rollcall rollcall = start();
                RealContext context = context()) {
            rollcall.awaitReady();
            write(context, "status", ALICE, "nonsense".getBytes(UTF_8)); // 1: would be refused again
            context.heartbeat(BOB, new Heartbeat("phone", null, false, LONG, null));
            write(context, "device-heartbeat", BOB, "nonsense".getBytes(UTF_8)); // 2: a heartbeat
            context.text(BOB, "old");
            context.awaitEmitted(BOB, 2);
            await().until(() -> json("dead-letters", "list").get("found").asInt() == 2);

            JsonNode undecodable = json("dead-letters", "list", "--reason", "undecodable", "--since", "PT1H");
            assertThat(undecodable.get("letters")).hasSize(2).anySatisfy(letter -> {
                assertThat(letter.get("topic").asText()).isEqualTo("status");
                assertThat(letter.get("key").asText()).isEqualTo(ALICE);
                assertThat(letter.get("bytes").asInt()).isEqualTo(8);
            });
            assertThat(json("dead-letters", "list", "--reason", "null_key")
                            .get("found")
                            .asInt())
                    .isZero();
            assertThat(json("dead-letters", "list", "--since", "2100-01-01T00:00:00Z")
                            .get("found")
                            .asInt())
                    .isZero();
            assertThat(run("dead-letters", "list", "--limit", "1").out()).contains("the last 1 of 2");

            // As a version that did not know the schema yet has left them.
            byte[] text = RealContext.bytes(
                    RealContext.TOPICS.statuses(), new Inbound.Status(new StatusText("from the letter", null)));
            String carol = letter(context, CAROL, 99, text); // 3: nothing newer
            String bob = letter(context, BOB, partitionOf(BOB), text); // 4: there is a newer text
            JsonNode shown = json("dead-letters", "show", carol);
            assertThat(shown.at("/as_a_record_of/status").asText()).contains("from the letter");
            assertThat(shown.at("/as_a_record_of/device-heartbeat").asText()).startsWith("refused: ");
            assertThat(shown.at("/headers/own").asText()).isEqualTo("header");
            assertThat(shown.get("value_hex").asText()).startsWith("c301");
            assertThat(run("dead-letters", "show", "0:99").code()).isEqualTo(64);

            JsonNode dry = json("dead-letters", "replay", "--all", "--dry-run");
            assertThat(dry.get("replayed").asInt()).isEqualTo(1);
            assertThat(whyNot(dry)).anyMatch(why -> why.startsWith("a heartbeat: "));
            assertThat(whyNot(dry)).anyMatch(why -> why.startsWith("it would be refused again: "));
            assertThat(whyNot(dry)).anyMatch(why -> why.startsWith("there is a newer record of the user"));
            assertThat(context.emitted(CAROL)).isEmpty();

            assertThat(json("dead-letters", "replay", carol, bob)
                            .get("replayed")
                            .asInt())
                    .isEqualTo(1);
            assertThat(context.awaitEmitted(CAROL, 1).presence().status()).isEqualTo("from the letter");
            JsonNode second = json("dead-letters", "replay", "--reason", "unknown_schema");
            assertThat(second.get("replayed").asInt()).isZero();
            assertThat(whyNot(second)).anyMatch(why -> why.startsWith("it was replayed before"));
            JsonNode again = json("dead-letters", "replay", "--reason", "unknown_schema", "--again");
            assertThat(again.get("replayed").asInt()).isEqualTo(1);
            assertThat(context.lastEmitted(BOB).presence().status()).isEqualTo("old");
        }
    }

    /** The processor decides it once more: a text that was written after the command looked is not undone. */
    @Test
    void shouldUndoNothingNewerWhenALetterIsReplayed() throws Exception {
        try (Rollcall rollcall = start();
                RealContext context = context()) {
            rollcall.awaitReady();
            byte[] text = RealContext.bytes(
                    RealContext.TOPICS.statuses(), new Inbound.Status(new StatusText("from the letter", null)));
            String letter = letter(context, ALICE, 99, text);
            assertThat(json("dead-letters", "replay", letter).get("replayed").asInt())
                    .isEqualTo(1);
            context.awaitEmitted(ALICE, 1);
            context.text(ALICE, "newer");
            context.awaitEmitted(ALICE, 2);
            List<ConsumerRecord<byte[], Inbound>> replayed = new CopyOnWriteArrayList<>();
            try (var reader = context.read(RealContext.TOPICS.statuses(), replayed::add);
                    KafkaProducer<byte[], byte[]> producer = context.producer(Map.of())) {
                await().until(() -> replayed.size() == 2);
                reader.throwFailure();
                ConsumerRecord<byte[], Inbound> first = replayed.get(0);
                RealContext.acknowledged(producer.send(new ProducerRecord<>(
                        "status",
                        first.partition(),
                        null,
                        first.key(),
                        first.value().raw(),
                        first.headers())));
            }
            context.heartbeat(ALICE, "phone");
            assertThat(context.awaitEmitted(ALICE, 3).presence().status()).isEqualTo("newer");
        }
    }

    // ---- republish ----

    @Test
    void shouldPublishWhatIsStoredWhenTheOutputIsNewOrWasEmptied() throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrapServers()))) {
            try (Rollcall rollcall = start();
                    RealContext context = context()) {
                rollcall.awaitReady();
                context.heartbeat(ALICE, new Heartbeat("phone", IDLE, false, LONG, null));
                context.awaitEmitted(ALICE, 1);
                context.text(ALICE, "here");
                context.text(BOB, "away");
                context.awaitEmitted(ALICE, 2);
                context.awaitEmitted(BOB, 1);
                context.hide(CAROL); // nothing was ever published of her

                assertThat(run("republish").code()).isEqualTo(78);
                assertThat(run("republish").err()).contains("stop all instances first");
                admin.createTopics(List.of(
                                new NewTopic("presence-2", 3, (short) 1).configs(Map.of("cleanup.policy", "compact"))))
                        .all()
                        .get();
                JsonNode dry = json("republish", "--to", "presence-2", "--dry-run");
                assertThat(dry.get("written").asInt()).isEqualTo(2);
                assertThat(json("republish", "--to", "presence-2")
                                .get("written")
                                .asInt())
                        .isEqualTo(2);
                context.heartbeat(ALICE, new Heartbeat("phone", ONLINE, false, LONG, null));
                context.awaitEmitted(ALICE, 3);
                await().until(() -> json("republish", "--to", "presence-2", "--dry-run")
                                .get("written")
                                .asInt()
                        == 1);
                JsonNode more = json("republish", "--to", "presence-2");
                assertThat(more.get("written").asInt()).isEqualTo(1);
                assertThat(more.get("same_or_newer").asInt()).isEqualTo(1);
            }
            admin.deleteTopics(List.of("presence")).all().get();
            await().until(() -> !admin.listTopics().names().get().contains("presence"));
            assertThat(run("topics", "create").code()).isZero();
            assertThat(json("republish", "--dry-run").get("written").asInt()).isEqualTo(2);
            assertThat(run("republish").out()).contains("2 written");
            assertThat(json("republish").get("written").asInt()).isZero();
        }
        try (Rollcall rollcall = start();
                RealContext context = context()) {
            rollcall.awaitReady();
            await().until(() -> context.lastEmitted(ALICE) != null && context.lastEmitted(BOB) != null);
            Presence alice = context.lastEmitted(ALICE).presence();
            assertThat(alice.state()).isEqualTo(ONLINE);
            assertThat(alice.status()).isEqualTo("here");
            assertThat(alice.sequence()).isEqualTo(3);
            assertThat(context.lastEmitted(BOB).presence().status()).isEqualTo("away");
            context.heartbeat(ALICE, new Heartbeat("phone", IDLE, false, LONG, null));
            assertThat(context.awaitEmitted(ALICE, 2).presence().sequence()).isEqualTo(4);
            assertThat(context.emitted(CAROL)).isEmpty();
        }
    }

    // ---- forget ----

    @Test
    void shouldForgetAUserAtOnceOrAfterTheRetention() throws Exception {
        try (Rollcall rollcall = start();
                RealContext context = context()) {
            rollcall.awaitReady();
            context.heartbeat(ALICE, new Heartbeat("phone", null, false, OptionalLong.of(1_500), null));
            context.awaitEmitted(ALICE, 1);
            context.text(ALICE, "secret");
            context.awaitEmitted(ALICE, 2);
            context.hide(ALICE);
            context.awaitEmitted(ALICE, 3);

            JsonNode dry = json("forget", ALICE, "--dry-run");
            assertThat(dry.get("tombstones")).hasSize(2);
            assertThat(dry.get("left"))
                    .anySatisfy(left -> assertThat(left.asText()).startsWith("device-heartbeat: kept for 21600000 ms"));
            assertThat(json("inspect", ALICE).at("/status/text").asText()).isEqualTo("secret");

            assertThat(run("forget", ALICE).out()).contains("tombstone written to status-");
            Presence last = context.awaitEmitted(ALICE, 4).presence();
            assertThat(last.state()).isEqualTo(OFFLINE);
            assertThat(last.status()).isNull();
            assertThat(json("forget", ALICE).get("tombstones")).isEmpty();

            Outcome verify = run("forget", ALICE, "--verify");
            assertThat(verify.code()).isEqualTo(1);
            assertThat(verify.out())
                    .contains("until the processor forgets the user")
                    .contains("compaction is still to come")
                    .contains("kept for 21600000 ms (retention.ms)")
                    .contains("the id is still held");
            assertThat(run("forget", ALICE, "--now").code()).isEqualTo(78);
            assertThat(run("forget", "@nobody:example.org", "--verify").code()).isZero();
            await().until(() -> json("inspect", ALICE).at("/stored/devices").isEmpty());
        }
        assertThat(json("forget", ALICE, "--now", "--dry-run").get("tombstones"))
                .hasSize(2);
        assertThat(run("forget", ALICE, "--now").out())
                .contains("tombstone written to presence-")
                .contains("tombstone written to rollcall-users-changelog-");
        JsonNode traces = json(1, "forget", ALICE, "--verify");
        assertThat(traces.get("traces"))
                .allSatisfy(trace -> assertThat(trace.get("topic").asText().equals("device-heartbeat")
                                || trace.get("tombstones").asInt() == 1)
                        .isTrue());
        try (Rollcall rollcall = start();
                RealContext context = context()) {
            rollcall.awaitReady();
            context.heartbeat(ALICE, "phone"); // whose lease outlasts the command
            await().until(() -> json("inspect", ALICE).at("/presence/sequence").asInt() == 1);
        }
    }

    /** What the command leaves to the processor, the processor does. */
    @Test
    void shouldBeErasedByTheProcessorWhenTheRetentionIsOver() throws Exception {
        try (Rollcall rollcall = start("user.retention.ms", "1000")) {
            rollcall.awaitReady();
            RealContext.acknowledged(send(ALICE));
            try (KafkaProducer<byte[], byte[]> producer = RealContext.producer(broker.bootstrapServers(), Map.of())) {
                RealContext.acknowledged(producer.send(RealContext.record(
                        RealContext.TOPICS.statuses(), ALICE, new Inbound.Status(new StatusText("secret", null)))));
            }
            await().until(() ->
                    json("inspect", ALICE).at("/presence/text").asText().equals("secret"));
            assertThat(run("forget", ALICE).code()).isZero();
            await().until(() -> json("inspect", ALICE).at("/presence/forgotten").asBoolean());
            assertThat(json("inspect", ALICE).get("stored").isNull()).isTrue();
        }
    }

    // ---- what these tests have in common ----

    private Rollcall start(String... keysAndValues) {
        List<String> all = new ArrayList<>(List.of("bootstrap.servers", broker.bootstrapServers()));
        all.addAll(List.of(keysAndValues));
        return Rollcall.start(RollcallConfig.of(RealContext.settings(dir.resolve("data"), all.toArray(String[]::new))));
    }

    private RealContext context() {
        return new RealContext(broker.bootstrapServers());
    }

    private java.util.concurrent.Future<org.apache.kafka.clients.producer.RecordMetadata> send(String user) {
        KafkaProducer<byte[], byte[]> producer = RealContext.producer(broker.bootstrapServers(), Map.of());
        try (producer) {
            return producer.send(RealContext.record(
                    RealContext.TOPICS.heartbeats(),
                    user,
                    new Inbound.Beat(new Heartbeat("phone", null, false, OptionalLong.of(1_000), null))));
        }
    }

    private static void send(KafkaProducer<byte[], byte[]> producer, int partition, ShardHeartbeat beat) {
        RealContext.acknowledged(producer.send(new ProducerRecord<>(
                "device-heartbeat",
                partition,
                null,
                RealContext.bytes(RealContext.TOPICS.heartbeats(), new Inbound.ShardBeat(beat)))));
    }

    private static void write(RealContext context, String topic, String user, byte @Nullable [] value) {
        try (KafkaProducer<byte[], byte[]> producer = context.producer(Map.of())) {
            RealContext.acknowledged(producer.send(new ProducerRecord<>(topic, user.getBytes(UTF_8), value)));
        }
    }

    private static byte[] serialized(Presence presence) {
        return RealContext.TOPICS.presence().values().serializer().serialize("presence", presence);
    }

    private static int partitionOf(String user) {
        return BuiltInPartitioner.partitionForKey(user.getBytes(UTF_8), RealContext.PARTITIONS);
    }

    /** A dead letter of the topic status, of which the record is not there any more; returns its place. */
    private static String letter(RealContext context, String user, int partition, byte[] value) {
        ProducerRecord<byte[], byte[]> record =
                new ProducerRecord<>("presence-dead-letters", 0, user.getBytes(UTF_8), value);
        record.headers()
                .add("own", "header".getBytes(UTF_8))
                .add("rollcall.reason", "unknown_schema".getBytes(UTF_8))
                .add("__streams.errors.topic", "status".getBytes(UTF_8))
                .add("__streams.errors.partition", Integer.toString(partition).getBytes(UTF_8))
                .add("__streams.errors.offset", "-1".getBytes(UTF_8));
        try (KafkaProducer<byte[], byte[]> producer = context.producer(Map.of())) {
            return "0:" + RealContext.acknowledged(producer.send(record)).offset();
        }
    }

    private static List<String> whyNot(JsonNode replay) {
        List<String> all = new ArrayList<>();
        replay.get("letters").forEach(letter -> all.add(letter.path("why_not").asText()));
        return all;
    }

    private record Outcome(int code, String out, String err) {}

    private JsonNode json(String... arguments) throws Exception {
        return json(0, arguments);
    }

    private JsonNode json(int code, String... arguments) throws Exception {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.add("--json");
        Outcome outcome = run(all.toArray(String[]::new));
        assertThat(outcome.code()).as(outcome.err()).isEqualTo(code);
        assertThat(outcome.out()).as("nothing but ASCII").matches("\\p{ASCII}*");
        return new ObjectMapper().readTree(outcome.out());
    }

    private Outcome run(String... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of(
                "--set", "topic.partitions=" + RealContext.PARTITIONS,
                "--set", "bootstrap.servers=" + broker.bootstrapServers()));
        int code = Main.commandLine()
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(all.toArray(String[]::new));
        return new Outcome(code, out.toString(), err.toString());
    }
}
