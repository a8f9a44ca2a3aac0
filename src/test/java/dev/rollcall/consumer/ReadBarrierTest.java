package dev.rollcall.consumer;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.NotLeaderOrFollowerException;
import org.apache.kafka.common.internals.KafkaFutureImpl;
import org.junit.jupiter.api.Test;

/** What a stream thread is told of the inputs that it waits for. That it really waits is in {@code OrderIT}. */
class ReadBarrierTest {
    private static final TopicPartition BEATS = new TopicPartition("beats", 3);
    private static final TopicPartition FLAGS = new TopicPartition("flags", 3);
    private static final OptionalLong NOTHING_FETCHED = OptionalLong.of(0);

    private final Map<TopicPartition, KafkaFutureImpl<ListOffsetsResultInfo>> asked = new HashMap<>();
    private final Map<TopicPartition, Long> ends = new HashMap<>(Map.of(FLAGS, 7L, BEATS, 0L));
    private long nanos;
    private final ReadBarrier barrier = new ReadBarrier(List.of("beats", "flags"), this::leaders, () -> nanos);

    @Test
    void shouldNameWhatIsMissingUpToTheEndWhenAnotherInputHasBeenPolled() {
        barrier.await(Set.of(BEATS));
        assertThat(lag(7)).hasValue(0);
        assertThat(lag(5)).hasValue(2);
    }

    /** Seen as a NullPointerException that ended a processor: each input was looked at once for each topic that was polled. */
    @Test
    void shouldGoOnWhenAnAnswerComesWhileTwoTopicsOfAPartitionAreLookedAt() {
        ReadBarrier slow = new ReadBarrier(
                List.of("beats", "flags"),
                partitions -> partitions.stream()
                        .collect(Collectors.toMap(partition -> partition, partition -> new AnsweredAtTheSecondLook())),
                () -> nanos);
        slow.await(Set.of(BEATS, FLAGS));
        assertThat(slow.lag(FLAGS, NOTHING_FETCHED, any -> OptionalLong.of(7))).hasValue(0);
    }

    private static final class AnsweredAtTheSecondLook extends KafkaFutureImpl<ListOffsetsResultInfo> {
        private int looks;

        private AnsweredAtTheSecondLook() {
            complete(new ListOffsetsResultInfo(7, 0, Optional.empty()));
        }

        @Override
        public boolean isDone() {
            return looks++ > 0;
        }
    }

    @Test
    void shouldSayWhatTheLastFetchHasToldWhenThatIsMoreOrNothingWasAsked() {
        assertThat(barrier.lag(FLAGS, OptionalLong.of(4), any -> OptionalLong.of(0)))
                .hasValue(4);
        barrier.await(Set.of(BEATS));
        assertThat(barrier.lag(FLAGS, OptionalLong.of(4), any -> OptionalLong.of(6)))
                .hasValue(4);
        assertThat(barrier.lag(FLAGS, OptionalLong.empty(), any -> OptionalLong.of(6)))
                .isEmpty();
        assertThat(barrier.lag(BEATS, OptionalLong.of(9), any -> OptionalLong.of(0)))
                .hasValue(9);
    }

    @Test
    void shouldTakeAnAnswerForFreshOnlyWhenItWasAskedForShortlyBeforeTheHeartbeatsCame() {
        barrier.await(Set.of(BEATS));
        ends.put(FLAGS, 8L);
        sleep(ReadBarrier.MAX_AGE.dividedBy(4));
        barrier.await(Set.of(BEATS));
        assertThat(lag(7)).as("an answer that is young enough").hasValue(0);
        sleep(ReadBarrier.MAX_AGE);
        barrier.await(Set.of(BEATS));
        assertThat(lag(7)).hasValue(1);
    }

    @Test
    void shouldHoldBackItsPartitionAloneWhenALeaderDoesNotAnswer() {
        TopicPartition otherBeats = new TopicPartition("beats", 4);
        TopicPartition otherFlags = new TopicPartition("flags", 4);
        ends.remove(FLAGS);
        ends.put(otherFlags, 1L);
        ends.put(otherBeats, 0L);

        barrier.await(Set.of(BEATS, otherBeats));
        assertThat(lag(7)).as("nobody knows").isEmpty();
        assertThat(barrier.lag(otherFlags, NOTHING_FETCHED, any -> OptionalLong.of(0)))
                .hasValue(1);

        long waited = nanos;
        barrier.await(Set.of(BEATS));
        assertThat(nanos).as("it is not waited for a second time").isEqualTo(waited);

        answer(FLAGS, 9);
        ends.put(FLAGS, 9L);
        assertThat(lag(7)).as("asked before the second heartbeats").isEmpty();
        barrier.await(Set.of(BEATS));
        assertThat(lag(7)).hasValue(2);
    }

    @Test
    void shouldAskAgainWhenALeaderRefuses() {
        ends.remove(FLAGS);
        barrier.await(Set.of());
        barrier.await(Set.of(BEATS));
        question(FLAGS).completeExceptionally(new NotLeaderOrFollowerException("moved"));
        ends.put(FLAGS, 8L);
        assertThat(lag(7)).isEmpty();
        sleep(ReadBarrier.MAX_AGE);
        barrier.await(Set.of(BEATS));
        assertThat(lag(7)).hasValue(1);
    }

    /** Heartbeats are paused while they wait, so that nothing of the partition is polled any more. */
    @Test
    void shouldGoOnWhenALeaderAnswersAgainAndNothingIsPolled() {
        ends.remove(FLAGS);
        barrier.await(Set.of(BEATS));
        sleep(Duration.ofMillis(500));
        barrier.await(Set.of(BEATS)); // newer heartbeats, of which the answer that is awaited tells nothing
        answer(FLAGS, 7);
        ends.put(FLAGS, 8L);
        assertThat(lag(7)).as("asked before the second heartbeats").isEmpty();
        assertThat(lag(7)).as("asked anew").hasValue(1);
    }

    @Test
    void shouldGoOnWhenALeaderHasRefusedAndNothingIsPolled() {
        ends.remove(FLAGS);
        barrier.await(Set.of(BEATS));
        question(FLAGS).completeExceptionally(new NotLeaderOrFollowerException("moved"));
        ends.put(FLAGS, 8L);
        assertThat(lag(7)).isEmpty();
        assertThat(lag(7)).hasValue(1);
    }

    @Test
    void shouldNoticeWhenTheLogHasLostItsEnd() {
        barrier.await(Set.of(BEATS));
        ends.put(FLAGS, 5L);
        assertThat(lag(5)).hasValue(2);
        sleep(ReadBarrier.ANSWER_TIMEOUT);
        assertThat(lag(5)).as("asks").hasValue(2);
        assertThat(lag(5)).hasValue(0);
    }

    @Test
    void shouldWaitWhenItIsNotKnownWhereToGoOn() {
        barrier.await(Set.of(BEATS));
        assertThat(barrier.lag(FLAGS, NOTHING_FETCHED, any -> OptionalLong.empty()))
                .isEmpty();
    }

    private OptionalLong lag(long position) {
        return barrier.lag(FLAGS, NOTHING_FETCHED, any -> OptionalLong.of(position));
    }

    /** Leaders whose log's end is known here answer at once. */
    private Map<TopicPartition, KafkaFuture<ListOffsetsResultInfo>> leaders(Set<TopicPartition> partitions) {
        Map<TopicPartition, KafkaFuture<ListOffsetsResultInfo>> answers = new HashMap<>();
        for (TopicPartition partition : partitions) {
            asked.put(partition, new Answer());
            if (ends.containsKey(partition)) {
                answer(partition, ends.get(partition));
            }
            answers.put(partition, question(partition));
        }
        return answers;
    }

    private KafkaFutureImpl<ListOffsetsResultInfo> question(TopicPartition partition) {
        return requireNonNull(asked.get(partition));
    }

    private void answer(TopicPartition partition, long end) {
        question(partition).complete(new ListOffsetsResultInfo(end, -1, Optional.empty()));
    }

    /** To wait for it in vain takes no time but this test's own. */
    private final class Answer extends KafkaFutureImpl<ListOffsetsResultInfo> {
        @Override
        public ListOffsetsResultInfo get(long timeout, TimeUnit unit)
                throws InterruptedException, ExecutionException, TimeoutException {
            if (!isDone()) {
                nanos += unit.toNanos(timeout);
                throw new TimeoutException();
            }
            return super.get(timeout, unit);
        }
    }

    private void sleep(Duration duration) {
        nanos += duration.toNanos();
    }
}
