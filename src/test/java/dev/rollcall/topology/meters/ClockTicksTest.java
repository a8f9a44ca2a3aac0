package dev.rollcall.topology.meters;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ClockTicksTest {
    private long nowMs;
    private final ClockTicks ticks = new ClockTicks(() -> TimeUnit.MILLISECONDS.toNanos(nowMs));

    @Test
    void shouldTellHowLongTheOldestTickHasNotComeBack() {
        ClockTicks.Task task = ticks.open(3);
        ticks.open(4);
        assertThat(ticks.waitingMs()).isEqualTo(Map.of(3, 0L, 4, 0L));

        task.wrote();
        nowMs = 1_000;
        task.wrote();
        nowMs = 5_000;
        assertThat(ticks.waitingMs()).containsEntry(3, 5_000L).containsEntry(4, 0L);

        task.cameBack();
        assertThat(ticks.waitingMs()).containsEntry(3, 4_000L);
        task.cameBack();
        task.cameBack(); // of a life before
        assertThat(ticks.waitingMs()).containsEntry(3, 0L);
    }

    @Test
    void shouldForgetATaskThatEndsAndNotItsSuccessor() {
        ClockTicks.Task task = ticks.open(3);
        task.wrote();
        ClockTicks.Task next = ticks.open(3);
        task.close();
        nowMs = 1_000;
        assertThat(ticks.waitingMs()).isEqualTo(Map.of(3, 0L));

        next.close();
        assertThat(ticks.waitingMs()).isEmpty();
    }
}
