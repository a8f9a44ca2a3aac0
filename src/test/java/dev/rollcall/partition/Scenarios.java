package dev.rollcall.partition;

import static dev.rollcall.domain.PresenceState.IDLE;
import static dev.rollcall.domain.PresenceState.OFFLINE;
import static dev.rollcall.domain.PresenceState.ONLINE;
import static dev.rollcall.partition.PartitionContext.beat;
import static dev.rollcall.partition.PartitionContext.beatOf;
import static dev.rollcall.partition.PartitionContext.closedBy;
import static dev.rollcall.partition.PartitionContext.ended;
import static dev.rollcall.partition.PartitionContext.open;
import static dev.rollcall.partition.PartitionContext.session;
import static dev.rollcall.partition.PartitionContext.withLease;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.Row;
import dev.rollcall.domain.PresenceRules;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.Rejection.Reason;
import dev.rollcall.domain.UserSnapshot;
import dev.rollcall.session.ShardHeartbeat;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.NullAndEmptySource;
import org.junit.jupiter.params.provider.ValueSource;

/** The scenario table, row by row; each test names its row. Times in seconds. */
public abstract class Scenarios {
    private final Partition partition = partition(PartitionContext.DEFAULTS);
    private final PartitionContext presence = new PartitionContext(partition);

    /** What the scenarios are played on, its clock at 0. */
    protected abstract Partition partition(PresenceRules rules);

    @AfterEach
    void close() {
        partition.close();
    }

    // ---- merge ----

    @Test
    @Row("M1")
    void shouldStayOnlineWhenAnIdleDeviceJoinsAnOnlineOne() {
        presence.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        presence.at(1).heartbeat("B", IDLE).expectNothing();
    }

    @Test
    @Row("M2")
    void shouldBecomeOnlineWhenAnOnlineDeviceJoinsAnIdleOne() {
        presence.at(0).heartbeat("A", IDLE).expect(IDLE, 0).lastActive(null);
        presence.at(1).heartbeat("B", ONLINE).expect(ONLINE, 1).lastActive(1.0).expectNothing();
    }

    @Test
    @Row("M3")
    void shouldStayIdleWhenASecondDeviceIsIdleToo() {
        presence.at(0).heartbeat("A", IDLE).expect(IDLE, 0);
        presence.at(1).heartbeat("B", IDLE).expectNothing();
    }

    @Test
    @Row("M4")
    void shouldBecomeIdleWhenTheOnlineOneOfTwoDevicesEnds() {
        onlineAThatEndsAndIdleB().expectNothing();
    }

    @Test
    @Row("M5")
    void shouldStayOnlineWhenTheIdleOneOfTwoDevicesExpires() {
        presence.at(0).heartbeat("A", IDLE).expect(IDLE, 0);
        presence.at(1).heartbeat("B", ONLINE).keepsBeating("B", 10).expect(ONLINE, 1);
        presence.tickEverySecondUntil(100).expectNothing();
    }

    @Test
    @Row("M6")
    void shouldBecomeOfflineWhenTheOtherDeviceEndsToo() {
        onlineAThatEndsAndIdleB().tickEverySecondUntil(60);
        presence.fallsSilent("B").end("B").tickEverySecondUntil(64).expectNothing();
        presence.tickEverySecondUntil(65).expect(OFFLINE, 65);
        presence.tickEverySecondUntil(200).expectNothing();
    }

    private PartitionContext onlineAThatEndsAndIdleB() {
        presence.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        presence.at(1).heartbeat("B", IDLE).keepsBeating("B", 10);
        presence.tickEverySecondUntil(10).end("A").tickEverySecondUntil(14).expectNothing();
        return presence.tickEverySecondUntil(50).expect(IDLE, 15).lastActive(0.0);
    }

    @ParameterizedTest(name = "{0} {1}")
    @Row("M7")
    @CsvSource({"ONLINE, IDLE", "IDLE, ONLINE"})
    void shouldEndInTheSameStateWhenDevicesComeInEitherOrder(PresenceState first, PresenceState second) {
        presence.at(0).heartbeat("A", first).expect(first, 0);
        presence.heartbeat("B", second);
        if (first == IDLE) {
            presence.expect(ONLINE, 0);
        }
        presence.tickEverySecondUntil(29).expectNothing();
        presence.tickEverySecondUntil(30).expect(OFFLINE, 30).lastActive(0.0).expectNothing();
    }

    @Test
    @Row("M8")
    void shouldSayOnlyTheFirstInAndTheLastOutWhenTwoDevicesComeAndGo() {
        presence.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        presence.at(1).heartbeat("B", ONLINE).expectNothing();
        presence.at(2).end("A").tickEverySecondUntil(10).expectNothing();
        presence.end("B").tickEverySecondUntil(14).expectNothing();
        presence.tickEverySecondUntil(15).expect(OFFLINE, 15);
        presence.tickEverySecondUntil(100).expectNothing();
    }

    // ---- time ----

    @Test
    @Row("T1")
    void shouldBecomeOfflineAtTheDeadlineWhenADeviceFallsSilent() {
        presence.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        presence.tickEverySecondUntil(29).at(29.999).tick().expectNothing();
        presence.at(30.7).tick().expect(OFFLINE, 30).lastActive(0.0);
        presence.tickEverySecondUntil(100).expectNothing();
    }

    @Test
    @Row("T2")
    void shouldBecomeOfflineAtTheEndOfItsOwnLeaseWhenALongPollFallsSilent() {
        presence.at(0).heartbeat(withLease(beat("A", ONLINE), 90)).expect(ONLINE, 0);
        presence.tickEverySecondUntil(89).expectNothing();
        presence.tickEverySecondUntil(90).expect(OFFLINE, 90).expectNothing();
    }

    @Test
    @Row("T3")
    void shouldBeExpiredWhenTheClockStandsAtTheDeadline() {
        presence.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        presence.tickEverySecondUntil(29).expectNothing();
        presence.tickEverySecondUntil(30).expect(OFFLINE, 30).expectNothing();
    }

    @Test
    @Row("T4")
    void shouldSayNothingMoreWhenADeviceKeepsBeating() {
        presence.at(0).heartbeat("A", ONLINE).keepsBeating("A", 10).expect(ONLINE, 0);
        presence.tickEverySecondUntil(3_600).expectNothing();
    }

    @Test
    @Row("T5")
    void shouldStayOnlineWhenOneOfTwoDevicesIsStale() {
        presence.at(0).heartbeat("A", ONLINE).heartbeat("B", ONLINE).keepsBeating("B", 10);
        presence.expect(ONLINE, 0).tickEverySecondUntil(100).expectNothing();
    }

    @Test
    @Row("T6")
    void shouldBecomeOfflineOnceWhenBothDevicesAreStale() {
        presence.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        presence.at(7).heartbeat("B", ONLINE);
        presence.tickEverySecondUntil(200).expect(OFFLINE, 37).lastActive(7.0).expectNothing();
    }

    @Test
    @Row("T7")
    void shouldSayNothingWhenAnEndedDeviceIsBackWithinTheGraceTime() {
        presence.at(0).heartbeat("A", ONLINE).end("A").expect(ONLINE, 0);
        presence.tickEverySecondUntil(3).heartbeat("A", ONLINE).keepsBeating("A", 10);
        presence.tickEverySecondUntil(100).expectNothing();
    }

    @Test
    @Row("T8")
    void shouldBecomeOfflineAfterTheGraceTimeWhenADeviceEnded() {
        presence.at(0).heartbeat("A", ONLINE).end("A").expect(ONLINE, 0);
        presence.tickEverySecondUntil(4).expectNothing();
        presence.tickEverySecondUntil(100).expect(OFFLINE, 5).expectNothing();
    }

    @Test
    @Row("T9")
    void shouldStayIdleWhenAnOlderOnlineArrivesLater() {
        presence.at(105).heartbeat("A", IDLE).expect(IDLE, 105);
        presence.at(106).tick().misrouted(100, beat("A", ONLINE)).expectNothing();
        presence.tickEverySecondUntil(200).expect(OFFLINE, 135).lastActive(null).expectNothing();
    }

    @Test
    @Row("T10")
    void shouldSayNothingWhenTheLeaseIsOverOnArrival() {
        presence.as("bob").at(99).heartbeat("B", ONLINE).expect(ONLINE, 99); // so that there is a clock
        presence.at(100).tick().keepsBeating("B", 10);
        presence.as("alice").misrouted(70, beat("A", ONLINE)).expectNothing();
        presence.tickEverySecondUntil(200).expectNothing();
        assertThat(presence.stored()).isNull();
    }

    @Test
    @Row("T11")
    void shouldExpireOnTimeWhenAHeartbeatIsStampedAnHourAhead() {
        presence.at(100).tick().stamped(3_700, beat("A", ONLINE)).expect(ONLINE, 3_700);
        presence.tickEverySecondUntil(130).expectNothing();
        presence.tickEverySecondUntil(4_000).expect(OFFLINE, 3_700).expectNothing();
    }

    @ParameterizedTest(name = "first comes a {0}")
    @Row("T12")
    @ValueSource(strings = {"clock tick", "heartbeat"})
    void shouldSayNothingWhenTheLogWasAwayForAnHour(String first) {
        presence.as("bob").at(0).heartbeat("B", IDLE).expect(IDLE, 0);
        presence.as("alice").at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        presence.tickEverySecondUntil(20).at(3_620);
        if (first.equals("clock tick")) {
            presence.tick();
        }
        presence.as("bob").heartbeat("B").keepsBeating("B", 10);
        presence.tickEverySecondUntil(3_640).as("alice").heartbeat("A").keepsBeating("A", 10);
        presence.tickEverySecondUntil(3_800).expectNothing();
    }

    @Test
    @Row("T13")
    void shouldSayNothingWhenTenMinutesOfBacklogAreReadAfterARestart() {
        presence.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        presence.tickEverySecondUntil(10).restart();
        readBacklog(20, 610);
    }

    @Test
    @Row("T13")
    void shouldSayNothingWhenTenMinutesOfBacklogAreReadWithoutARestart() {
        presence.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        presence.tickEverySecondUntil(10);
        readBacklog(20, 610);
    }

    private void readBacklog(double from, double until) {
        for (double second = from; second <= until; second += 10) {
            presence.at(second).heartbeat("A");
        }
        presence.tick().keepsBeating("A", 10);
        presence.tickEverySecondUntil(until + 100).expectNothing();
    }

    @Test
    @Row("T14")
    void shouldBecomeOfflineWhenOneDeviceOfALivelyShardFallsSilent() {
        aliceAndBobOnShard();
        presence.tickEverySecondUntil(20).as("alice").fallsSilent("A");
        presence.tickEverySecondUntil(49).expectNothing();
        presence.tickEverySecondUntil(300).expect(OFFLINE, 50).lastActive(20.0).expectNothing();
    }

    @Test
    @Row("T15")
    void shouldSayNothingWhenAShardIsBackWithinTheHold() {
        aliceAndBobOnShard();
        presence.tickEverySecondUntil(20).as("alice").fallsSilent("A");
        presence.as("bob").fallsSilent("B");
        presence.tickEverySecondUntil(70);
        presence.as("bob").heartbeat(beatOf("s", "B", null)).keepsBeating(beatOf("s", "B", null), 10);
        presence.tickEverySecondUntil(99); // alice's homeserver is slow: the end of one more lease is at 100
        presence.as("alice").heartbeat(beatOf("s", "A", null)).keepsBeating(beatOf("s", "A", null), 10);
        presence.tickEverySecondUntil(300).expectNothing();
    }

    @Test
    @Row("T16")
    void shouldBecomeOfflineAfterTheHoldWhenAShardStaysAway() {
        aliceAndBobOnShard();
        presence.tickEverySecondUntil(20).as("alice").fallsSilent("A");
        presence.as("bob").fallsSilent("B");
        presence.at(25).heartbeat(beatOf("s", "B", null));
        presence.tickEverySecondUntil(109).expectNothing();
        presence.as("alice").tickEverySecondUntil(110).expect(OFFLINE, 50).lastActive(20.0);
        presence.as("bob").tickEverySecondUntil(114).expectNothing();
        presence.tickEverySecondUntil(300).expect(OFFLINE, 55).lastActive(25.0).expectNothing();
    }

    private void aliceAndBobOnShard() {
        presence.as("alice").at(0).heartbeat(beatOf("s", "A", ONLINE)).expect(ONLINE, 0);
        presence.keepsBeating(beatOf("s", "A", null), 10);
        presence.as("bob").heartbeat(beatOf("s", "B", ONLINE)).expect(ONLINE, 0);
        presence.keepsBeating(beatOf("s", "B", null), 10);
    }

    // ---- leases, order and stamps ----

    @Test
    @Row("L1")
    void shouldKeepTheLongerLeaseWhenAStateIsSetWithoutOne() {
        presence.at(0).heartbeat(withLease(beat("A", ONLINE), 45)).expect(ONLINE, 0);
        presence.at(1).heartbeat("A", IDLE).expect(IDLE, 1);
        presence.tickEverySecondUntil(44).expectNothing();
        presence.tickEverySecondUntil(100).expect(OFFLINE, 45).expectNothing();
    }

    @Test
    @Row("L2")
    void shouldTakeTheShorterLeaseWhenThePartitionIsTakenOver() {
        presence.at(0).heartbeat(withLease(beat("A", ONLINE), 86_400)).expect(ONLINE, 0);
        presence.at(10).heartbeat(withLease(beat("A", ONLINE), 30));
        presence.tickEverySecondUntil(20).restart();
        presence.tickEverySecondUntil(39).expectNothing();
        presence.tickEverySecondUntil(100).expect(OFFLINE, 51).expectNothing(); // one lease from the first record read
    }

    @Test
    @Row("L3")
    void shouldBeOfflineAboutItsOwnDeadlineWhenTheProcessorWasAwayForAnHour() {
        presence.as("bob").at(0).heartbeat("B", IDLE).expect(IDLE, 0);
        presence.as("alice").at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        presence.tickEverySecondUntil(10).restart();
        presence.stamped(11.5, beat("A", null));
        for (int second = 20; second <= 3_610; second += 10) {
            presence.as("bob").stamped(second, beat("B", null));
        }
        presence.as("alice")
                .at(3_610)
                .tick()
                .expect(OFFLINE, 41.5)
                .lastActive(11.5)
                .expectNothing();
    }

    @Test
    @Row("L4")
    void shouldApplyTheLaterRecordWhenItsStampIsEarlier() {
        presence.at(100).tick().at(100.2).heartbeat("A", ONLINE).expect(ONLINE, 100.2);
        presence.stamped(100, beat("A", IDLE)).expect(IDLE, 100.2).expectNothing();
    }

    @Test
    @Row("L5")
    void shouldApplyWhatFollowsWhenOneClockTickIsStampedAnHourAhead() {
        presence.as("alice").at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        presence.as("bob").heartbeat("B", ONLINE).expect(ONLINE, 0).keepsBeating("B", 10);
        presence.tickEverySecondUntil(10).stampedTick(3_610).expectNothing();
        presence.as("alice").at(11).heartbeat("A", OFFLINE).expect(OFFLINE, 11);
        presence.as("carol").at(12).heartbeat("C", IDLE).expect(IDLE, 12);
        presence.tickEverySecondUntil(41).expectNothing();
        presence.tickEverySecondUntil(100).expect(OFFLINE, 42).expectNothing();
    }

    @Test
    @Row("L7")
    void shouldUndoNothingWhenOlderTextAndFlagArriveMisrouted() {
        presence.at(10).heartbeat("A", ONLINE).expect(ONLINE, 10);
        presence.at(11).text("new").expectText("new", 11).hide().expect(OFFLINE, 11, "new");
        presence.at(12).misroutedText(10.98, "old").misroutedFlag(10.98, false).expectNothing();
        presence.restart();
        presence.at(13).misroutedText(10.99, "old").misroutedFlag(10.99, false).heartbeat("A");
        presence.tickEverySecondUntil(20).expectNothing();
    }

    // ---- what is emitted ----

    @Test
    @Row("E1")
    void shouldSayNothingWhenTheStateIsTheSameAgain() {
        presence.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        presence.at(1).heartbeat("A", ONLINE).expectNothing();
    }

    @Test
    @Row("E2")
    void shouldSayAllInOrderWhenAStateChangesInQuickSuccession() {
        presence.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        presence.at(0.001).heartbeat("A", IDLE).expect(IDLE, 0.001).lastActive(0.0);
        presence.at(0.002).heartbeat("A", ONLINE).expect(ONLINE, 0.002).lastActive(0.002);
        presence.at(0.002).heartbeat("A", OFFLINE).expect(OFFLINE, 0.002).expectNothing();
    }

    @Test
    @Row("E3")
    void shouldBeOnlineAtOnceWhenAnExpiredDeviceReturns() {
        presence.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        presence.tickEverySecondUntil(40).expect(OFFLINE, 30);
        presence.at(40.5).heartbeat("A", ONLINE).expect(ONLINE, 40.5).expectNothing();
    }

    @Test
    @Row("E4")
    void shouldSayNothingWhenAFreshUserBeginsOffline() {
        presence.at(0).heartbeat("A", OFFLINE).expectNothing();
        presence.tickEverySecondUntil(100).expectNothing();
    }

    @Test
    @Row("E5")
    void shouldSayNothingOfOthersWhenAUserDoesAllThereIsToDo() {
        presence.as("alice").at(0).heartbeat("A", ONLINE).keepsBeating("A", 10).expect(ONLINE, 0);
        presence.text("x", 50).expectText("x", 0);
        presence.as("bob").heartbeat("A", IDLE).expect(IDLE, 0).lastActive(null);
        presence.at(1).heartbeat("A", OFFLINE).expect(OFFLINE, 1);
        presence.at(2).text("y").expectText("y", 2);
        presence.at(3).heartbeat("A", ONLINE).expect(ONLINE, 3, "y");
        presence.at(4).end("A").hide().expect(OFFLINE, 4, "y");
        presence.at(5).text(null).expectText(null, 5).unhide().expect(ONLINE, 5);
        presence.tickEverySecondUntil(9).expect(OFFLINE, 9);
        presence.as("alice").tickEverySecondUntil(100).expectText(null, 50).expectNothing();
    }

    // ---- status text ----

    @Test
    @Row("S1")
    void shouldKeepTheTextWhenTheDeviceExpires() {
        presence.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        presence.at(1).text("x").expectText("x", 1);
        presence.tickEverySecondUntil(100).expect(OFFLINE, 30, "x").expectNothing();
    }

    @Test
    @Row("S2")
    void shouldKeepTheTextWhenADeviceBeats() {
        presence.at(0).text("x").expect(OFFLINE, 0, "x");
        presence.at(1).heartbeat("A", ONLINE).expect(ONLINE, 1, "x").expectNothing();
    }

    @ParameterizedTest(name = "[{0}]")
    @Row("S3")
    @NullAndEmptySource
    void shouldHaveNoTextWhenItIsEmptyOrNull(String none) {
        presence.at(0).text(none).expectNothing();
        presence.heartbeat("A", ONLINE).expect(ONLINE, 0);
        presence.at(1).text(none).expectNothing();
        presence.at(2).text("x").expectText("x", 2);
        presence.at(3).text(none).expectText(null, 3).expectNothing();
    }

    @Test
    @Row("S4")
    void shouldSayNothingWhenTheTextIsTheSameAgain() {
        presence.at(0).text("x").expect(OFFLINE, 0, "x");
        presence.at(1).text("x").expectNothing();
        presence.at(2).text("x", 50).expectNothing(); // only its end is new
        presence.tickEverySecondUntil(100).expectText(null, 50).expectNothing();
    }

    @Test
    @Row("S5")
    void shouldLoseTheTextWhenItsTimeHasCome() {
        presence.at(0).text("x", 100).expect(OFFLINE, 0, "x");
        presence.tickEverySecondUntil(99).expectNothing();
        presence.at(100.7).tick().expectText(null, 100);
        presence.tickEverySecondUntil(300).expectNothing();
    }

    @Test
    @Row("S6")
    void shouldBeOfflineWithTheTextWhenThereIsNoDevice() {
        presence.at(7).text("x").expect(OFFLINE, 7, "x").lastActive(null).expectNothing();
    }

    // ---- appear offline ----

    @Test
    @Row("H1")
    void shouldBeOfflineAtOnceWhenAnOnlineUserHides() {
        presence.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        presence.at(1).hide().expect(OFFLINE, 1).lastActive(0.0).expectNothing();
    }

    @Test
    @Row("H2")
    void shouldSayNothingWhenAHiddenUsersDevicesComeAndGo() {
        presence.at(0).hide();
        presence.at(1).heartbeat("A", ONLINE).heartbeat("B", IDLE);
        presence.at(2).heartbeat("A", IDLE).end("B");
        presence.tickEverySecondUntil(100).expectNothing();
    }

    @Test
    @Row("H3")
    void shouldBeIdleAtOnceWhenAHiddenUserWithAnIdleDeviceShowsUp() {
        presence.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        presence.at(1).hide().expect(OFFLINE, 1);
        presence.at(2).heartbeat("A", ONLINE);
        presence.at(3).heartbeat("A", IDLE).expectNothing();
        presence.at(4).unhide().expect(IDLE, 4).lastActive(0.0).expectNothing();
    }

    @Test
    @Row("H4")
    void shouldSayNothingWhenNobodyOnlineHides() {
        presence.at(0).hide().expectNothing();
        presence.at(1).unhide().expectNothing();
        presence.as("bob").heartbeat("A", ONLINE).expect(ONLINE, 1);
        presence.tickEverySecondUntil(31).expect(OFFLINE, 31);
        presence.hide().expectNothing();
    }

    @Test
    @Row("H5")
    void shouldStayHiddenWhenEverythingRestarts() {
        presence.at(0).hide().restart();
        presence.at(1).heartbeat("A", ONLINE);
        presence.tickEverySecondUntil(2).restart();
        presence.at(3).heartbeat("A", ONLINE).expectNothing();
        presence.at(4).unhide().expect(ONLINE, 4).lastActive(null).expectNothing();
    }

    @ParameterizedTest(name = "{0}")
    @Row("H6")
    @ValueSource(booleans = {true, false})
    void shouldSayTheSameWhenAHiddenUsersHeartbeatsAreThere(boolean there) {
        presence.as("bob").at(0).heartbeat(beatOf("s", "B", ONLINE)).expect(ONLINE, 0);
        presence.as("alice").hide();
        if (there) {
            presence.heartbeat(beatOf("s", "A", ONLINE)).keepsBeating(beatOf("s", "A", null), 10);
        }
        presence.tickEverySecondUntil(50).text("x").expect(OFFLINE, 50, "x").lastActive(null);
        presence.as("bob").tickEverySecondUntil(89).expectNothing(); // held: but for alice, the shard is silent
        presence.tickEverySecondUntil(90).expect(OFFLINE, 30).expectNothing();
    }

    // ---- open connections ----

    private static final ShardHeartbeat S1 = session("S", "s1", 0);
    private static final ShardHeartbeat S2 = session("S", "s2", 90);

    /** A is open in a session of shard S, which beats every 10. */
    private PartitionContext openA() {
        presence.at(0).shardKeepsBeating(S1, 10);
        return presence.heartbeat(open(S1, "A", ONLINE)).expect(ONLINE, 0);
    }

    /** And shard S has just begun its next session, at 100. */
    private PartitionContext restartedS() {
        openA().tickEverySecondUntil(99).shardFallsSilent("s1");
        return presence.at(100).shardKeepsBeating(S2, 10);
    }

    @Test
    @Row("C1")
    void shouldSayNothingMoreWhenAnOpenConnectionIsQuietForADay() {
        openA().tickEverySecondUntil(86_400).expectNothing();
    }

    @Test
    @Row("C2")
    void shouldSayNothingWhenASessionIsHeardAgainWithinTheHold() {
        openA().tickEverySecondUntil(100).shardFallsSilent("s1").tickEverySecondUntil(180);
        presence.shardKeepsBeating(S1, 10).tickEverySecondUntil(600).expectNothing();
    }

    @Test
    @Row("C3")
    void shouldBecomeOfflineAfterTheHoldWhenASessionFallsSilent() {
        openA().tickEverySecondUntil(100).shardFallsSilent("s1").tickEverySecondUntil(189);
        presence.expectNothing();
        presence.tickEverySecondUntil(190).expect(OFFLINE, 130).lastActive(0.0);
        presence.tickEverySecondUntil(600).expectNothing();
    }

    @Test
    @Row("C4")
    void shouldSayNothingWhenADeviceIsOpenedAgainByTheNextSession() {
        restartedS().tickEverySecondUntil(110).heartbeat(open(S2, "A", null));
        presence.tickEverySecondUntil(600).expectNothing();
    }

    @Test
    @Row("C5")
    void shouldBecomeOfflineWhenTheNextSessionDoesNotOpenADevice() {
        restartedS().tickEverySecondUntil(114).expectNothing();
        presence.tickEverySecondUntil(115).expect(OFFLINE, 100).lastActive(0.0);
        presence.tickEverySecondUntil(600).expectNothing();
    }

    @Test
    @Row("C6")
    void shouldSayNothingWhenAnotherShardOpensADeviceThatASessionLetGo() {
        endedS().tickEverySecondUntil(112);
        ShardHeartbeat t1 = session("T", "t1", 112);
        presence.shardKeepsBeating(t1, 10).heartbeat(open(t1, "A", null));
        presence.tickEverySecondUntil(600).expectNothing();
    }

    @Test
    @Row("C7")
    void shouldBecomeOfflineWhenNobodyOpensADeviceThatASessionLetGo() {
        endedS().tickEverySecondUntil(114).expectNothing();
        presence.tickEverySecondUntil(115).expect(OFFLINE, 100);
        presence.tickEverySecondUntil(600).expectNothing();
    }

    private PartitionContext endedS() {
        openA().tickEverySecondUntil(99).shardFallsSilent("s1");
        return presence.at(100).shardHeartbeat(ended(S1));
    }

    @Test
    @Row("C8")
    void shouldIgnoreTheEndOfAHalfOpenConnectionWhenAnotherShardHoldsTheDevice() {
        presence.at(0).shardKeepsBeating(S1, 10).heartbeat(open(S1, "A", IDLE)).expect(IDLE, 0);
        ShardHeartbeat t1 = session("T", "t1", 40);
        presence.tickEverySecondUntil(50).shardKeepsBeating(t1, 10);
        presence.heartbeat(open(t1, "A", ONLINE)).expect(ONLINE, 50);
        presence.tickEverySecondUntil(200).heartbeat(closedBy(S1, "A", null));
        presence.tickEverySecondUntil(600).expectNothing();
    }

    @Test
    @Row("C9")
    void shouldIgnoreAnEarlierSessionWhenALaterOneWasHeard() {
        restartedS().tickEverySecondUntil(105);
        presence.shardHeartbeat(S1).as("bob").heartbeat(open(S1, "B", ONLINE)).expectNothing();
        assertThat(presence.stored()).isNull();
        presence.as("alice").tickEverySecondUntil(115).expect(OFFLINE, 100).expectNothing();
    }

    @Test
    @Row("C10")
    void shouldSayNothingWhenThePartitionIsTakenOverBetweenARestartAndTheNextOpen() {
        restartedS().tickEverySecondUntil(105).restart();
        presence.at(106).shardHeartbeat(S1);
        presence.tickEverySecondUntil(110).heartbeat(open(S2, "A", null));
        presence.tickEverySecondUntil(600).expectNothing();
    }

    @Test
    @Row("C11")
    void shouldEndWithItsLeaseWhenAHeartbeatWithALeaseTakesADeviceFromItsSession() {
        openA().tickEverySecondUntil(50).heartbeat(withLease(beat("A", null), 30));
        presence.tickEverySecondUntil(79).expectNothing();
        presence.tickEverySecondUntil(80).expect(OFFLINE, 80).lastActive(50.0);
        presence.tickEverySecondUntil(600).expectNothing();
    }

    @Test
    @Row("C12")
    void shouldSayNothingWhenTheUserIsHiddenWhateverTheShardDoes() {
        presence.at(0).hide().shardKeepsBeating(S1, 10).heartbeat(open(S1, "A", ONLINE));
        presence.heartbeat(open(S1, "B", IDLE));
        presence.tickEverySecondUntil(20).heartbeat(closedBy(S1, "B", null));
        presence.tickEverySecondUntil(99).shardFallsSilent("s1");
        presence.at(100).shardKeepsBeating(S2, 10).heartbeat(open(S2, "B", ONLINE));
        presence.tickEverySecondUntil(200).shardFallsSilent("s2").shardHeartbeat(ended(S2));
        presence.tickEverySecondUntil(600).expectNothing();
    }

    // ---- interface ----

    @Test
    @Row("I1")
    void shouldKnowAndSayNothingWhenNobodyHasHeardOfAUser() {
        presence.at(0).tick().review().expectNothing();
        assertThat(presence.stored()).isNull();
    }

    @Test
    @Row("I2")
    void shouldRefuseOneMoreWhenAUserHasAsManyDevicesAsAllowed() {
        presence.at(0);
        for (int i = 0; i < 63; i++) {
            presence.heartbeat("D" + i, OFFLINE); // remembered, and so counted
        }
        presence.heartbeat("D63", IDLE).expectRefused(null).expect(IDLE, 0);
        UserSnapshot before = presence.stored();
        presence.heartbeat("one more", ONLINE).expectRefused(Reason.TOO_MANY_DEVICES);
        assertThat(presence.stored()).isEqualTo(before);
        presence.heartbeat("D1").expectRefused(null).end("D2").expectRefused(null);
        presence.as("bob").heartbeat("B", ONLINE).expectRefused(null).expect(ONLINE, 0);
        presence.as("alice").tickEverySecondUntil(5).expectNothing();
        presence.heartbeat("one more", ONLINE)
                .expectRefused(null)
                .expect(ONLINE, 5)
                .expectNothing(); // D2 is gone
    }
}
