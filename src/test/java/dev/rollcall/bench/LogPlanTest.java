package dev.rollcall.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.bench.LogPlan.Kind;
import dev.rollcall.domain.PresenceState;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class LogPlanTest {
    private static final long START = 1_000_000;

    @Test
    void shouldWriteEachUserOnceInTenSecondsInTheOrderOfTime() {
        List<Long> times = new ArrayList<>();
        int[] beats = new int[100];
        new LogPlan(Kind.STEADY, 100, 300, START).write(new LogPlan.Log() {
            @Override
            public void heartbeat(int user, @Nullable PresenceState state, long at) {
                times.add(at);
                beats[user]++;
            }

            @Override
            public void tick(long at) {
                times.add(at);
            }
        });
        assertThat(times).isSorted();
        assertThat(beats).containsOnly(4);
    }

    @Test
    void shouldHaveOneTransitionPerUserWhereNobodyChanges() {
        OutputDigest.Figures digest =
                new LogPlan(Kind.STEADY, 100, 300, START).expectedOutput().figures();
        assertThat(digest.transitions()).isEqualTo(100);
        assertThat(digest.live()).isEqualTo(100);
    }

    @Test
    void shouldChangeHalfOfTheUsersInEachRoundOfChurn() {
        OutputDigest.Figures digest =
                new LogPlan(Kind.CHURN, 100, 300, START).expectedOutput().figures();
        assertThat(digest.transitions()).isEqualTo(100 + 150);
    }
}
