package dev.rollcall.health;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.config.HealthSettings;
import dev.rollcall.health.Threads.Observed;
import dev.rollcall.http.Health.Restoring;
import dev.rollcall.topology.meters.ClockTicks;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.streams.KafkaStreams.State;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ProcessorHealthTest {
    private static final TopicPartition CHANGELOG = new TopicPartition("rollcall-users-changelog", 3);

    private final List<Observed> threads = new ArrayList<>();
    private final RestartPolicy restarts = new RestartPolicy();
    private final Restoration restoration = new Restoration(() -> TimeUnit.MILLISECONDS.toNanos(nowMs()));
    private State state = State.RUNNING;
    private long nowMs;
    private final List<String> held = new ArrayList<>();

    private final ProcessorHealth health = new ProcessorHealth(
            () -> state,
            () -> List.copyOf(threads),
            restarts,
            new ClockTicks(),
            restoration,
            () -> List.copyOf(held),
            new HealthSettings(15_000, 600_000),
            this::nowMs);

    private long nowMs() {
        return nowMs;
    }

    @AfterEach
    void close() {
        health.close();
    }

    @Test
    void shouldBeReadyWhileEachThreadWithPartitionsCommits() {
        for (int i = 0; i < 100; i++) {
            observe(new Observed("1", true, i, 100), new Observed("2", false, 0, 100));
            nowMs += 1_000;
            assertThat(health.waitsFor()).isEmpty();
        }
    }

    @Test
    void shouldNotBeReadyWhenOneThreadOfTwoCommitsNoMore() {
        observe(new Observed("1", true, 7, 100), new Observed("2", true, 7, 100));
        nowMs = 15_000;
        observe(new Observed("1", true, 8, 100), new Observed("2", true, 7, 100));
        assertThat(health.waitsFor()).isEmpty();

        nowMs = 16_000;
        assertThat(health.waitsFor()).containsExactly("commits to go through: the last one was 16 s ago");
        assertThat(health.stuck()).as("a restart does not help").isEmpty();

        observe(new Observed("1", true, 8, 100), new Observed("2", true, 8, 100));
        assertThat(health.waitsFor()).isEmpty();
    }

    @Test
    void shouldCountFromWhenAThreadGotPartitions() {
        observe(new Observed("1", false, 7, 100));
        nowMs = 60_000;
        observe(new Observed("1", true, 7, 100));

        assertThat(health.waitsFor()).isEmpty();
        assertThat(health.commitAgeMs()).isZero();
    }

    @Test
    void shouldTellHowFarItIsRestored() {
        state = State.REBALANCING;
        assertThat(health.waitsFor()).containsExactly("the processor to have its partitions and their state");

        restoration.onRestoreStart(CHANGELOG, "users", 1_000, 11_000);
        nowMs = 2_000;
        restoration.onBatchRestored(CHANGELOG, "users", 4_999, 4_000);
        assertThat(health.waitsFor())
                .containsExactly(
                        "what is stored of the users to be restored: 40 % (4,000 of 10,000 records of 1 stores,"
                                + " 2,000/s, 3 s left)");
        assertThat(health.status().orElseThrow().restoring()).contains(new Restoring(6_000, 10_000, 40, 2_000, 3));

        restoration.onRestoreEnd(CHANGELOG, "users", 10_000);
        state = State.RUNNING;
        assertThat(health.waitsFor()).isEmpty();
        assertThat(health.status().orElseThrow().restoring()).isEmpty();
    }

    @Test
    void shouldNotLiveWhenAThreadDoesNotComeRound() {
        observe(new Observed("1", true, 7, 600_000));
        assertThat(health.stuck()).isEmpty();

        observe(new Observed("1", true, 7, 601_000));
        assertThat(health.stuck()).contains("the thread 1 has not come round for 601 s");
    }

    @Test
    void shouldNotBeReadyWhenAThreadHasJustFailedOrAllHaveStopped() {
        restarts.judge(new TimeoutException("away"), nowMs);
        assertThat(health.waitsFor()).containsExactly("the processor to run for 10 s after a thread of it has failed");

        state = State.ERROR;
        assertThat(health.waitsFor()).containsExactly("the processor, which has stopped");
    }

    private void observe(Observed... seen) {
        threads.clear();
        threads.addAll(List.of(seen));
        health.look();
    }
}
