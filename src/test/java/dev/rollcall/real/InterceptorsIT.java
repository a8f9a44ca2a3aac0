package dev.rollcall.real;

import static dev.rollcall.domain.PresenceState.ONLINE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.app.Rollcall;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.consumer.HeartbeatBundles;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.ConsumerInterceptor;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** An operator's own interceptor, as tracing has them, beside the one that bundles heartbeats. */
@Timeout(120)
class InterceptorsIT {
    private static final int USERS = 2000;

    @TempDir
    private Path dataDir;

    /** Gives each record headers of its own, as an interceptor does that adds one. */
    public static final class HeaderCopying implements ConsumerInterceptor<byte[], byte[]> {
        static final AtomicInteger SEEN = new AtomicInteger();

        @Override
        public ConsumerRecords<byte[], byte[]> onConsume(ConsumerRecords<byte[], byte[]> polled) {
            Map<TopicPartition, List<ConsumerRecord<byte[], byte[]>>> all = new HashMap<>();
            for (TopicPartition partition : polled.partitions()) {
                List<ConsumerRecord<byte[], byte[]>> copies = new ArrayList<>();
                polled.records(partition).forEach(record -> copies.add(copy(record)));
                all.put(partition, copies);
                SEEN.addAndGet(copies.size());
            }
            return new ConsumerRecords<>(all, polled.nextOffsets());
        }

        private static ConsumerRecord<byte[], byte[]> copy(ConsumerRecord<byte[], byte[]> record) {
            return new ConsumerRecord<>(
                    record.topic(),
                    record.partition(),
                    record.offset(),
                    record.timestamp(),
                    record.timestampType(),
                    record.serializedKeySize(),
                    record.serializedValueSize(),
                    record.key(),
                    record.value(),
                    new RecordHeaders(record.headers().toArray()),
                    record.leaderEpoch(),
                    Optional.empty());
        }

        @Override
        public void onCommit(Map<TopicPartition, OffsetAndMetadata> offsets) {}

        @Override
        public void close() {}

        @Override
        public void configure(Map<String, ?> settings) {}
    }

    @ParameterizedTest
    @CsvSource({"kafka.consumer., ''", "kafka.main.consumer., ''", "kafka.main.consumer., behind"})
    void shouldTakeEveryHeartbeatWhenAnotherInterceptorCopiesHeaders(String prefix, String place) {
        String own = HeaderCopying.class.getName();
        String all = place.isEmpty() ? own : HeartbeatBundles.class.getName() + "," + own;
        List<String> users = RealContext.users("traced", USERS);
        int seenBefore = HeaderCopying.SEEN.get();

        try (Rollcall rollcall = Rollcall.start(
                        RollcallConfig.of(RealContext.settings(dataDir, prefix + "interceptor.classes", all)));
                RealContext context = new RealContext(rollcall.bootstrapServers())) {
            context.heartbeats(users, ONLINE);

            context.awaitState(users, ONLINE);
            assertThat(HeaderCopying.SEEN.get() - seenBefore).isGreaterThanOrEqualTo(USERS);
        }
    }
}
