package dev.rollcall.domain;

import static dev.rollcall.domain.PresenceState.IDLE;
import static dev.rollcall.domain.PresenceState.OFFLINE;
import static dev.rollcall.domain.PresenceState.ONLINE;
import static dev.rollcall.domain.RosterContext.beat;
import static dev.rollcall.domain.RosterContext.beatOf;
import static dev.rollcall.domain.RosterContext.withLease;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.NullAndEmptySource;
import org.junit.jupiter.params.provider.ValueSource;

/** The scenario table, row by row; each test's name begins with the id of its row. Times in seconds. */
public abstract class Scenarios {
    private final Partition partition = partition(RosterContext.DEFAULTS);
    private final RosterContext roster = new RosterContext(partition);

    /** What the scenarios are played on, its clock at 0. */
    protected abstract Partition partition(PresenceRules rules);

    @AfterEach
    void close() {
        partition.close();
    }

    // ---- merge ----

    @Test
    @DisplayName("M1 shouldStayOnlineWhenAnIdleDeviceJoinsAnOnlineOne")
    void shouldStayOnlineWhenAnIdleDeviceJoinsAnOnlineOne() {
        roster.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        roster.at(1).heartbeat("B", IDLE).expectNothing();
    }

    @Test
    @DisplayName("M2 shouldBecomeOnlineWhenAnOnlineDeviceJoinsAnIdleOne")
    void shouldBecomeOnlineWhenAnOnlineDeviceJoinsAnIdleOne() {
        roster.at(0).heartbeat("A", IDLE).expect(IDLE, 0).lastActive(null);
        roster.at(1).heartbeat("B", ONLINE).expect(ONLINE, 1).lastActive(1.0).expectNothing();
    }

    @Test
    @DisplayName("M3 shouldStayIdleWhenASecondDeviceIsIdleToo")
    void shouldStayIdleWhenASecondDeviceIsIdleToo() {
        roster.at(0).heartbeat("A", IDLE).expect(IDLE, 0);
        roster.at(1).heartbeat("B", IDLE).expectNothing();
    }

    @Test
    @DisplayName("M4 shouldBecomeIdleWhenTheOnlineOneOfTwoDevicesEnds")
    void shouldBecomeIdleWhenTheOnlineOneOfTwoDevicesEnds() {
        onlineAThatEndsAndIdleB().expectNothing();
    }

    @Test
    @DisplayName("M5 shouldStayOnlineWhenTheIdleOneOfTwoDevicesExpires")
    void shouldStayOnlineWhenTheIdleOneOfTwoDevicesExpires() {
        roster.at(0).heartbeat("A", IDLE).expect(IDLE, 0);
        roster.at(1).heartbeat("B", ONLINE).keepsBeating("B", 10).expect(ONLINE, 1);
        roster.pulseEverySecondUntil(100).expectNothing();
    }

    @Test
    @DisplayName("M6 shouldBecomeOfflineWhenTheOtherDeviceEndsToo")
    void shouldBecomeOfflineWhenTheOtherDeviceEndsToo() {
        onlineAThatEndsAndIdleB().pulseEverySecondUntil(60);
        roster.fallsSilent("B").end("B").pulseEverySecondUntil(64).expectNothing();
        roster.pulseEverySecondUntil(65).expect(OFFLINE, 65);
        roster.pulseEverySecondUntil(200).expectNothing();
    }

    private RosterContext onlineAThatEndsAndIdleB() {
        roster.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        roster.at(1).heartbeat("B", IDLE).keepsBeating("B", 10);
        roster.pulseEverySecondUntil(10).end("A").pulseEverySecondUntil(14).expectNothing();
        return roster.pulseEverySecondUntil(50).expect(IDLE, 15).lastActive(0.0);
    }

    @ParameterizedTest(name = "M7 shouldEndInTheSameStateWhenDevicesComeInEitherOrder {0} {1}")
    @CsvSource({"ONLINE, IDLE", "IDLE, ONLINE"})
    void shouldEndInTheSameStateWhenDevicesComeInEitherOrder(PresenceState first, PresenceState second) {
        roster.at(0).heartbeat("A", first).expect(first, 0);
        roster.heartbeat("B", second);
        if (first == IDLE) {
            roster.expect(ONLINE, 0);
        }
        roster.pulseEverySecondUntil(29).expectNothing();
        roster.pulseEverySecondUntil(30).expect(OFFLINE, 30).lastActive(0.0).expectNothing();
    }

    @Test
    @DisplayName("M8 shouldSayOnlyTheFirstInAndTheLastOutWhenTwoDevicesComeAndGo")
    void shouldSayOnlyTheFirstInAndTheLastOutWhenTwoDevicesComeAndGo() {
        roster.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        roster.at(1).heartbeat("B", ONLINE).expectNothing();
        roster.at(2).end("A").pulseEverySecondUntil(10).expectNothing();
        roster.end("B").pulseEverySecondUntil(14).expectNothing();
        roster.pulseEverySecondUntil(15).expect(OFFLINE, 15);
        roster.pulseEverySecondUntil(100).expectNothing();
    }

    // ---- time ----

    @Test
    @DisplayName("T1 shouldBecomeOfflineAtTheDeadlineWhenADeviceFallsSilent")
    void shouldBecomeOfflineAtTheDeadlineWhenADeviceFallsSilent() {
        roster.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        roster.pulseEverySecondUntil(29).at(29.999).pulse().expectNothing();
        roster.at(30.7).pulse().expect(OFFLINE, 30).lastActive(0.0);
        roster.pulseEverySecondUntil(100).expectNothing();
    }

    @Test
    @DisplayName("T2 shouldBecomeOfflineAtTheEndOfItsOwnLeaseWhenALongPollFallsSilent")
    void shouldBecomeOfflineAtTheEndOfItsOwnLeaseWhenALongPollFallsSilent() {
        roster.at(0).heartbeat(withLease(beat("A", ONLINE), 90)).expect(ONLINE, 0);
        roster.pulseEverySecondUntil(89).expectNothing();
        roster.pulseEverySecondUntil(90).expect(OFFLINE, 90).expectNothing();
    }

    @Test
    @DisplayName("T3 shouldBeExpiredWhenTheClockStandsAtTheDeadline")
    void shouldBeExpiredWhenTheClockStandsAtTheDeadline() {
        roster.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        roster.pulseEverySecondUntil(29).expectNothing();
        roster.pulseEverySecondUntil(30).expect(OFFLINE, 30).expectNothing();
    }

    @Test
    @DisplayName("T4 shouldSayNothingMoreWhenADeviceKeepsBeating")
    void shouldSayNothingMoreWhenADeviceKeepsBeating() {
        roster.at(0).heartbeat("A", ONLINE).keepsBeating("A", 10).expect(ONLINE, 0);
        roster.pulseEverySecondUntil(3_600).expectNothing();
    }

    @Test
    @DisplayName("T5 shouldStayOnlineWhenOneOfTwoDevicesIsStale")
    void shouldStayOnlineWhenOneOfTwoDevicesIsStale() {
        roster.at(0).heartbeat("A", ONLINE).heartbeat("B", ONLINE).keepsBeating("B", 10);
        roster.expect(ONLINE, 0).pulseEverySecondUntil(100).expectNothing();
    }

    @Test
    @DisplayName("T6 shouldBecomeOfflineOnceWhenBothDevicesAreStale")
    void shouldBecomeOfflineOnceWhenBothDevicesAreStale() {
        roster.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        roster.at(7).heartbeat("B", ONLINE);
        roster.pulseEverySecondUntil(200).expect(OFFLINE, 37).lastActive(7.0).expectNothing();
    }

    @Test
    @DisplayName("T7 shouldSayNothingWhenAnEndedDeviceIsBackWithinTheGraceTime")
    void shouldSayNothingWhenAnEndedDeviceIsBackWithinTheGraceTime() {
        roster.at(0).heartbeat("A", ONLINE).end("A").expect(ONLINE, 0);
        roster.pulseEverySecondUntil(3).heartbeat("A", ONLINE).keepsBeating("A", 10);
        roster.pulseEverySecondUntil(100).expectNothing();
    }

    @Test
    @DisplayName("T8 shouldBecomeOfflineAfterTheGraceTimeWhenADeviceEnded")
    void shouldBecomeOfflineAfterTheGraceTimeWhenADeviceEnded() {
        roster.at(0).heartbeat("A", ONLINE).end("A").expect(ONLINE, 0);
        roster.pulseEverySecondUntil(4).expectNothing();
        roster.pulseEverySecondUntil(100).expect(OFFLINE, 5).expectNothing();
    }

    @Test
    @DisplayName("T9 shouldStayIdleWhenAnOlderOnlineArrivesLater")
    void shouldStayIdleWhenAnOlderOnlineArrivesLater() {
        roster.at(105).heartbeat("A", IDLE).expect(IDLE, 105);
        roster.at(106).pulse().misrouted(100, beat("A", ONLINE)).expectNothing();
        roster.pulseEverySecondUntil(200).expect(OFFLINE, 135).lastActive(null).expectNothing();
    }

    @Test
    @DisplayName("T10 shouldSayNothingWhenTheLeaseIsOverOnArrival")
    void shouldSayNothingWhenTheLeaseIsOverOnArrival() {
        roster.as("bob").at(99).heartbeat("B", ONLINE).expect(ONLINE, 99); // so that there is a clock
        roster.at(100).pulse().keepsBeating("B", 10);
        roster.as("alice").misrouted(70, beat("A", ONLINE)).expectNothing();
        roster.pulseEverySecondUntil(200).expectNothing();
        assertThat(roster.stored()).isNull();
    }

    @Test
    @DisplayName("T11 shouldExpireOnTimeWhenAHeartbeatIsStampedAnHourAhead")
    void shouldExpireOnTimeWhenAHeartbeatIsStampedAnHourAhead() {
        roster.at(100).pulse().stamped(3_700, beat("A", ONLINE)).expect(ONLINE, 3_700);
        roster.pulseEverySecondUntil(130).expectNothing();
        roster.pulseEverySecondUntil(4_000).expect(OFFLINE, 3_700).expectNothing();
    }

    @ParameterizedTest(name = "T12 shouldSayNothingWhenTheLogWasAwayForAnHour, first comes a {0}")
    @ValueSource(strings = {"pulse", "heartbeat"})
    void shouldSayNothingWhenTheLogWasAwayForAnHour(String first) {
        roster.as("bob").at(0).heartbeat("B", IDLE).expect(IDLE, 0);
        roster.as("alice").at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        roster.pulseEverySecondUntil(20).at(3_620);
        if (first.equals("pulse")) {
            roster.pulse();
        }
        roster.as("bob").heartbeat("B").keepsBeating("B", 10);
        roster.pulseEverySecondUntil(3_640).as("alice").heartbeat("A").keepsBeating("A", 10);
        roster.pulseEverySecondUntil(3_800).expectNothing();
    }

    @Test
    @DisplayName("T13 shouldSayNothingWhenTenMinutesOfBacklogAreReadAfterARestart")
    void shouldSayNothingWhenTenMinutesOfBacklogAreReadAfterARestart() {
        roster.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        roster.pulseEverySecondUntil(10).restart();
        readBacklog(20, 610);
    }

    @Test
    @DisplayName("T13 shouldSayNothingWhenTenMinutesOfBacklogAreReadWithoutARestart")
    void shouldSayNothingWhenTenMinutesOfBacklogAreReadWithoutARestart() {
        roster.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        roster.pulseEverySecondUntil(10);
        readBacklog(20, 610);
    }

    private void readBacklog(double from, double until) {
        for (double second = from; second <= until; second += 10) {
            roster.at(second).heartbeat("A");
        }
        roster.pulse().keepsBeating("A", 10);
        roster.pulseEverySecondUntil(until + 100).expectNothing();
    }

    @Test
    @DisplayName("T14 shouldBecomeOfflineWhenOneDeviceOfALivelyShardFallsSilent")
    void shouldBecomeOfflineWhenOneDeviceOfALivelyShardFallsSilent() {
        aliceAndBobOnShard();
        roster.pulseEverySecondUntil(20).as("alice").fallsSilent("A");
        roster.pulseEverySecondUntil(49).expectNothing();
        roster.pulseEverySecondUntil(300).expect(OFFLINE, 50).lastActive(20.0).expectNothing();
    }

    @Test
    @DisplayName("T15 shouldSayNothingWhenAShardIsBackWithinTheHold")
    void shouldSayNothingWhenAShardIsBackWithinTheHold() {
        aliceAndBobOnShard();
        roster.pulseEverySecondUntil(20).as("alice").fallsSilent("A");
        roster.as("bob").fallsSilent("B");
        roster.pulseEverySecondUntil(70);
        roster.as("bob").heartbeat(beatOf("s", "B", null)).keepsBeating(beatOf("s", "B", null), 10);
        roster.pulseEverySecondUntil(99); // alice's homeserver is slow: the end of one more lease is at 100
        roster.as("alice").heartbeat(beatOf("s", "A", null)).keepsBeating(beatOf("s", "A", null), 10);
        roster.pulseEverySecondUntil(300).expectNothing();
    }

    @Test
    @DisplayName("T16 shouldBecomeOfflineAfterTheHoldWhenAShardStaysAway")
    void shouldBecomeOfflineAfterTheHoldWhenAShardStaysAway() {
        aliceAndBobOnShard();
        roster.pulseEverySecondUntil(20).as("alice").fallsSilent("A");
        roster.as("bob").fallsSilent("B");
        roster.at(25).heartbeat(beatOf("s", "B", null));
        roster.pulseEverySecondUntil(109).expectNothing();
        roster.as("alice").pulseEverySecondUntil(110).expect(OFFLINE, 50).lastActive(20.0);
        roster.as("bob").pulseEverySecondUntil(114).expectNothing();
        roster.pulseEverySecondUntil(300).expect(OFFLINE, 55).lastActive(25.0).expectNothing();
    }

    private void aliceAndBobOnShard() {
        roster.as("alice").at(0).heartbeat(beatOf("s", "A", ONLINE)).expect(ONLINE, 0);
        roster.keepsBeating(beatOf("s", "A", null), 10);
        roster.as("bob").heartbeat(beatOf("s", "B", ONLINE)).expect(ONLINE, 0);
        roster.keepsBeating(beatOf("s", "B", null), 10);
    }

    // ---- leases, order and stamps ----

    @Test
    @DisplayName("L1 shouldKeepTheLongerLeaseWhenAStateIsSetWithoutOne")
    void shouldKeepTheLongerLeaseWhenAStateIsSetWithoutOne() {
        roster.at(0).heartbeat(withLease(beat("A", ONLINE), 45)).expect(ONLINE, 0);
        roster.at(1).heartbeat("A", IDLE).expect(IDLE, 1);
        roster.pulseEverySecondUntil(44).expectNothing();
        roster.pulseEverySecondUntil(100).expect(OFFLINE, 45).expectNothing();
    }

    @Test
    @DisplayName("L2 shouldTakeTheShorterLeaseWhenThePartitionIsTakenOver")
    void shouldTakeTheShorterLeaseWhenThePartitionIsTakenOver() {
        roster.at(0).heartbeat(withLease(beat("A", ONLINE), 86_400)).expect(ONLINE, 0);
        roster.at(10).heartbeat(withLease(beat("A", ONLINE), 30));
        roster.pulseEverySecondUntil(20).restart();
        roster.pulseEverySecondUntil(39).expectNothing();
        roster.pulseEverySecondUntil(100).expect(OFFLINE, 51).expectNothing(); // one lease from the first record read
    }

    @Test
    @DisplayName("L3 shouldBeOfflineAboutItsOwnDeadlineWhenTheProcessorWasAwayForAnHour")
    void shouldBeOfflineAboutItsOwnDeadlineWhenTheProcessorWasAwayForAnHour() {
        roster.as("bob").at(0).heartbeat("B", IDLE).expect(IDLE, 0);
        roster.as("alice").at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        roster.pulseEverySecondUntil(10).restart();
        roster.stamped(11.5, beat("A", null));
        for (int second = 20; second <= 3_610; second += 10) {
            roster.as("bob").stamped(second, beat("B", null));
        }
        roster.as("alice")
                .at(3_610)
                .pulse()
                .expect(OFFLINE, 41.5)
                .lastActive(11.5)
                .expectNothing();
    }

    @Test
    @DisplayName("L4 shouldApplyTheLaterRecordWhenItsStampIsEarlier")
    void shouldApplyTheLaterRecordWhenItsStampIsEarlier() {
        roster.at(100).pulse().at(100.2).heartbeat("A", ONLINE).expect(ONLINE, 100.2);
        roster.stamped(100, beat("A", IDLE)).expect(IDLE, 100.2).expectNothing();
    }

    @Test
    @DisplayName("L5 shouldApplyWhatFollowsWhenOneClockTickIsStampedAnHourAhead")
    void shouldApplyWhatFollowsWhenOneClockTickIsStampedAnHourAhead() {
        roster.as("alice").at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        roster.as("bob").heartbeat("B", ONLINE).expect(ONLINE, 0).keepsBeating("B", 10);
        roster.pulseEverySecondUntil(10).stampedPulse(3_610).expectNothing();
        roster.as("alice").at(11).heartbeat("A", OFFLINE).expect(OFFLINE, 11);
        roster.as("carol").at(12).heartbeat("C", IDLE).expect(IDLE, 12);
        roster.pulseEverySecondUntil(41).expectNothing();
        roster.pulseEverySecondUntil(100).expect(OFFLINE, 42).expectNothing();
    }

    @Test
    @DisplayName("L7 shouldUndoNothingWhenOlderTextAndFlagArriveMisrouted")
    void shouldUndoNothingWhenOlderTextAndFlagArriveMisrouted() {
        roster.at(10).heartbeat("A", ONLINE).expect(ONLINE, 10);
        roster.at(11).text("new").expectText("new", 11).hide().expect(OFFLINE, 11, "new");
        roster.at(12).misroutedText(10.98, "old").misroutedFlag(10.98, false).expectNothing();
        roster.restart();
        roster.at(13).misroutedText(10.99, "old").misroutedFlag(10.99, false).heartbeat("A");
        roster.pulseEverySecondUntil(20).expectNothing();
    }

    // ---- what is emitted ----

    @Test
    @DisplayName("E1 shouldSayNothingWhenTheStateIsTheSameAgain")
    void shouldSayNothingWhenTheStateIsTheSameAgain() {
        roster.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        roster.at(1).heartbeat("A", ONLINE).expectNothing();
    }

    @Test
    @DisplayName("E2 shouldSayAllInOrderWhenAStateChangesInQuickSuccession")
    void shouldSayAllInOrderWhenAStateChangesInQuickSuccession() {
        roster.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        roster.at(0.001).heartbeat("A", IDLE).expect(IDLE, 0.001).lastActive(0.0);
        roster.at(0.002).heartbeat("A", ONLINE).expect(ONLINE, 0.002).lastActive(0.002);
        roster.at(0.002).heartbeat("A", OFFLINE).expect(OFFLINE, 0.002).expectNothing();
    }

    @Test
    @DisplayName("E3 shouldBeOnlineAtOnceWhenAnExpiredDeviceReturns")
    void shouldBeOnlineAtOnceWhenAnExpiredDeviceReturns() {
        roster.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        roster.pulseEverySecondUntil(40).expect(OFFLINE, 30);
        roster.at(40.5).heartbeat("A", ONLINE).expect(ONLINE, 40.5).expectNothing();
    }

    @Test
    @DisplayName("E4 shouldSayNothingWhenAFreshUserBeginsOffline")
    void shouldSayNothingWhenAFreshUserBeginsOffline() {
        roster.at(0).heartbeat("A", OFFLINE).expectNothing();
        roster.pulseEverySecondUntil(100).expectNothing();
    }

    @Test
    @DisplayName("E5 shouldSayNothingOfOthersWhenAUserDoesAllThereIsToDo")
    void shouldSayNothingOfOthersWhenAUserDoesAllThereIsToDo() {
        roster.as("alice").at(0).heartbeat("A", ONLINE).keepsBeating("A", 10).expect(ONLINE, 0);
        roster.text("x", 50).expectText("x", 0);
        roster.as("bob").heartbeat("A", IDLE).expect(IDLE, 0).lastActive(null);
        roster.at(1).heartbeat("A", OFFLINE).expect(OFFLINE, 1);
        roster.at(2).text("y").expectText("y", 2);
        roster.at(3).heartbeat("A", ONLINE).expect(ONLINE, 3, "y");
        roster.at(4).end("A").hide().expect(OFFLINE, 4, "y");
        roster.at(5).text(null).expectText(null, 5).unhide().expect(ONLINE, 5);
        roster.pulseEverySecondUntil(9).expect(OFFLINE, 9);
        roster.as("alice").pulseEverySecondUntil(100).expectText(null, 50).expectNothing();
    }

    // ---- status text ----

    @Test
    @DisplayName("S1 shouldKeepTheTextWhenTheDeviceExpires")
    void shouldKeepTheTextWhenTheDeviceExpires() {
        roster.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        roster.at(1).text("x").expectText("x", 1);
        roster.pulseEverySecondUntil(100).expect(OFFLINE, 30, "x").expectNothing();
    }

    @Test
    @DisplayName("S2 shouldKeepTheTextWhenADeviceBeats")
    void shouldKeepTheTextWhenADeviceBeats() {
        roster.at(0).text("x").expect(OFFLINE, 0, "x");
        roster.at(1).heartbeat("A", ONLINE).expect(ONLINE, 1, "x").expectNothing();
    }

    @ParameterizedTest(name = "S3 shouldHaveNoTextWhenItIsEmptyOrNull [{0}]")
    @NullAndEmptySource
    void shouldHaveNoTextWhenItIsEmptyOrNull(String none) {
        roster.at(0).text(none).expectNothing();
        roster.heartbeat("A", ONLINE).expect(ONLINE, 0);
        roster.at(1).text(none).expectNothing();
        roster.at(2).text("x").expectText("x", 2);
        roster.at(3).text(none).expectText(null, 3).expectNothing();
    }

    @Test
    @DisplayName("S4 shouldSayNothingWhenTheTextIsTheSameAgain")
    void shouldSayNothingWhenTheTextIsTheSameAgain() {
        roster.at(0).text("x").expect(OFFLINE, 0, "x");
        roster.at(1).text("x").expectNothing();
        roster.at(2).text("x", 50).expectNothing(); // only its end is new
        roster.pulseEverySecondUntil(100).expectText(null, 50).expectNothing();
    }

    @Test
    @DisplayName("S5 shouldLoseTheTextWhenItsTimeHasCome")
    void shouldLoseTheTextWhenItsTimeHasCome() {
        roster.at(0).text("x", 100).expect(OFFLINE, 0, "x");
        roster.pulseEverySecondUntil(99).expectNothing();
        roster.at(100.7).pulse().expectText(null, 100);
        roster.pulseEverySecondUntil(300).expectNothing();
    }

    @Test
    @DisplayName("S6 shouldBeOfflineWithTheTextWhenThereIsNoDevice")
    void shouldBeOfflineWithTheTextWhenThereIsNoDevice() {
        roster.at(7).text("x").expect(OFFLINE, 7, "x").lastActive(null).expectNothing();
    }

    // ---- appear offline ----

    @Test
    @DisplayName("H1 shouldBeOfflineAtOnceWhenAnOnlineUserHides")
    void shouldBeOfflineAtOnceWhenAnOnlineUserHides() {
        roster.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        roster.at(1).hide().expect(OFFLINE, 1).lastActive(0.0).expectNothing();
    }

    @Test
    @DisplayName("H2 shouldSayNothingWhenAHiddenUsersDevicesComeAndGo")
    void shouldSayNothingWhenAHiddenUsersDevicesComeAndGo() {
        roster.at(0).hide();
        roster.at(1).heartbeat("A", ONLINE).heartbeat("B", IDLE);
        roster.at(2).heartbeat("A", IDLE).end("B");
        roster.pulseEverySecondUntil(100).expectNothing();
    }

    @Test
    @DisplayName("H3 shouldBeIdleAtOnceWhenAHiddenUserWithAnIdleDeviceShowsUp")
    void shouldBeIdleAtOnceWhenAHiddenUserWithAnIdleDeviceShowsUp() {
        roster.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        roster.at(1).hide().expect(OFFLINE, 1);
        roster.at(2).heartbeat("A", ONLINE);
        roster.at(3).heartbeat("A", IDLE).expectNothing();
        roster.at(4).unhide().expect(IDLE, 4).lastActive(0.0).expectNothing();
    }

    @Test
    @DisplayName("H4 shouldSayNothingWhenNobodyOnlineHides")
    void shouldSayNothingWhenNobodyOnlineHides() {
        roster.at(0).hide().expectNothing();
        roster.at(1).unhide().expectNothing();
        roster.as("bob").heartbeat("A", ONLINE).expect(ONLINE, 1);
        roster.pulseEverySecondUntil(31).expect(OFFLINE, 31);
        roster.hide().expectNothing();
    }

    @Test
    @DisplayName("H5 shouldStayHiddenWhenEverythingRestarts")
    void shouldStayHiddenWhenEverythingRestarts() {
        roster.at(0).hide().restart();
        roster.at(1).heartbeat("A", ONLINE);
        roster.pulseEverySecondUntil(2).restart();
        roster.at(3).heartbeat("A", ONLINE).expectNothing();
        roster.at(4).unhide().expect(ONLINE, 4).lastActive(null).expectNothing();
    }

    @ParameterizedTest(name = "H6 shouldSayTheSameWhenAHiddenUsersHeartbeatsAreThere: {0}")
    @ValueSource(booleans = {true, false})
    void shouldSayTheSameWhenAHiddenUsersHeartbeatsAreThere(boolean there) {
        roster.as("bob").at(0).heartbeat(beatOf("s", "B", ONLINE)).expect(ONLINE, 0);
        roster.as("alice").hide();
        if (there) {
            roster.heartbeat(beatOf("s", "A", ONLINE)).keepsBeating(beatOf("s", "A", null), 10);
        }
        roster.pulseEverySecondUntil(50).text("x").expect(OFFLINE, 50, "x").lastActive(null);
        roster.as("bob").pulseEverySecondUntil(89).expectNothing(); // held: but for alice, the shard is silent
        roster.pulseEverySecondUntil(90).expect(OFFLINE, 30).expectNothing();
    }

    // ---- interface ----

    @Test
    @DisplayName("I1 shouldKnowAndSayNothingWhenNobodyHasHeardOfAUser")
    void shouldKnowAndSayNothingWhenNobodyHasHeardOfAUser() {
        roster.at(0).pulse().review().expectNothing();
        assertThat(roster.stored()).isNull();
    }

    @Test
    @DisplayName("I2 shouldRefuseOneMoreWhenAUserHasAsManyDevicesAsAllowed")
    void shouldRefuseOneMoreWhenAUserHasAsManyDevicesAsAllowed() {
        roster.at(0);
        for (int i = 0; i < 63; i++) {
            roster.heartbeat("D" + i, OFFLINE); // remembered, and so counted
        }
        roster.heartbeat("D63", IDLE).expectRefused(null).expect(IDLE, 0);
        UserFacts before = roster.stored();
        roster.heartbeat("one more", ONLINE).expectRefused(Refusal.TOO_MANY_DEVICES);
        assertThat(roster.stored()).isEqualTo(before);
        roster.heartbeat("D1").expectRefused(null).end("D2").expectRefused(null);
        roster.as("bob").heartbeat("B", ONLINE).expectRefused(null).expect(ONLINE, 0);
        roster.as("alice").pulseEverySecondUntil(5).expectNothing();
        roster.heartbeat("one more", ONLINE)
                .expectRefused(null)
                .expect(ONLINE, 5)
                .expectNothing(); // D2 is gone
    }
}
