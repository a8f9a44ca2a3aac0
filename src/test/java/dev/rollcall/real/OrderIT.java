package dev.rollcall.real;

import static dev.rollcall.domain.PresenceState.IDLE;
import static dev.rollcall.domain.PresenceState.OFFLINE;
import static dev.rollcall.domain.PresenceState.ONLINE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.app.Rollcall;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.UserId;
import dev.rollcall.embedded.EmbeddedBroker;
import dev.rollcall.real.RealContext.Beating;
import dev.rollcall.real.RealContext.Said;
import dev.rollcall.wire.Inbound;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What order records take effect in (rule 7), through real partitions, fetches and bundles. */
@Timeout(180)
class OrderIT {
    private static final int USERS = 60;

    @TempDir
    private Path dataDir;

    @Test
    void shouldTakeEffectInTheOrderOfTheStampsWhenABacklogIsRead() throws Exception {
        List<String> hiding = RealContext.users("hiding", USERS);
        List<String> seen = RealContext.users("seen", USERS);
        try (EmbeddedBroker broker = EmbeddedBroker.start(dataDir.resolve("broker"), 0)) {
            start(broker).close(); // the topics are there now, and nobody reads them
            try (RealContext context = new RealContext(broker.bootstrapServers())) {
                Beating others = context.keepBeating(RealContext.users("other", 200), Duration.ofMillis(5));
                for (int i = 0; i < USERS; i++) {
                    context.hide(hiding.get(i));
                    context.heartbeat(seen.get(i), "phone", ONLINE);
                    RealContext.sleep(Duration.ofMillis(20));
                    context.heartbeat(hiding.get(i), "phone", ONLINE);
                    context.hide(seen.get(i));
                }
                others.stop();
                try (Rollcall rollcall = start(broker)) {
                    assertThat(rollcall.bootstrapServers()).isEqualTo(broker.bootstrapServers());
                    context.awaitState(seen, OFFLINE);

                    assertThat(context.spokenOf()).doesNotContainAnyElementsOf(hiding);
                    for (String user : seen) {
                        assertThat(context.said(user))
                                .as(user)
                                .extracting(Said::state)
                                .containsExactly(ONLINE, OFFLINE);
                    }
                    context.assertHistoriesAreWhole();
                }
            }
        }
    }

    /** Nobody can make a broker's clock step, so these heartbeats have their producer's stamps; the processor sees the same. */
    @Test
    void shouldApplyTheLaterRecordWhenTheStampsOfTheLogStepBack() throws Exception {
        try (EmbeddedBroker broker = EmbeddedBroker.start(dataDir.resolve("broker"), 0)) {
            start(broker).close();
            try (RealContext context = new RealContext(broker.bootstrapServers())) {
                stampedBy("CreateTime", broker);
                long now = System.currentTimeMillis();
                try (KafkaProducer<byte[], byte[]> producer = context.producer(Map.of())) {
                    write(producer, "@step:example.org", ONLINE, now);
                    write(producer, "@step:example.org", IDLE, now - 200);
                    write(producer, "@hour:example.org", ONLINE, now + 3_500_000); // a broker takes an hour
                    write(producer, "@hour:example.org", OFFLINE, now);
                }
                stampedBy("LogAppendTime", broker);
                try (Rollcall rollcall = start(broker)) {
                    assertThat(rollcall.bootstrapServers()).isEqualTo(broker.bootstrapServers());
                    context.awaitState(List.of("@step:example.org"), IDLE);
                    context.awaitState(List.of("@hour:example.org"), OFFLINE);
                    context.awaitState(List.of("@step:example.org"), OFFLINE); // its lease is no hour long
                    context.assertHistoriesAreWhole();
                }
            }
        }
    }

    private Rollcall start(EmbeddedBroker broker) throws Exception {
        Rollcall rollcall = Rollcall.start(RollcallConfig.of(RealContext.settings(
                dataDir.resolve("processor"),
                "bootstrap.servers",
                broker.bootstrapServers(),
                "device.lease.ms",
                "20000")));
        rollcall.awaitReady();
        return rollcall;
    }

    private static void write(KafkaProducer<byte[], byte[]> producer, String user, PresenceState state, long stamp) {
        Heartbeat heartbeat = new Heartbeat("phone", state, false, OptionalLong.empty(), null);
        RealContext.acknowledged(producer.send(new ProducerRecord<>(
                RealContext.TOPICS.heartbeats().name(),
                null,
                stamp,
                UserId.of(user).bytes(),
                RealContext.bytes(RealContext.TOPICS.heartbeats(), new Inbound.Beat(heartbeat)))));
    }

    private static void stampedBy(String type, EmbeddedBroker broker) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrapServers()))) {
            ConfigResource topic = new ConfigResource(
                    ConfigResource.Type.TOPIC, RealContext.TOPICS.heartbeats().name());
            AlterConfigOp change =
                    new AlterConfigOp(new ConfigEntry("message.timestamp.type", type), AlterConfigOp.OpType.SET);
            admin.incrementalAlterConfigs(Map.of(topic, List.of(change))).all().get();
        }
    }
}
