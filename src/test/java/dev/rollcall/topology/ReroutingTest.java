package dev.rollcall.topology;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.config.RollcallConfig;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.UserId;
import java.nio.ByteBuffer;
import java.util.OptionalLong;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.test.TestRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A record that another partitioner put on the wrong partition goes, once, to where it belongs. */
class ReroutingTest {
    private static final int PARTITIONS = 12;
    private static final Heartbeat ONLINE =
            new Heartbeat("phone", PresenceState.ONLINE, false, OptionalLong.empty(), null);

    private final TopologyContext rollcall = new TopologyContext(RollcallConfig.defaults(), PARTITIONS);

    @AfterEach
    void close() {
        rollcall.close();
    }

    @Test
    void shouldAgreeWithTheJavaClientOnWhereAUserBelongs() {
        UserPartitioner partitioner = new UserPartitioner(PARTITIONS);
        for (int i = 0; i < 1_000; i++) {
            byte[] key = ("@user" + i + ":example.org").getBytes(UTF_8);
            int expected = BuiltInPartitioner.partitionForKey(key, PARTITIONS);
            for (int partition = 0; partition < PARTITIONS; partition++) {
                assertThat(partitioner.isMisrouted(UserId.ofBytes(key), partition))
                        .isEqualTo(partition != expected);
            }
        }
    }

    @Test
    void shouldHandleAtOnceWhatIsWhereItBelongs() {
        rollcall.heartbeat(userOn(0), ONLINE, rollcall.now());

        assertThat(rollcall.emitted()).hasSize(1);
        assertThat(rollcall.metric("rollcall_records_rerouted_total")).isZero();
    }

    /** The driver has one partition, so a record that is sent on comes back to the same task: a loop would show here. */
    @Test
    void shouldSendOnOnceAndKeepTheFirstTimeWhenARecordIsAstray() {
        UserId astray = userOn(3);
        long time = rollcall.now();
        rollcall.heartbeat(astray, ONLINE, time);

        assertThat(rollcall.metric("rollcall_records_rerouted_total")).isEqualTo(1);
        assertThat(rollcall.emitted()).singleElement().satisfies(emitted -> {
            assertThat(emitted.user()).isEqualTo(astray);
            assertThat(emitted.presence().since()).isEqualTo(time);
        });
        TestRecord<byte[], byte[]> sentOn =
                rollcall.readBytes(rollcall.topics().heartbeats().name()).get(0);
        assertThat(sentOn.key()).isEqualTo(astray.bytes());
        assertThat(sentOn.value()).isEqualTo(rollcall.bytes(new dev.rollcall.wire.Inbound.Beat(ONLINE)));
    }

    @Test
    void shouldBelieveNoFirstTimeThatIsAfterTheRecordsOwn() {
        assertThat(Rerouting.firstTime(marked(900), 1_000)).isEqualTo(900);
        assertThat(Rerouting.firstTime(marked(1_001), 1_000)).isEqualTo(1_000);
        assertThat(Rerouting.firstTime(marked(-1), 1_000)).isEqualTo(1_000);
        assertThat(Rerouting.firstTime(new RecordHeaders().add(Rerouting.FIRST_TIME, new byte[3]), 1_000))
                .isEqualTo(1_000);
        assertThat(Rerouting.firstTime(new RecordHeaders(), 1_000)).isEqualTo(1_000);
    }

    /** A header of that name with something else in it, which any producer can write, keeps no record on the wrong partition. */
    @Test
    void shouldTakeNoHeaderForAMarkThatIsNone() {
        assertThat(Rerouting.isMarked(new RecordHeaders().add(Rerouting.FIRST_TIME, new byte[3])))
                .isFalse();
        assertThat(Rerouting.isMarked(new RecordHeaders().add(Rerouting.FIRST_TIME, null)))
                .isFalse();
        assertThat(Rerouting.isMarked(marked(-1))).isTrue();
    }

    private static RecordHeaders marked(long time) {
        RecordHeaders headers = new RecordHeaders();
        headers.add(Rerouting.FIRST_TIME, ByteBuffer.allocate(8).putLong(time).array());
        return headers;
    }

    private static UserId userOn(int partition) {
        for (int i = 0; ; i++) {
            byte[] key = ("user" + i).getBytes(UTF_8);
            if (BuiltInPartitioner.partitionForKey(key, PARTITIONS) == partition) {
                return UserId.ofBytes(key);
            }
        }
    }
}
