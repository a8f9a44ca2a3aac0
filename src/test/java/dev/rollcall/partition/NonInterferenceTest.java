package dev.rollcall.partition;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.domain.UserId;
import dev.rollcall.partition.Partition.Emitted;
import dev.rollcall.partition.RandomLog.Beat;
import dev.rollcall.partition.RandomLog.Habits;
import dev.rollcall.partition.RandomLog.MisroutedBeat;
import dev.rollcall.partition.RandomLog.Step;
import dev.rollcall.partition.RandomLog.Transcript;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Rule 9: two logs that differ only in the heartbeats of users who are hidden throughout give the same updates, of
 * everybody and equal by value, {@code last_active} and {@code sequence} included. The clock ticks of both are the same.
 */
class NonInterferenceTest {
    private static final int LOGS = Integer.getInteger("random.logs", 1_000);

    @Test
    void shouldSayTheSameWhenTheHeartbeatsOfHiddenUsersAreTakenOut() {
        check(new Habits().hiddenUsers(2));
    }

    /** Nor does the order tell anything in which users are spoken of. */
    @Test
    void shouldSayTheSameInTheSameOrderWhenRecordsAreInOrder() {
        for (long seed = 0; seed < LOGS; seed++) {
            RandomLog log = new RandomLog(seed, 250, new Habits().hiddenUsers(2).inOrder());
            assertThat(emitted(log, true)).as("seed %d", seed).isEqualTo(emitted(log, false));
        }
    }

    @Test
    void shouldSayTheSameWhenHiddenUsersTakeUpTheBudgetOfSweeps() {
        check(new Habits().hiddenUsers(2).steadyClock().sweepBudget(1));
    }

    @Test
    void shouldSayTheSameWhenThePartitionRestartsToo() {
        check(new Habits().hiddenUsers(1).restarts());
    }

    private static void check(Habits habits) {
        for (long seed = 0; seed < LOGS; seed++) {
            RandomLog log = new RandomLog(seed, 250, habits);
            Transcript with = new Transcript();
            Transcript without = new Transcript();
            with.addAll(emitted(log, true));
            without.addAll(emitted(log, false));
            for (UserId user : log.users) {
                assertThat(with.of(user)).as("seed %d, %s", seed, user).isEqualTo(without.of(user));
            }
        }
    }

    private static boolean isHeartbeatOfHiddenUser(Step step, RandomLog log) {
        return (step instanceof Beat beat && log.hiddenForGood.contains(beat.user()))
                || (step instanceof MisroutedBeat late && log.hiddenForGood.contains(late.user()));
    }

    private static List<Emitted> emitted(RandomLog log, boolean withHeartbeatsOfHiddenUsers) {
        DomainPartition presence = new DomainPartition(log.rules);
        for (Step step : log.steps) {
            if (withHeartbeatsOfHiddenUsers || !isHeartbeatOfHiddenUser(step, log)) {
                step.on(presence);
            }
        }
        log.users.forEach(presence::review); // and so all that is due is noticed
        return presence.emitted();
    }
}
