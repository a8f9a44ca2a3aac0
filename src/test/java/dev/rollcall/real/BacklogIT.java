package dev.rollcall.real;

import static dev.rollcall.domain.PresenceState.OFFLINE;
import static dev.rollcall.domain.PresenceState.ONLINE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.app.Rollcall;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.UserId;
import dev.rollcall.embedded.EmbeddedBroker;
import dev.rollcall.real.RealContext.Emitted;
import dev.rollcall.wire.Inbound;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.config.ConfigResource;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The processor was away for ten minutes, the devices and the log were not.
 *
 * <p>Nobody can make a broker stamp a record with a time that is past, so here the heartbeats carry their producer's time
 * (CreateTime, until the backlog is written). That is as honest as the real topic's LogAppendTime, since it is the same log:
 * one producer writes all of it in the order of time, on the broker's own machine and clock, and nothing is stamped ahead
 * of now. What the processor has to get right is the same: minutes of log time go by in a second, and none of it counts
 * before the heartbeats within it have been read.
 */
@Timeout(180)
class BacklogIT {
    private static final Duration BACKLOG = Duration.ofMinutes(10);
    private static final int DEVICES = 10_000;

    /** The default. */
    private static final Duration LEASE = Duration.ofSeconds(30);

    private static final int STEP_MS = 100;

    private final long seed = Long.getLong("rollcall.test.seed", System.nanoTime());

    @TempDir
    private Path dataDir;

    @Test
    void shouldCallNobodyOfflineWhoIsThereWhenItCatchesUp() throws Exception {
        System.out.printf("BacklogIT: -Drollcall.test.seed=%d%n", seed);
        try (EmbeddedBroker broker = EmbeddedBroker.start(dataDir.resolve("broker"), 0)) {
            makeHeartbeatTopic(broker);
            Devices devices = new Devices(broker, System.currentTimeMillis() - BACKLOG.toMillis());
            Thread living = new Thread(devices, "devices");
            living.start();
            try {
                assertThat(devices.backlogWritten.await(60, TimeUnit.SECONDS))
                        .as("the backlog is written")
                        .isTrue();
                try (Rollcall rollcall = Rollcall.start(RollcallConfig.of(RealContext.settings(
                                dataDir.resolve("processor"), "bootstrap.servers", broker.bootstrapServers())));
                        RealContext context = new RealContext(rollcall.bootstrapServers())) {
                    // The first that a reader hears of time: those who fell silent two minutes ago.
                    context.awaitState(devices.silent, OFFLINE);
                    RealContext.sleep(Duration.ofSeconds(5));

                    assertThat(devices.failure).isNull();
                    assertThat(context.spokenOf()).hasSize(DEVICES);
                    assertThat(context.everOffline(devices.living))
                            .as("flapped")
                            .isEmpty();
                    for (int i = 0; i < DEVICES; i++) {
                        boolean lives = i < devices.living.size();
                        String user = lives ? devices.living.get(i) : devices.silent.get(i - devices.living.size());
                        List<Emitted> emitted = context.emitted(user);
                        assertThat(emitted).as(user).hasSize(lives ? 1 : 2);
                        assertThat(emitted.get(0).state()).as(user).isEqualTo(ONLINE);
                        assertThat(emitted.get(0).presence().since()).as(user).isEqualTo(devices.first[i]);
                        if (!lives) {
                            long deadline = devices.last[i] + LEASE.toMillis();
                            assertThat(emitted.get(1).presence().since())
                                    .as(user)
                                    .isEqualTo(deadline);
                        }
                    }
                    context.assertHistoriesAreWhole();
                }
            } finally {
                devices.stopped = true;
                living.join();
            }
        }
    }

    private static void makeHeartbeatTopic(EmbeddedBroker broker) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrapServers()))) {
            NewTopic topic = new NewTopic(RealContext.TOPICS.heartbeats().name(), RealContext.PARTITIONS, (short) 1)
                    .configs(Map.of("message.timestamp.type", "CreateTime"));
            admin.createTopics(List.of(topic)).all().get();
        }
    }

    /** As the topic has to be for the processor to run. */
    private static void stampByTheBroker(Admin admin) throws InterruptedException {
        ConfigResource topic = new ConfigResource(
                ConfigResource.Type.TOPIC, RealContext.TOPICS.heartbeats().name());
        AlterConfigOp change =
                new AlterConfigOp(new ConfigEntry("message.timestamp.type", "LogAppendTime"), AlterConfigOp.OpType.SET);
        try {
            admin.incrementalAlterConfigs(Map.of(topic, List.of(change))).all().get();
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Every device beats each 10 to 25 s, first through the past as fast as it can be written, then as time goes by. */
    private final class Devices implements Runnable {
        final List<String> living = RealContext.users("living", DEVICES - 50);
        final List<String> silent = RealContext.users("silent", 50);
        final CountDownLatch backlogWritten = new CountDownLatch(1);
        volatile boolean stopped;
        volatile @Nullable Exception failure;

        private final Random random = new Random(seed);
        private final KafkaProducer<byte[], byte[]> producer;
        private final Admin admin;
        private final long begin;
        /** In the order of {@link #living} and then {@link #silent}, in ms since the epoch. */
        final long[] first = new long[DEVICES];

        final long[] last = new long[DEVICES];
        private final long[] next = new long[DEVICES];
        private final byte[][] keys = new byte[DEVICES][];
        private final byte[] beat = RealContext.bytes(
                RealContext.TOPICS.heartbeats(),
                new Inbound.Beat(new Heartbeat("phone", null, false, OptionalLong.empty(), null)));

        Devices(EmbeddedBroker broker, long begin) {
            admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrapServers()));
            this.begin = begin;
            producer = RealContext.producer(broker.bootstrapServers(), Map.of("linger.ms", 5));
            List<String> users = new ArrayList<>(living);
            users.addAll(silent);
            for (int i = 0; i < DEVICES; i++) {
                keys[i] = UserId.of(users.get(i)).bytes();
                next[i] = begin + random.nextInt(10_000);
            }
        }

        @Override
        public void run() {
            try (producer;
                    admin) {
                for (long time = begin; !stopped; time += STEP_MS) {
                    long ahead = time - System.currentTimeMillis();
                    if (ahead > 0) {
                        if (backlogWritten.getCount() > 0) {
                            caughtUp(time);
                        }
                        Thread.sleep(Math.max(0, time - System.currentTimeMillis()));
                    }
                    step(time);
                }
            } catch (InterruptedException | RuntimeException e) {
                failure = e;
            }
        }

        /** From here on the broker stamps. What was still under way would leave a gap in the stamps: not until it is there. */
        private void caughtUp(long time) throws InterruptedException {
            producer.flush();
            if (System.currentTimeMillis() - time < STEP_MS) {
                stampByTheBroker(admin);
                backlogWritten.countDown();
            }
        }

        private void step(long time) {
            // For half of the backlog there was another processor, which died before it could commit anything.
            if ((time - begin) % 1_000 < STEP_MS && time - begin < BACKLOG.toMillis() / 2) {
                byte[] tick =
                        RealContext.bytes(RealContext.TOPICS.heartbeats(), new Inbound.ClockTick("the one before"));
                for (int partition = 0; partition < RealContext.PARTITIONS; partition++) {
                    send(partition, time, null, tick);
                }
            }
            boolean silentNow =
                    time >= begin + BACKLOG.toMillis() - Duration.ofMinutes(2).toMillis();
            for (int i = 0; i < DEVICES; i++) {
                boolean beats = i < living.size() || !silentNow;
                if (beats && next[i] <= time) {
                    send(null, time, keys[i], beat);
                    first[i] = first[i] == 0 ? time : first[i];
                    last[i] = time;
                    next[i] = time + 10_000 + random.nextInt(15_001);
                }
            }
        }

        private void send(@Nullable Integer partition, long time, byte @Nullable [] key, byte[] value) {
            var unused = producer.send(
                    new ProducerRecord<>(RealContext.TOPICS.heartbeats().name(), partition, time, key, value),
                    (metadata, problem) -> {
                        if (problem != null) {
                            failure = problem;
                        }
                    });
        }
    }
}
