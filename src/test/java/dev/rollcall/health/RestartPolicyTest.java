package dev.rollcall.health;

import static dev.rollcall.health.RestartPolicy.Verdict.KEEPS_FAILING;
import static dev.rollcall.health.RestartPolicy.Verdict.RESTART;
import static dev.rollcall.health.RestartPolicy.Verdict.WOULD_FAIL_AGAIN;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.health.RestartPolicy.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.errors.ClusterAuthorizationException;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.errors.InconsistentGroupProtocolException;
import org.apache.kafka.common.errors.InvalidTimestampException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.InvalidTxnStateException;
import org.apache.kafka.common.errors.NotEnoughReplicasException;
import org.apache.kafka.common.errors.OutOfOrderSequenceException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.RecordBatchTooLargeException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.errors.UnknownServerException;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.apache.kafka.streams.KafkaStreams.State;
import org.apache.kafka.streams.errors.MissingSourceTopicException;
import org.apache.kafka.streams.errors.StreamsException;
import org.junit.jupiter.api.Test;

class RestartPolicyTest {
    private static final long RECOVERY = RestartPolicy.RECOVERY.toMillis();

    private final StreamsException brokerFault =
            new StreamsException("Error encountered trying to commit", new InvalidTxnStateException("invalid state"));

    private final RestartPolicy policy = new RestartPolicy();

    @Test
    void shouldGoOnAfterWhatABrokerAnswered() {
        List<RuntimeException> answers = List.of(
                new InvalidTxnStateException("state"),
                new OutOfOrderSequenceException("sequence"),
                new ProducerFencedException("fenced"),
                new NotEnoughReplicasException("replicas"));
        for (RuntimeException answer : answers) {
            assertThat(policy.judge(new StreamsException("commit", answer), 0))
                    .as(answer.toString())
                    .isEqualTo(RESTART);
        }
        assertThat(policy.judge(new UnknownServerException("who knows"), 0)).isEqualTo(RESTART);
    }

    @Test
    void shouldEndWhenANewThreadWouldFailTheSameWay() {
        List<Throwable> causes = List.of(
                new RecordTooLargeException("too large"),
                new RecordBatchTooLargeException("too large"),
                new InvalidTimestampException("an hour ahead"),
                new InvalidRecordException("no key on a compacted topic"),
                new SerializationException("poison"),
                new InvalidTopicException("a name"),
                new TopicAuthorizationException("presence"),
                new ClusterAuthorizationException("idempotence"),
                new UnsupportedVersionException("old broker"),
                new InconsistentGroupProtocolException("a streams group"),
                new GroupIdNotFoundException("not a streams group"),
                new OutOfMemoryError("ours"),
                new IllegalStateException("a defect"));
        for (Throwable cause : causes) {
            assertThat(policy.judge(new StreamsException("state", cause), 0))
                    .as(cause.toString())
                    .isEqualTo(WOULD_FAIL_AGAIN);
        }
        assertThat(policy.judge(new MissingSourceTopicException("device-heartbeat"), 0))
                .isEqualTo(WOULD_FAIL_AGAIN);
        assertThat(policy.judge(
                        new StreamsException(new InvalidTxnStateException("aborted").initCause(causes.get(0))), 0))
                .as("the cause behind the broker's answer")
                .isEqualTo(WOULD_FAIL_AGAIN);
    }

    @Test
    void shouldEndWhenItHappensAgainAndAgain() {
        for (int restart = 0; restart < RestartPolicy.RESTARTS; restart++) {
            assertThat(policy.judge(brokerFault, restart)).isEqualTo(RESTART);
        }

        long stillWithin = RestartPolicy.WITHIN.toMillis();
        assertThat(policy.judge(brokerFault, stillWithin)).isEqualTo(KEEPS_FAILING);
        assertThat(policy.judge(brokerFault, stillWithin + 1)).isEqualTo(RESTART);
        assertThat(policy.judge(brokerFault, stillWithin + 1)).isEqualTo(KEEPS_FAILING);
    }

    @Test
    void shouldLeaveEachThreadItsOwnRestarts() {
        for (int restart = 0; restart < RestartPolicy.RESTARTS; restart++) {
            inThread(() -> assertThat(policy.judge(brokerFault, 0)).isEqualTo(RESTART));
        }
        inThread(() -> assertThat(policy.judge(brokerFault, 0))
                .as("of a thread that has not failed yet")
                .isEqualTo(RESTART));
    }

    /** As Kafka Streams does: the failing thread creates its replacement. */
    @Test
    void shouldCountAThreadsFailuresAgainstItsSuccessors() {
        List<Verdict> verdicts = new ArrayList<>();
        inThread(() -> failAndBeReplaced(verdicts));
        assertThat(verdicts).hasSize(RestartPolicy.RESTARTS + 1).endsWith(RESTART, KEEPS_FAILING);
    }

    @Test
    void shouldHaveRecoveredOnlyAfterRunningForAWhile() {
        policy.changed(State.RUNNING, 0);
        assertThat(policy.hasRecovered(0)).as("nothing has failed").isTrue();

        policy.judge(brokerFault, 1_000);
        assertThat(policy.hasRecovered(1_000)).isFalse();
        policy.changed(State.REBALANCING, 2_000);
        policy.changed(State.RUNNING, 3_000);
        assertThat(policy.hasRecovered(3_000 + RECOVERY - 1)).isFalse();
        policy.judge(brokerFault, 3_000 + RECOVERY - 1);
        assertThat(policy.hasRecovered(3_000 + RECOVERY)).as("the next one").isFalse();
        assertThat(policy.hasRecovered(3_000 + 2 * RECOVERY - 1)).isTrue();
    }

    @Test
    void shouldForgetAFailureOnceRecovered() {
        policy.changed(State.RUNNING, 0);
        policy.judge(brokerFault, 0);
        policy.changed(State.REBALANCING, RECOVERY);
        policy.changed(State.RUNNING, RECOVERY + 1);

        assertThat(policy.hasRecovered(RECOVERY + 1))
                .as("an ordinary rebalance")
                .isTrue();
    }

    private void failAndBeReplaced(List<Verdict> verdicts) {
        Verdict verdict = policy.judge(brokerFault, verdicts.size());
        verdicts.add(verdict);
        if (verdict == RESTART) {
            inThread(() -> failAndBeReplaced(verdicts));
        }
    }

    private static void inThread(Runnable work) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        Thread thread = new Thread(() -> {
            try {
                work.run();
                done.complete(null);
            } catch (Throwable e) {
                done.completeExceptionally(e);
            }
        });
        thread.start();
        done.join();
    }
}
