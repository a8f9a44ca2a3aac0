package dev.rollcall.real;

import static dev.rollcall.domain.PresenceState.IDLE;
import static dev.rollcall.domain.PresenceState.OFFLINE;
import static dev.rollcall.domain.PresenceState.ONLINE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.embedded.EmbeddedBroker;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A later version has stored users in a format of its own, and somebody starts this one again. */
@Timeout(300)
class RollbackIT {
    private static final String HIDDEN = "@hidden:example.org";
    private static final String TEXTED = "@texted:example.org";
    private static final List<String> USERS = RealContext.users("user", 24);
    private static final List<String> ALL =
            Stream.concat(USERS.stream(), Stream.of(HIDDEN, TEXTED)).toList();
    private static final List<String> WRITTEN = List.of("presence", "rollcall-users-changelog");

    @TempDir
    private Path dir;

    private EmbeddedBroker broker;

    @BeforeEach
    void startBroker() {
        broker = EmbeddedBroker.start(dir.resolve("broker"), 0);
    }

    @AfterEach
    void stopBroker() {
        broker.close();
    }

    @Test
    void shouldRefuseWhatALaterVersionStoredAndLeaveItToThatOne() throws Exception {
        String later = LaterVersion.classPath(dir.resolve("later"));
        String present = System.getProperty("java.class.path");
        try (RollcallProcess first = start(present, "first")) {
            first.awaitReady();
            try (RealContext context = new RealContext(broker.bootstrapServers())) {
                beat(context, ONLINE);
                context.awaitState(ALL, ONLINE);
                context.hide(HIDDEN);
                context.text(TEXTED, "Back soon");
                context.awaitEmitted(HIDDEN, 2);
                context.awaitEmitted(TEXTED, 2);
                stop(first);
                upgradeAndRollBack(context, later, present);
            }
        }
    }

    private void upgradeAndRollBack(RealContext context, String later, String present) throws Exception {
        try (RollcallProcess upgraded = start(later, "upgraded")) {
            upgraded.awaitReady();
            beat(context, null);
            beat(context, IDLE);
            context.awaitState(USERS, IDLE);
            USERS.forEach(user -> assertThat(context.emitted(user)).as(user).hasSize(2));
            context.awaitEmitted(TEXTED, 3);
            stop(upgraded);
        }
        Map<TopicPartition, Long> before = ends();

        try (RollcallProcess rolledBack = start(present, "rolled-back")) {
            assertThat(rolledBack.awaitEnd()).isEqualTo(70);
            assertThat(rolledBack.emitted())
                    .contains("Rollcall has stopped", "no schema with the fingerprint")
                    .contains("If a later version stored it")
                    .contains("docs/operations.md, \"Roll back\"");
        }
        assertThat(ends()).as("what was written by the one that refused").isEqualTo(before);

        try (RollcallProcess again = start(later, "again")) {
            again.awaitReady();
            beat(context, null);
            beat(context, ONLINE);
            context.awaitState(USERS, ONLINE);
            USERS.forEach(user -> assertThat(context.emitted(user)).as(user).hasSize(3));
            assertThat(context.lastEmitted(HIDDEN).state()).isEqualTo(OFFLINE);
            assertThat(context.awaitEmitted(TEXTED, 4).presence().status()).isEqualTo("Back soon");
            context.assertHistoriesAreWhole();
            stop(again);
        }
    }

    private static void stop(RollcallProcess process) throws InterruptedException {
        process.terminate();
        process.awaitEnd();
    }

    private void beat(RealContext context, @Nullable PresenceState state) {
        ALL.forEach(user ->
                context.heartbeat(user, new Heartbeat("phone", state, false, OptionalLong.of(86_400_000), null)));
    }

    private Map<TopicPartition, Long> ends() throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrapServers()))) {
            Map<TopicPartition, OffsetSpec> asked = new TreeMap<>(Comparator.comparing(TopicPartition::toString));
            for (String topic : WRITTEN) {
                for (int partition = 0; partition < RealContext.PARTITIONS; partition++) {
                    asked.put(new TopicPartition(topic, partition), OffsetSpec.latest());
                }
            }
            Map<TopicPartition, Long> ends = new HashMap<>();
            admin.listOffsets(asked).all().get().forEach((partition, end) -> ends.put(partition, end.offset()));
            return ends;
        }
    }

    private RollcallProcess start(String classPath, String name) throws Exception {
        Map<String, String> settings =
                RealContext.settings(dir.resolve("data"), "bootstrap.servers", broker.bootstrapServers());
        return RollcallProcess.with(classPath, settings, dir.resolve(name + ".log"));
    }
}
