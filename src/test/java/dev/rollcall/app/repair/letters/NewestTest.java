package dev.rollcall.app.repair.letters;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.wire.Topics;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.Test;

class NewestTest {
    private static final Topics TOPICS = Topics.ofContract();

    @Test
    void shouldListByTimeWhatComesByPartition() {
        Newest newest = new Newest(3);
        newest.add(letter(0, 0, 257));
        newest.add(letter(0, 1, 900));
        newest.add(letter(4, 0, 306));
        newest.add(letter(4, 1, 306));

        assertThat(newest.inOrder().stream().map(Letter::place)).containsExactly("4:0", "4:1", "0:1");
    }

    private static Letter letter(int partition, long offset, long timestamp) {
        return new Letter(
                new ConsumerRecord<>(
                        "presence-dead-letters",
                        partition,
                        offset,
                        timestamp,
                        TimestampType.LOG_APPEND_TIME,
                        0,
                        0,
                        new byte[0],
                        new byte[0],
                        new RecordHeaders(),
                        Optional.empty()),
                TOPICS);
    }
}
