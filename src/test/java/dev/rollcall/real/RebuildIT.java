package dev.rollcall.real;

import static dev.rollcall.domain.PresenceState.IDLE;
import static dev.rollcall.domain.PresenceState.OFFLINE;
import static dev.rollcall.domain.PresenceState.ONLINE;
import static dev.rollcall.real.RealContext.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.rollcall.app.Main;
import dev.rollcall.app.Rollcall;
import dev.rollcall.config.ConfigException;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.embedded.EmbeddedBroker;
import dev.rollcall.session.ShardHeartbeat;
import dev.rollcall.wire.Inbound;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The changelog is lost and made anew: nobody flaps, sequences go on, and who hides is not shown. */
@Timeout(240)
class RebuildIT {
    private static final List<String> CHANGELOGS = List.of("rollcall-users-changelog", "rollcall-shards-changelog");
    private static final List<String> STAYING = RealContext.users("staying", 20);
    private static final List<String> OPEN = RealContext.users("open", 5);
    private static final String GONE = "@gone:example.org";
    private static final String IDLING = "@idling:example.org";
    private static final String HIDDEN = "@hidden:example.org";
    private static final String TEXTED = "@texted:example.org";
    private static final String LEFT = "@left:example.org";
    private static final Duration BETWEEN_BEATS = Duration.ofMillis(500);
    private static final OptionalLong LONG = OptionalLong.of(3_600_000);

    @TempDir
    private Path dir;

    private EmbeddedBroker broker;
    private Admin admin;
    private int starts;

    @BeforeEach
    void startBroker() {
        broker = EmbeddedBroker.start(dir.resolve("kafka"), 0);
        admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrapServers()));
    }

    @AfterEach
    void stopBroker() {
        admin.close();
        broker.close();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldGoOnAsIfNothingHadBeenLostWhenRebuilt(boolean offsetsAreLost) throws Exception {
        try (RealContext context = publish(running -> {
            running.keepBeating(STAYING, BETWEEN_BEATS);
            running.heartbeat(GONE, "phone"); // has come and gone before anything is lost
            running.heartbeat(GONE, "phone", OFFLINE);
            running.awaitState(List.of(GONE), OFFLINE);
            running.heartbeat(LEFT, "phone"); // the last that is heard of this one
            running.heartbeat("@settled:example.org", "phone");
            running.awaitState(List.of("@settled:example.org"), ONLINE);
            assertThat(run("rebuild").code()).as("while it runs").isEqualTo(78);
        })) {
            assertThat(run("rebuild").err()).contains("still has records");
            lose(offsetsAreLost);

            JsonNode dry = json("rebuild", "--dry-run");
            assertThat(dry.get("users").asInt()).isEqualTo(STAYING.size() + OPEN.size() + 6);
            assertThat(dry.get("hidden").asInt()).isEqualTo(1);
            assertThat(dry.get("with_text").asInt()).isEqualTo(1);
            assertThat(dry.get("devices_unknown").asInt()).isZero();
            assertThat(dry.get("changed").asInt()).isZero();
            assertThat(admin.listTopics().names().get()).doesNotContainAnyElementsOf(CHANGELOGS);
            assertThat(json("rebuild").get("changed").asInt()).isZero();
            assertThat(run("check").code()).isZero();

            goesOn(context, more -> {
                assertThat(more.emitted(TEXTED)).hasSize(2);
                assertThat(more.emitted(GONE)).hasSize(2);
            });
        }
    }

    @Test
    void shouldSayWhatIsNotKnownAndTakeNobodyOfflineBeforeTheHoldWhenHeartbeatsAreGone() throws Exception {
        try (RealContext context = publish(running -> {
            deleteHeartbeats();
            running.keepBeating(STAYING, BETWEEN_BEATS);
            running.heartbeat(IDLING, new Heartbeat("phone", null, false, LONG, null)); // nobody knows that it is IDLE
            running.heartbeat("@settled:example.org", "phone");
            running.awaitState(List.of("@settled:example.org"), ONLINE);
        })) {
            lose(false);

            JsonNode rebuilt = json("rebuild", "--hold-ms", "15000");
            assertThat(rebuilt.get("devices_unknown").asInt())
                    .isBetween(OPEN.size() + 1, OPEN.size() + 2); // TEXTED, LEFT
            assertThat(rebuilt.get("states_unknown").asInt()).isGreaterThan(STAYING.size());
            assertThat(rebuilt.get("changed").asInt()).isZero();

            goesOn(context, more -> {
                more.awaitState(List.of(TEXTED), OFFLINE); // once the hold is over
                assertThat(more.lastEmitted(TEXTED).presence().status()).isEqualTo("text");
            });
        }
    }

    @Test
    void shouldMakeItAnewWhenWhatIsLeftIsDiscarded() throws Exception {
        try (RealContext context = publish(running -> running.keepBeating(STAYING, BETWEEN_BEATS))) {
            assertThat(run("rebuild", "--hold-ms", "0").code()).isEqualTo(64);
            assertThat(run("rebuild").code()).isEqualTo(78);
            assertThat(run("rebuild", "--help").out()).contains("Example");
            assertThat(json("rebuild", "--discard").get("changed").asInt()).isZero();
            goesOn(context, more -> assertThat(more.emitted(TEXTED)).hasSize(2));
        }
    }

    /** As an instance was left that was stopped earlier than the others. */
    @Test
    void shouldNotTakeOlderStateForNewerWhenAnInstanceStillHasItOnDisk() throws Exception {
        Path first = dir.resolve("first");
        int changes = 20; // so that its offsets are beyond what is rebuilt
        Rollcall one = start(first);
        one.awaitReady();
        try (RealContext context = new RealContext(broker.bootstrapServers())) {
            for (int i = 1; i <= changes; i++) {
                context.heartbeat(HIDDEN, new Heartbeat("phone", i % 2 == 0 ? ONLINE : IDLE, false, LONG, null));
                context.awaitEmitted(HIDDEN, i);
            }
            await().until(() -> Files.exists(first.resolve("rollcall.changelogs")));
            one.close();
            try (Rollcall rollcall = start(dir.resolve("second"))) {
                rollcall.awaitReady();
                context.hide(HIDDEN);
                context.awaitEmitted(HIDDEN, changes + 1);
            }
            lose(false);
            json("rebuild");
            try (Rollcall again = start(first)) {
                again.awaitReady();
                context.heartbeat(HIDDEN, new Heartbeat("phone", IDLE, false, LONG, null));
                context.text(HIDDEN, "text"); // is shown, and so tells that the heartbeat was read
                assertThat(context.awaitEmitted(HIDDEN, changes + 2).state())
                        .as("still hidden")
                        .isEqualTo(OFFLINE);
                context.assertHistoriesAreWhole();
            }
        }
    }

    @Test
    void shouldChangeNothingWhenItIsRefusedAsOneChangelogIsLeft() throws Exception {
        try (RealContext context = publish(running -> running.keepBeating(STAYING, BETWEEN_BEATS))) {
            String users = CHANGELOGS.get(0);
            admin.deleteTopics(List.of(users)).all().get();
            await().until(() -> !admin.listTopics().names().get().contains(users));

            Outcome refused = run("rebuild");

            assertThat(refused.code()).isEqualTo(78);
            assertThat(refused.err())
                    .startsWith(CHANGELOGS.get(1) + " still has records")
                    .contains("--discard");
            assertThat(admin.listTopics().names().get()).doesNotContain(users);
            assertThat(context.emitted(TEXTED)).hasSize(2);
        }
    }

    private interface Step {
        void run(RealContext context) throws Exception;
    }

    /** Publishes users who are online, idle, hidden, with a text, and with a connection that a shard holds; then stops. */
    private RealContext publish(Step more) throws Exception {
        try (Rollcall rollcall = start()) {
            rollcall.awaitReady();
            RealContext context = new RealContext(broker.bootstrapServers());
            publish(context);
            more.run(context);
            return context;
        }
    }

    private void publish(RealContext context) {
        context.heartbeats(STAYING, ONLINE);
        context.heartbeat(IDLING, new Heartbeat("phone", IDLE, false, LONG, null));
        context.heartbeat(TEXTED, new Heartbeat("phone", ONLINE, false, LONG, null));
        context.heartbeat(HIDDEN, new Heartbeat("phone", ONLINE, false, LONG, null));
        context.heartbeat(LEFT, "phone");
        shardHeartbeat(context);
        for (String user : OPEN) {
            context.heartbeat(user, new Heartbeat("ws", ONLINE, false, OptionalLong.empty(), "shard", "session"));
        }
        context.awaitState(STAYING, ONLINE);
        context.awaitState(OPEN, ONLINE);
        context.awaitState(List.of(IDLING), IDLE);
        context.awaitState(List.of(TEXTED, HIDDEN, LEFT), ONLINE);
        context.text(TEXTED, "text");
        context.hide(HIDDEN);
        context.awaitEmitted(TEXTED, 2);
        context.awaitEmitted(HIDDEN, 2);
    }

    /** With a changelog that was made anew: nobody has flapped, and what happens is published with the next sequence. */
    private void goesOn(RealContext context, Step more) throws Exception {
        try (Rollcall again = start()) {
            again.awaitReady();
            shardHeartbeat(context);
            for (String user : OPEN) { // the shard opens its connections again
                context.heartbeat(user, new Heartbeat("ws", ONLINE, false, OptionalLong.empty(), "shard", "session"));
            }
            context.awaitState(List.of(LEFT), OFFLINE); // its lease is over
            assertThat(context.emitted(LEFT)).hasSize(2);
            assertThat(context.lastEmitted(LEFT).presence().sequence()).isEqualTo(2);
            context.heartbeat(HIDDEN, new Heartbeat("phone", ONLINE, false, LONG, null));
            context.heartbeat("@later:example.org", "phone");
            context.awaitState(List.of("@later:example.org"), ONLINE);
            assertThat(STAYING)
                    .allSatisfy(user -> assertThat(context.emitted(user)).hasSize(1));
            assertThat(OPEN)
                    .allSatisfy(user -> assertThat(context.emitted(user)).hasSize(1));
            assertThat(context.emitted(IDLING)).hasSize(1);
            assertThat(context.emitted(HIDDEN)).as("still hidden").hasSize(2);

            context.heartbeat(IDLING, new Heartbeat("phone", ONLINE, false, LONG, null));
            assertThat(context.awaitEmitted(IDLING, 2).presence().sequence()).isEqualTo(2);
            context.unhide(HIDDEN);
            assertThat(context.awaitEmitted(HIDDEN, 3).state()).isEqualTo(ONLINE);
            more.run(context);
            context.assertHistoriesAreWhole();
        }
    }

    private void shardHeartbeat(RealContext context) {
        try (KafkaProducer<byte[], byte[]> producer = context.producer(Map.of())) {
            for (int partition = 0; partition < RealContext.PARTITIONS; partition++) {
                ShardHeartbeat beat = new ShardHeartbeat("shard", "session", 1, LONG, false);
                RealContext.acknowledged(producer.send(new ProducerRecord<>(
                        "device-heartbeat",
                        partition,
                        null,
                        RealContext.bytes(RealContext.TOPICS.heartbeats(), new Inbound.ShardBeat(beat)))));
            }
        }
    }

    private void deleteHeartbeats() throws Exception {
        Map<TopicPartition, RecordsToDelete> all = new HashMap<>();
        for (int partition = 0; partition < RealContext.PARTITIONS; partition++) {
            all.put(new TopicPartition("device-heartbeat", partition), RecordsToDelete.beforeOffset(-1));
        }
        admin.deleteRecords(all).all().get();
    }

    private void lose(boolean offsetsAreLost) throws Exception {
        admin.deleteTopics(CHANGELOGS).all().get();
        await().until(() -> admin.listTopics().names().get().stream().noneMatch(CHANGELOGS::contains));
        if (offsetsAreLost) {
            admin.deleteConsumerGroups(List.of("rollcall")).all().get();
        } else {
            assertThatThrownBy(this::start).isInstanceOf(ConfigException.class);
        }
    }

    private Rollcall start() {
        return start(dir.resolve("data" + starts++));
    }

    private Rollcall start(Path data) {
        return Rollcall.start(RollcallConfig.of(
                RealContext.settings(data, "bootstrap.servers", broker.bootstrapServers(), "device.lease.ms", "4000")));
    }

    private record Outcome(int code, String out, String err) {}

    private JsonNode json(String... arguments) throws Exception {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.add("--json");
        Outcome outcome = run(all.toArray(String[]::new));
        assertThat(outcome.code()).as(outcome.err()).isZero();
        return new ObjectMapper().readTree(outcome.out());
    }

    private Outcome run(String... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of("--set", "bootstrap.servers=" + broker.bootstrapServers(), "--set", "device.lease.ms=4000"));
        int code = Main.commandLine()
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(all.toArray(String[]::new));
        return new Outcome(code, out.toString(), err.toString());
    }
}
