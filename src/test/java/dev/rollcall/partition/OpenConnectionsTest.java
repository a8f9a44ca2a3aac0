package dev.rollcall.partition;

import static dev.rollcall.domain.PresenceState.IDLE;
import static dev.rollcall.domain.PresenceState.OFFLINE;
import static dev.rollcall.domain.PresenceState.ONLINE;

import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceState;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Rule 14, beyond the rows C1 to C12 of the scenario table. Lease of a session 30 s, hold 60 s, resume 15 s. */
class OpenConnectionsTest {
    private final PartitionContext partition = new PartitionContext();

    @BeforeEach
    void openADevice() {
        partition.at(0).shardBeats("S", "s1", 0).heartbeat(open("A", "S", "s1", null));
        partition.expect(ONLINE, 0);
    }

    @Test
    void shouldStayInTheSessionWhenAStateIsSetWithoutOne() {
        partition.at(1).heartbeat(open("A", null, null, IDLE)).expect(IDLE, 1);
        beatsUntil("s1", 0, 300).expectNothing();
    }

    @Test
    void shouldLeaveTheSessionWhenAnotherShardHearsOfTheDevice() {
        partition.at(1).heartbeat(open("A", "T", null, null));
        beatsUntil("s1", 2, 91).expect(OFFLINE, 31).expectNothing(); // held, for T is silent
    }

    @Test
    void shouldEndInTheGraceTimeWhenTheSessionThatHoldsItSaysSo() {
        partition.at(9).heartbeat(closed("A", "S", "s1"));
        beatsUntil("s1", 10, 20).expect(OFFLINE, 14).expectNothing();
    }

    @Test
    void shouldEndInTheGraceTimeWhenSomebodyWithoutASessionSaysSo() {
        partition.at(9).end("A");
        beatsUntil("s1", 10, 20).expect(OFFLINE, 14).expectNothing();
    }

    @Test
    void shouldNotEndWhenASessionSaysSoThatDoesNotHoldIt() {
        partition.at(9).heartbeat(closed("A", "T", "t1")).heartbeat(closed("unknown", "S", "s1"));
        beatsUntil("s1", 10, 100).expectNothing();
    }

    @Test
    void shouldBeAliveAgainOnlyForWhatIsOpenedWhenItIsHeardAfterItsDevicesHaveEnded() {
        partition.as("bob").at(5).heartbeat(open("B", "S", "s1", null)).expect(ONLINE, 5);
        partition.tickEverySecondUntil(90);
        partition.as("alice").expect(OFFLINE, 30).as("bob").expect(OFFLINE, 30).expectNothing();
        partition
                .as("bob")
                .at(91)
                .shardBeats("S", "s1", 0)
                .heartbeat(open("B", "S", "s1", null))
                .expect(ONLINE, 91);
        partition.as("alice");
        beatsUntil("s1", 100, 200).expectNothing();
    }

    @Test
    void shouldEndOnceWhenAShardIsStartedAgainAfterItsLease() {
        partition.tickEverySecondUntil(50).shardBeats("S", "s2", 50);
        beatsUntil("s2", 60, 89).expectNothing();
        beatsUntil("s2", 90, 90).expect(OFFLINE, 30).expectNothing();
    }

    @Test
    void shouldNotCountWhenAnEndedSessionOpensOrBeats() {
        partition.at(10).shardEnds("S", "s1", 0).shardBeats("S", "s1", 0).heartbeat(open("B", "S", "s1", null));
        partition.tickEverySecondUntil(26).expect(OFFLINE, 10).expectNothing();
    }

    @Test
    void shouldLiveForALeaseWhenNobodyHasHeardOfTheSession() {
        partition.as("bob").at(1).heartbeat(open("B", "T", "t1", null)).expect(ONLINE, 1);
        partition.tickEverySecondUntil(89);
        partition.at(90).shardBeats("S", "s1", 0).tick().expectNothing();
        partition.tickEverySecondUntil(91).expect(OFFLINE, 31).expectNothing();
    }

    @Test
    void shouldBelongToTheSessionWhenThatIsHeardAfterTheDevice() {
        partition.as("bob").at(1).heartbeat(open("B", "T", "t1", null)).expect(ONLINE, 1);
        partition.at(20).shardBeats("T", "t1", 0);
        partition.as("alice").at(25).end("A").tickEverySecondUntil(30).expect(OFFLINE, 30);
        partition.as("bob").tickEverySecondUntil(109).expectNothing();
        partition.tickEverySecondUntil(110).expect(OFFLINE, 50).expectNothing();
    }

    @Test
    void shouldEndAtOnceWhenItsSessionTurnsOutToBeAnEarlierOne() {
        partition.at(5).shardBeats("S", "s2", 100).heartbeat(open("A", "S", "s2", null));
        partition.as("bob").at(6).heartbeat(open("B", "S", "s1.5", null)).expect(ONLINE, 6);
        partition.at(7).shardBeats("S", "s1.5", 50).tick().expect(OFFLINE, 7).expectNothing();
    }

    @Test
    void shouldBeHeldOnWhenThePartitionIsTakenOverAfterDays() {
        beatsUntil("s1", 0, 500_000);
        partition.restart();
        beatsUntil("s1", 500_010, 500_200).expectNothing();
    }

    @Test
    void shouldEndWithTheSinceOfBeforeWhenThePartitionIsTakenOverDuringTheHold() {
        partition.tickEverySecondUntil(60).restart();
        partition.as("bob").at(61).heartbeat("other").expect(ONLINE, 61);
        partition.end("other").tickEverySecondUntil(66).expect(OFFLINE, 66);
        partition.as("alice").tickEverySecondUntil(91).expect(OFFLINE, 30).expectNothing();
    }

    @Test
    void shouldNotEndBeforeALeaseWhenThePartitionIsTakenOver() {
        partition.tickEverySecondUntil(20).restart();
        partition.at(500).heartbeat("another");
        partition.at(529).shardBeats("S", "s1", 0).end("another");
        beatsUntil("s1", 530, 700).expectNothing();
    }

    @Test
    void shouldNotBringAZombieBackWhenThePartitionIsTakenOver() {
        partition
                .at(10)
                .shardBeats("S", "s2", 100)
                .heartbeat(open("A", "S", "s2", null))
                .restart();
        partition.at(11).shardBeats("S", "s1", 0).heartbeat(closed("A", "S", "s1"));
        partition.as("bob").heartbeat(open("B", "S", "s1", null)).as("alice");
        beatsUntil("s2", 20, 120).expectNothing();
    }

    @Test
    void shouldNotShowWhatSessionsHiddenUsersAreIn() {
        partition
                .as("hidden")
                .at(1)
                .hide()
                .heartbeat(open("H", "S", "s2", null))
                .as("alice");
        partition.tickEverySecondUntil(90).expect(OFFLINE, 30).expectNothing();
    }

    /** The shard's heartbeats, every 10 s, and ticks. */
    private PartitionContext beatsUntil(String session, int from, int to) {
        for (int second = from; second <= to; second++) {
            partition.at(second);
            if (second % 10 == 0) {
                partition.shardBeats("S", session, session.equals("s1") ? 0 : 100);
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
