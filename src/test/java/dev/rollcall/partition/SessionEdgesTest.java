package dev.rollcall.partition;

import static dev.rollcall.domain.PresenceState.IDLE;
import static dev.rollcall.domain.PresenceState.OFFLINE;
import static dev.rollcall.domain.PresenceState.ONLINE;

import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceRules;
import dev.rollcall.domain.PresenceState;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Rule 14 where a session's end meets a take-over, a slow sweep, a rest of the log or another life of the session. */
class SessionEdgesTest {
    private final PartitionContext partition = new PartitionContext();

    @Test
    void shouldNotComeBackWhenItHasSaidThatItEndedLongAgo() {
        partition.at(0).shardBeats("S", "s1", 0).heartbeat(open("A", "S", "s1", null));
        partition.expect(ONLINE, 0).at(10).shardEnds("S", "s1", 0);
        partition.tickEverySecondUntil(25).expect(OFFLINE, 10);
        partition.at(40).shardBeats("S", "s1", 0).heartbeat(open("A", "S", "s1", null));
        partition.tickEverySecondUntil(45).expectNothing();
    }

    @Test
    void shouldBeRefusedWhenALaterSessionWasHeardWhileItWasToBeHeardAgain() {
        partition.at(0).shardBeats("S", "s1", 0).tickEverySecondUntil(90);
        partition.at(91).heartbeat(open("A", "S", "s1", null)).expect(ONLINE, 91);
        partition.at(92).shardBeats("S", "s2", 92);
        partition.as("bob").at(93).heartbeat(open("B", "S", "s1", null)).expectNothing();
        partition.as("alice").at(100).tickEverySecondUntil(106).expectNothing();
        partition.tickEverySecondUntil(107).expect(OFFLINE, 92).expectNothing();
    }

    @Test
    void shouldStayInTheSessionWhenAHiddenUserIsTheFirstToBeHeardOfAfterATakeOver() {
        partition.at(0).shardBeats("S", "s1", 0).hide().heartbeat(open("A", "S", "s1", null));
        beatsUntil(0, 100);
        partition.restart();
        partition.at(101).heartbeat(open("A", null, null, IDLE));
        beatsUntil(102, 200);
        partition.unhide().expect(IDLE, 200).expectNothing();
    }

    @Test
    void shouldStayInTheSessionWhenAHiddenUserIsTheFirstToBeHeardOfAfterASilenceOfTheLog() {
        partition.at(0).shardBeats("S", "s1", 0).hide().heartbeat(open("A", "S", "s1", null));
        beatsUntil(0, 100);
        partition.at(300).heartbeat(open("A", null, null, IDLE));
        beatsUntil(301, 400);
        partition.unhide().expect(IDLE, 400).expectNothing();
    }

    @Test
    void shouldEndInTheGraceTimeWhenTheDeviceWasOpenedBeforeATakeOverWasNoticed() {
        partition.at(0).shardBeats("S", "s1", 0).hide().heartbeat("A").restart();
        partition.at(5).heartbeat(open("A", "S", "s1", null));
        beatsUntil(6, 50);
        partition.unhide().expect(ONLINE, 50);
        partition.heartbeat(closed("A", "S", "s1"));
        beatsUntil(51, 100).expect(OFFLINE, 55).expectNothing();
    }

    @Test
    void shouldNotCountWhenItWasMisroutedAndItsSessionIsOver() {
        partition.at(0).shardBeats("S", "s1", 0).tickEverySecondUntil(200);
        partition.misrouted(1, open("A", "S", "s1", null)).expectNothing();
    }

    @Test
    void shouldRememberTheLatestSessionWhenThePartitionIsTakenOverHoursAfterItsFirstHeartbeat() {
        partition.at(0).shardBeats("S", "s0", -100).shardBeats("S", "s1", 0);
        beatsUntil(0, 8_000);
        partition.restart();
        partition.at(8_005).tick().shardBeats("S", "s0", -100).heartbeat(open("A", "S", "s0", null));
        partition.tick().expectNothing();
    }

    @Test
    void shouldBeHeldAsLongAsInASessionWhenTheLogIsSilentBeforeThatWasHeard() {
        partition.at(1).heartbeat(open("A", "T", "t1", null)).expect(ONLINE, 1);
        partition.tickEverySecondUntil(10).at(60).tick();
        partition.tickEverySecondUntil(149).expectNothing();
        partition.tickEverySecondUntil(150).expect(OFFLINE, 90).expectNothing();
    }

    @Test
    void shouldEndAtMostALeaseLateWhenOnlyHiddenUsersAreInASessionWhileTheProcessorIsAway() {
        partition.at(0).shardBeats("S", "s1", 0).hide().heartbeat(open("A", "S", "s1", null));
        partition.tickEverySecondUntil(5);
        for (int second = 10; second <= 600; second += 10) {
            partition.at(second).shardBeats("T", "t1", 0);
        }
        partition.tickEverySecondUntil(620);
        partition.unhide().expectNothing();
    }

    @Test
    void shouldBeAsOldAsItsFirstHeartbeatHasSaidWhenALaterOneSaysOtherwise() {
        partition.at(0).shardBeats("S", "s2", 100).shardBeats("S", "s2", 10).shardBeats("S", "s1", 50);
        partition.heartbeat(open("A", "S", "s1", null)).expectNothing();
    }

    @Test
    void shouldHaveEndedWhateverTheBudgetWhenItsSessionIsHeardAfterItsTime() {
        PresenceRules rules = withBudget(1);
        PartitionContext slow = new PartitionContext(rules);
        slow.as("alice").at(1).heartbeat(open("A", "T", "t1", null)).expect(ONLINE, 1);
        slow.as("bob").heartbeat(open("B", "T", "t1", null)).expect(ONLINE, 1);
        slow.tickEverySecondUntil(91).shardBeats("T", "t1", 0);
        slow.at(92).tick().at(93).tick();
        slow.as("alice").expect(OFFLINE, 31).as("bob").expect(OFFLINE, 31).expectNothing();
    }

    @Test
    void shouldNotShowThatAHiddenUserNamesTheShardWhenItIsForgotten() {
        forgetShard(false);
    }

    @Test
    void shouldNotShowThatAHiddenUserNamesTheShardWhenItIsForgottenAndItDoes() {
        forgetShard(true);
    }

    private void forgetShard(boolean hiddenBeats) {
        partition.as("hidden").at(0).hide().as("alice");
        partition.shardBeats("S", "s2", 100);
        for (int second = 1; second < 3_800; second++) {
            partition.at(second);
            if (hiddenBeats && second % 60 == 0) {
                partition.as("hidden").heartbeat(open("H", "S", "s3", null)).as("alice");
            }
            partition.tick();
        }
        partition.at(3_800).shardBeats("S", "s1", 0).heartbeat(open("A", "S", "s1", null));
        partition.expect(ONLINE, 3_800).expectNothing();
    }

    private static PresenceRules withBudget(int users) {
        return new PresenceRules(
                30_000, 5_000, 30 * 86_400_000L, 64, 15_000, 60_000, 30_000, 15_000, 300_000, 3_000, users, false);
    }

    /** The heartbeats of session s1 of shard S, every 10 s, and ticks. */
    private PartitionContext beatsUntil(int from, int to) {
        for (int second = from; second <= to; second++) {
            partition.at(second);
            if (second % 10 == 0) {
                partition.shardBeats("S", "s1", 0);
            }
            partition.tick();
        }
        return partition;
    }

    private static Heartbeat open(
            String device, @Nullable String shard, @Nullable String session, @Nullable PresenceState state) {
        return new Heartbeat(device, state, false, OptionalLong.empty(), shard, session);
    }

    private static Heartbeat closed(String device, String shard, String session) {
        return new Heartbeat(device, null, true, OptionalLong.empty(), shard, session);
    }
}
