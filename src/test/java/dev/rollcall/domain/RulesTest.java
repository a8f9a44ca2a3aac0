package dev.rollcall.domain;

import static dev.rollcall.domain.PresenceState.IDLE;
import static dev.rollcall.domain.PresenceState.OFFLINE;
import static dev.rollcall.domain.PresenceState.ONLINE;
import static dev.rollcall.domain.RosterContext.DEFAULTS;
import static dev.rollcall.domain.RosterContext.beat;
import static dev.rollcall.domain.RosterContext.beatOf;
import static dev.rollcall.domain.RosterContext.closed;
import static dev.rollcall.domain.RosterContext.withLease;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What follows from the rules, and no row of the scenario table says. Times in seconds. */
class RulesTest {
    private static final double RETENTION = DEFAULTS.retentionMs() / 1000.0;

    private final RosterPartition partition = new RosterPartition(DEFAULTS);
    private final RosterContext roster = new RosterContext(partition);

    // ---- heartbeats (rules 2, 3, 5 and 7) ----

    @Test
    void shouldBecomeOnlineWhenAnUnknownOrExpiredDeviceNamesNoState() {
        roster.at(0).heartbeat("A").expect(ONLINE, 0);
        roster.pulseEverySecondUntil(40).expect(OFFLINE, 30);
        roster.at(40.5).heartbeat("A").expect(ONLINE, 40.5).expectNothing();
    }

    @Test
    void shouldKeepTheStateWhenALiveDeviceNamesNone() {
        roster.at(0).heartbeat("A", IDLE).expect(IDLE, 0);
        roster.pulseEverySecondUntil(20)
                .heartbeat("A")
                .pulseEverySecondUntil(49)
                .expectNothing();
        roster.pulseEverySecondUntil(50).expect(OFFLINE, 50).lastActive(null).expectNothing();
    }

    @Test
    void shouldRememberOfflineForTheLeaseWhenADeviceNamesNoStateAfterwards() {
        roster.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        roster.at(1).heartbeat("A", OFFLINE).expect(OFFLINE, 1);
        roster.pulseEverySecondUntil(30)
                .heartbeat("A")
                .pulseEverySecondUntil(59)
                .heartbeat("A");
        roster.pulseEverySecondUntil(88).expectNothing();
        roster.pulseEverySecondUntil(89).heartbeat("A").expect(ONLINE, 89).expectNothing(); // expired
    }

    @ParameterizedTest
    @ValueSource(strings = {"OFFLINE", "IDLE"})
    void shouldNeverBeSeenOnlineWhenADeviceReconnectsInAnotherState(PresenceState state) {
        roster.at(0).heartbeat("A", IDLE).expect(IDLE, 0);
        roster.pulseEverySecondUntil(40).expect(OFFLINE, 30);
        roster.heartbeat("A", state);
        if (state == IDLE) {
            roster.expect(IDLE, 40);
        }
        roster.lastActive(null).expectNothing();
    }

    @Test
    void shouldSayNothingWhenAnUnknownDeviceEnds() {
        roster.at(0).end("A").expectNothing();
        assertThat(roster.stored()).isNull();
        roster.heartbeat("A", IDLE).expect(IDLE, 0);
        roster.pulseEverySecondUntil(40).expect(OFFLINE, 30);
        roster.end("A").pulseEverySecondUntil(100).expectNothing();
    }

    @Test
    void shouldTakeTheStateWhenAnEndCarriesOne() {
        roster.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        roster.at(1).end("A", IDLE).expect(IDLE, 1).lastActive(0.0);
        roster.pulseEverySecondUntil(6).expect(OFFLINE, 6);
        roster.end("A", ONLINE).expect(ONLINE, 6).lastActive(0.0); // an end is no activity
        roster.pulseEverySecondUntil(11).expect(OFFLINE, 11).lastActive(0.0).expectNothing();
    }

    @Test
    void shouldChangeNothingWhenAMisroutedOlderEndArrivesLater() {
        roster.at(10).heartbeat("A", ONLINE).expect(ONLINE, 10);
        roster.misrouted(9, closed("A", null)).pulseEverySecondUntil(39).expectNothing();
        roster.pulseEverySecondUntil(40).expect(OFFLINE, 40).expectNothing();
    }

    // ---- what is said (rule 10) ----

    @Test
    void shouldSayOneAfterTheOtherWhenOnePulseNoticesTwoInstants() {
        roster.at(0).heartbeat(withLease(beat("A", ONLINE), 10)).expect(ONLINE, 0);
        roster.heartbeat(withLease(beat("B", IDLE), 12));
        roster.pulseEverySecondUntil(9).text("x", 11).expectText("x", 9);
        roster.at(11.5).pulse().at(13).pulse();
        roster.expect(IDLE, 10, "x").expectText(null, 11).expect(OFFLINE, 12).expectNothing();
    }

    @Test
    void shouldSayAllAtOnceWhenTwoDevicesAndTheTextEndAtTheSameInstant() {
        roster.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        roster.heartbeat("B", IDLE).text("x", 30).expectText("x", 0);
        roster.pulseEverySecondUntil(40).expect(OFFLINE, 30).expectNothing();
    }

    @Test
    void shouldSettleFirstWhenAnInputComesAfterAPulseThatEndedSomething() {
        RosterContext slow = new RosterContext(withBudget(0)); // a sweep that never gets anywhere
        slow.at(0).heartbeat("A", ONLINE).text("x", 20).expect(ONLINE, 0).expectText("x", 0);
        slow.pulseEverySecondUntil(40).expectNothing();
        slow.at(40.5).heartbeat("A").expectText(null, 20).expect(OFFLINE, 30).expect(ONLINE, 40.5);
        slow.pulseEverySecondUntil(80).text("y").expect(OFFLINE, 70.5).expectText("y", 80);
        slow.heartbeat("A").expect(ONLINE, 80, "y").pulseEverySecondUntil(120);
        slow.hide().expect(OFFLINE, 110, "y").expectNothing();
    }

    @Test
    void shouldNeverGoBackWhenALateRecordChangesTheState() {
        roster.at(10).heartbeat("A", ONLINE).expect(ONLINE, 10);
        roster.at(5).heartbeat("B", OFFLINE).hide().expect(OFFLINE, 10);
        roster.at(7).unhide().expect(ONLINE, 10).expectNothing();
    }

    @Test
    void shouldMoveLastActiveOnlyWhenAnOnlineDeviceBeatsInSight() {
        roster.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0).lastActive(0.0);
        roster.at(1).heartbeat("A").at(2).heartbeat("B", IDLE).at(3).end("A");
        roster.at(4).text("x").expectText("x", 4).lastActive(1.0);
        roster.at(5).hide().expect(OFFLINE, 5, "x").lastActive(1.0);
        roster.at(6).heartbeat("A").at(7).text("y").expectText("y", 7).lastActive(1.0);
        roster.at(8).unhide().expect(ONLINE, 8, "y").lastActive(1.0);
        roster.at(9)
                .heartbeat("A")
                .at(10)
                .heartbeat("A", IDLE)
                .expect(IDLE, 10, "y")
                .lastActive(9.0);
        roster.expectNothing();
    }

    @Test
    void shouldBeginAnewWhenAForgottenUserReturns() {
        roster.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        roster.pulseEverySecondUntil(30).expect(OFFLINE, 30).lastActive(0.0);
        double later = 31 + RETENTION;
        roster.at(later).pulse().review().expectForgotten(30 + RETENTION);
        assertThat(roster.stored()).isNull();
        roster.heartbeat("A", IDLE).expect(IDLE, later).lastActive(null).expectNothing();
    }

    @Test
    void shouldNotBeForgottenWhenATextOrTheFlagIsLeft() {
        roster.as("alice").at(0).text("x").expect(OFFLINE, 0, "x");
        roster.as("bob").hide();
        roster.at(3 * RETENTION).pulse().review().as("alice").review().expectNothing();
        assertThat(roster.stored()).isNotNull();
        assertThat(roster.as("bob").stored()).isNotNull();
    }

    @Test
    void shouldCountFromTheLastThingThatHadToEndWhenTheTextIsClearedWithAnOlderStamp() {
        roster.at(100).text("x").expect(OFFLINE, 100, "x");
        roster.at(90).text(null).expectText(null, 90);
        roster.at(99 + RETENTION).pulse().review().expectNothing();
        roster.at(100 + RETENTION)
                .pulse()
                .review()
                .expectForgotten(100 + RETENTION)
                .expectNothing();
    }

    // ---- appear offline (rule 9) ----

    @Test
    void shouldBeOfflineSinceTheFlagWhenADeviceHasLeftAHigherStateSince() {
        roster.at(0).heartbeat("A", ONLINE).heartbeat("B", ONLINE).expect(ONLINE, 0);
        roster.at(10).heartbeat("A", IDLE).expectNothing();
        roster.at(9).hide().expect(OFFLINE, 9).expectNothing(); // stamped by another clock, or written before
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldSayTheSameOfATextWhenAHiddenUsersDevicesHaveComeAndGone(boolean there) {
        roster.at(0).hide();
        if (there) {
            roster.at(1).heartbeat("A", ONLINE).at(10).heartbeat("A", OFFLINE);
        }
        roster.at(5).text("x").expect(OFFLINE, 5, "x").expectNothing();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldSayTheSameOfOthersWhenAHiddenUsersDeviceIsTakenOver(boolean there) {
        roster.as("alice").at(0).hide();
        if (there) {
            roster.heartbeat(beatOf("s", "A", ONLINE));
        }
        roster.restart();
        roster.as("bob").at(1).heartbeat("B", OFFLINE); // the first record that counts
        roster.as("carol").hide().heartbeat(beatOf("s", "C", ONLINE));
        roster.at(2).unhide().expect(ONLINE, 2);
        roster.pulseEverySecondUntil(30).expectNothing();
        roster.pulseEverySecondUntil(31).expect(OFFLINE, 31).expectNothing(); // nobody has heard the shard
    }

    /** A text that is over by the last pulse goes with the next input or pulse; a hidden user's heartbeat must not show. */
    @Test
    void shouldSayTheSameOfATextThatIsOverOnArrivalWhenARestartFollows() {
        UserId alice = UserId.of("alice");
        RosterPartition without = new RosterPartition(DEFAULTS);
        for (RosterPartition one : List.of(partition, without)) {
            one.appearOffline(alice, true, 0);
            one.pulse(10_000);
            one.status(alice, new StatusText("x", 9_000L), 8_000);
            if (one == partition) {
                one.heartbeat(alice, beat("A", ONLINE), 10_100);
            }
            one.restart();
            one.status(alice, new StatusText("x", null), 10_200);
            one.pulse(11_000);
        }
        assertThat(partition.said()).isEqualTo(without.said());
    }

    // ---- silent shards (rule 13) ----

    @Test
    void shouldNotBeHeldWhenTheHoldIsSwitchedOff() {
        PresenceRules rules =
                new PresenceRules(30_000, 5_000, DEFAULTS.retentionMs(), 64, 15_000, 0, 0, 3_000, 9, false);
        RosterContext off = new RosterContext(rules);
        off.at(0).heartbeat(beatOf("s", "A", ONLINE)).expect(ONLINE, 0);
        off.pulseEverySecondUntil(30).expect(OFFLINE, 30).expectNothing();
    }

    @Test
    void shouldNotBeHeldWhenItEndedOrSaidSo() {
        roster.as("alice").at(0).heartbeat(beatOf("s", "A", ONLINE)).expect(ONLINE, 0);
        roster.as("bob").heartbeat(beatOf("s", "B", ONLINE)).expect(ONLINE, 0);
        roster.pulseEverySecondUntil(10)
                .end("B")
                .as("alice")
                .heartbeat("A", IDLE)
                .expect(IDLE, 10);
        roster.as("bob").pulseEverySecondUntil(39).expect(OFFLINE, 15).expectNothing();
        roster.as("alice").pulseEverySecondUntil(40).expect(OFFLINE, 40).expectNothing(); // it has left the shard
    }

    @Test
    void shouldBeginNoEarlierThanTheRemainingDeviceWhenAHeldOneGoes() {
        roster.at(0).heartbeat(beatOf("s", "A", ONLINE)).expect(ONLINE, 0);
        roster.pulseEverySecondUntil(50).heartbeat("B", IDLE).keepsBeating("B", 10);
        roster.pulseEverySecondUntil(89).expectNothing();
        roster.pulseEverySecondUntil(90).expect(IDLE, 50).lastActive(0.0).expectNothing();
    }

    @Test
    void shouldBeginNoEarlierThanTheLastOtherDepartureWhenAHeldDeviceGoes() {
        roster.at(0).heartbeat(beatOf("s", "A", ONLINE)).expect(ONLINE, 0);
        roster.pulseEverySecondUntil(20).heartbeat("B", IDLE).keepsBeating("B", 10);
        roster.pulseEverySecondUntil(50)
                .heartbeat("C", ONLINE)
                .pulseEverySecondUntil(65)
                .heartbeat("C", OFFLINE);
        roster.pulseEverySecondUntil(89).expectNothing();
        roster.pulseEverySecondUntil(90).expect(IDLE, 65).lastActive(50.0).expectNothing();
    }

    @Test
    void shouldBeginNoEarlierThanWhatWasSaidWhenAHeldDeviceGoes() {
        roster.at(0).heartbeat(beatOf("s", "A", IDLE)).expect(IDLE, 0);
        roster.pulseEverySecondUntil(50).heartbeat("B", ONLINE).expect(ONLINE, 50);
        roster.pulseEverySecondUntil(65).heartbeat("B", OFFLINE).expect(IDLE, 65);
        roster.pulseEverySecondUntil(200).expect(OFFLINE, 65).expectNothing();
    }

    /** At 90 the hold of one ends and the lease of the other; only the first one's end changes the state. */
    @ParameterizedTest
    @ValueSource(strings = {"OFFLINE", "IDLE"})
    void shouldBeginAtItsOwnDeadlineWhenADeviceThatDoesNotCountGoesAtTheSameInstant(PresenceState other) {
        roster.at(0).heartbeat(beatOf("s", "A", ONLINE)).expect(ONLINE, 0);
        roster.heartbeat("B", other).keepsBeating("B", 10).heartbeat("C", other);
        roster.pulseEverySecondUntil(60)
                .heartbeat("C", other)
                .pulseEverySecondUntil(89)
                .expectNothing();
        roster.pulseEverySecondUntil(90).expect(other, 30).expectNothing();
    }

    /** While a silence lasts nobody knows how long the device will be held; that must not cut its grace time. */
    @ParameterizedTest
    @ValueSource(ints = {5, 20})
    void shouldHaveAllOfTheGraceTimeWhenAHeldDeviceEnds(int grace) {
        RosterContext rolls = new RosterContext(new PresenceRules(
                30_000, grace * 1_000L, DEFAULTS.retentionMs(), 64, 15_000, 60_000, 300_000, 3_000, 9, false));
        rolls.at(0).heartbeat(beatOf("s", "A", ONLINE)).expect(ONLINE, 0);
        rolls.pulseEverySecondUntil(42).end("A");
        rolls.pulseEverySecondUntil(41 + grace).expectNothing();
        rolls.pulseEverySecondUntil(42 + grace).expect(OFFLINE, 42 + grace).expectNothing();
    }

    /** Silences 0.5 to 15.5 and 15.7 to 30.8: with the first one alone the device lives to 45.5, with both to 60.8. */
    @Test
    void shouldCountBothWhenAShardFallsSilentTwiceWithinALease() {
        roster.at(0.5).heartbeat(beatOf("s", "A", ONLINE)).expect(ONLINE, 0.5);
        roster.pulseEverySecondUntil(15.5).as("bob").heartbeat(beatOf("s", "B", OFFLINE));
        roster.at(15.7)
                .heartbeat(beatOf("s", "B", OFFLINE))
                .pulseEverySecondUntil(30.8)
                .expectNothing();
        roster.heartbeat(beatOf("s", "B", OFFLINE)).at(30).keepsBeating(beatOf("s", "B", OFFLINE), 5);
        roster.at(30.8).as("alice").pulseEverySecondUntil(60).expectNothing();
        roster.pulseEverySecondUntil(61).expect(OFFLINE, 30.5).expectNothing();
    }

    // ---- time (docs/rules.md) ----

    @Test
    void shouldNotBeJudgedByAnOldPulseWhenTheFirstRecordAfterARestComes() {
        roster.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        roster.pulseEverySecondUntil(30).expect(OFFLINE, 30);
        assertThat(partition.roster().needsPulse()).isFalse();
        roster.at(9_000).heartbeat("A", ONLINE).expect(ONLINE, 9_000);
        assertThat(partition.roster().needsPulse()).isTrue();
        roster.pulseEverySecondUntil(9_029).expectNothing();
        roster.pulseEverySecondUntil(9_030).expect(OFFLINE, 9_030).expectNothing();
    }

    /** The deadline is between the last pulse and the last record before the log went away, but the device is held then. */
    @Test
    void shouldExcuseAHeldDeviceWhenTheLogGoesQuietBeforeAPulseHasNoticedIt() {
        roster.as("alice").at(0.5).heartbeat(beatOf("s", "A", ONLINE)).expect(ONLINE, 0.5);
        roster.pulseEverySecondUntil(30).as("bob").at(30.7).heartbeat("B", OFFLINE);
        roster.as("alice").at(200).pulse().expectNothing();
        roster.pulseEverySecondUntil(229).expectNothing();
        roster.pulseEverySecondUntil(400).expect(OFFLINE, 230).expectNothing();
    }

    @Test
    void shouldKeepEverybodyWhenARestartIsFollowedByABacklog() {
        roster.at(0).heartbeat(withLease(beat("A", ONLINE), 20)).expect(ONLINE, 0);
        roster.keepsBeating(withLease(beat("A", null), 20), 19)
                .pulseEverySecondUntil(290)
                .restart();
        roster.pulseEverySecondUntil(600)
                .restart()
                .restart()
                .pulseEverySecondUntil(1_000)
                .expectNothing();
    }

    @Test
    void shouldNotExpireEarlyWhenARestartFollowsALongerLease() {
        roster.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        roster.at(1).heartbeat(withLease(beat("A", null), 90)).restart();
        roster.pulseEverySecondUntil(91).expectNothing();
        roster.pulseEverySecondUntil(92).expect(OFFLINE, 92).expectNothing();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldSayTheSameSinceWhenARestartComesBetweenTwoDepartures(boolean restart) {
        roster.at(0)
                .heartbeat("A", ONLINE)
                .heartbeat("B", ONLINE)
                .heartbeat("C", IDLE)
                .expect(ONLINE, 0);
        roster.pulseEverySecondUntil(1).end("A").pulseEverySecondUntil(5);
        roster.at(6.3).heartbeat("B", OFFLINE).expectNothing(); // A is to go at 6, which no pulse has noticed yet
        if (restart) {
            roster.restart();
        }
        roster.at(7).pulse().expect(IDLE, 6.3).expectNothing();
    }

    /** A lone processor that restarts again and again while nobody writes much: each absence defers a deadline once. */
    @Test
    void shouldDeferADeadlineOnceWhenOneAbsenceOfTheProcessorHasManyGaps() {
        roster.as("alice").at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        roster.as("bob").heartbeat("B", IDLE).expect(IDLE, 0).keepsBeating("B", 10);
        roster.pulseEverySecondUntil(10);
        for (int second = 20; second <= 600; second += 10) {
            roster.at(second).heartbeat("B"); // and no clock tick
        }
        roster.as("alice").pulse().expect(OFFLINE, 30).expectNothing();
    }

    @Test
    void shouldExcuseAGapWhenTheFirstUserHasComeAfterARestAndNoTickHasComeYet() {
        roster.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        roster.pulseEverySecondUntil(40).expect(OFFLINE, 30); // nobody is left, and no tick is written any more
        roster.at(900).heartbeat("A", ONLINE).expect(ONLINE, 900);
        roster.at(2_000).pulse().expectNothing();
        roster.at(2_010).heartbeat("A").at(2_011).pulse().expectNothing();
    }

    @Test
    void shouldExcuseAgainWhenTheLogIsAwayAgainBeforeATickGetsIn() {
        roster.as("alice").at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        roster.as("bob").heartbeat("B", ONLINE).expect(ONLINE, 0);
        roster.pulseEverySecondUntil(1).at(11).heartbeat("B");
        roster.at(81).pulse().expectNothing();
        roster.as("alice").at(100).heartbeat("A").pulse().expectNothing();
    }

    // ---- stamps that step (rule 7) ----

    /** Taken out of its bundle before what others wrote earlier, which must not look like a step back of the clock. */
    @Test
    void shouldLastAsLongAsTheLeaseWhenHeartbeatsAreTakenEarly() {
        UserId other = UserId.of("other");
        roster.at(0).heartbeat(withLease(beat("A", ONLINE), 45)).expect(ONLINE, 0);
        for (int i = 1; i <= 440; i++) {
            Decision early = partition.roster().earlyHeartbeat(other, beat("O", OFFLINE), i * 100L + 95);
            assertThat(early.announcements()).isEmpty();
            partition.pulse(i * 100L);
        }
        roster.at(44.9).pulse().expectNothing();
        roster.at(45).pulse().expect(OFFLINE, 45).expectNothing();
    }

    @Test
    void shouldLastAsLongAsTheLeaseWhenTheStampsStepBack() {
        roster.at(100).heartbeat("A", ONLINE).expect(ONLINE, 100);
        roster.at(40).pulse().heartbeat("B", IDLE).pulseEverySecondUntil(69).expectNothing();
        roster.pulseEverySecondUntil(70).expect(OFFLINE, 100).expectNothing(); // since: never before what was said last
    }

    @Test
    void shouldSayWhatTheBrokersClockSaidWhenTheStampsHaveSteppedBack() {
        roster.as("alice").at(100).heartbeat("A", ONLINE).expect(ONLINE, 100);
        roster.as("bob").at(40).heartbeat("B", ONLINE).expect(ONLINE, 40).lastActive(40.0);
        roster.pulseEverySecondUntil(69).expectNothing();
        roster.at(70).pulse();
        roster.as("bob").expect(OFFLINE, 70).as("alice").expect(OFFLINE, 100).expectNothing();
    }

    @Test
    void shouldKeepATextForAsLongAsTheBrokersClockSaysWhenTheStampsHaveSteppedBack() {
        roster.at(100).heartbeat("A", IDLE).expect(IDLE, 100);
        roster.at(40).pulse().text("x", 60).expectText("x", 40).keepsBeating("A", 10);
        roster.pulseEverySecondUntil(59).expectNothing();
        roster.pulseEverySecondUntil(100).expectText(null, 60).expectNothing();
    }

    @Test
    void shouldKeepATextThatEndsAtTheEndOfTimeWhenTheStampsHaveSteppedBack() {
        roster.at(100).heartbeat("A", IDLE).expect(IDLE, 100);
        roster.at(40).pulse();
        partition.status(UserId.of("alice"), new StatusText("x", Long.MAX_VALUE - 1), 40_000);
        roster.keepsBeating("A", 10)
                .pulseEverySecondUntil(60)
                .expectText("x", 40)
                .expectNothing();
    }

    @Test
    void shouldGoOnFromTheStoredTimeWhenATakeOverComesWithAStepBack() {
        roster.at(100).heartbeat("A", ONLINE).expect(ONLINE, 100).restart();
        roster.at(40).heartbeat("A", IDLE).expect(IDLE, 100);
        roster.pulseEverySecondUntil(69).expectNothing();
        roster.pulseEverySecondUntil(70).expect(OFFLINE, 100).expectNothing();
    }

    /** What the stamps had stepped back by is stored: two seconds in which nothing was written are two seconds. */
    @Test
    void shouldEndAtTheDeadlineWhenATakeOverComesLaterThanAStepBack() {
        roster.as("bob").at(100).heartbeat(withLease(beat("B", ONLINE), 900)).expect(ONLINE, 100);
        roster.at(40).pulse();
        roster.as("alice").at(41).heartbeat("A", ONLINE).expect(ONLINE, 41);
        roster.at(45).end("A").restart();
        roster.at(47).pulse().pulseEverySecondUntil(49).expectNothing();
        roster.at(50).pulse().expect(OFFLINE, 50).expectNothing();
    }

    /** Rule 9: what a hidden user's device writes must not tell the next owner how far stamps had stepped back. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldEndAtTheSameTimeWhenOnlyAHiddenUserWasStoredAfterAStepBack(boolean hiddenWrites) {
        roster.as("alice").at(90).hide();
        roster.as("bob").at(95).heartbeat("B", ONLINE).expect(ONLINE, 95);
        roster.at(100).end("B");
        roster.at(40).pulse();
        if (hiddenWrites) {
            roster.as("alice").at(42).heartbeat("A", ONLINE);
        }
        roster.restart().at(44).pulse().pulseEverySecondUntil(47).expectNothing();
        roster.pulseEverySecondUntil(50);
        roster.as("bob").expect(OFFLINE, 95).expectNothing();
    }

    // ---- misrouted records (rule 7) ----

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldUndoNothingWhenAMisroutedFlagIsOlderThanTheLackOfOne(boolean cleared) {
        if (cleared) {
            roster.at(5).hide();
        }
        roster.at(10).unhide().restart();
        roster.at(11).misroutedFlag(9.9, true).heartbeat("A", ONLINE).expect(ONLINE, 11);
        roster.misroutedFlag(10, true).expect(OFFLINE, 11).expectNothing(); // no older: the later one holds
    }

    @Test
    void shouldHaveBegunWhenItCameWhenAMisroutedRecordSaysThatItIsAsOldAsTheEpoch() {
        roster.as("alice").at(7_000_000).misroutedText(0, "x").expect(OFFLINE, 7_000_000, "x");
        roster.as("bob")
                .misrouted(0, beat("B", ONLINE))
                .expectNothing(); // its lease is over, though there was no tick yet
        roster.as("carol").heartbeat("C", ONLINE).expect(ONLINE, 7_000_000);
        roster.misroutedFlag(0, true).expect(OFFLINE, 7_000_000).expectNothing();
    }

    @Test
    void shouldForgetAfterTheRetentionTimeWhenAllThatIsKnownIsWhenAFlagWasLifted() {
        roster.at(10).hide().at(11).unhide().expectNothing();
        assertThat(roster.stored()).isNotNull();
        roster.at(11 + RETENTION).pulse().review().expectNothing();
        assertThat(roster.stored()).isNull();
    }

    @Test
    void shouldNotCountAsActiveWhenAHeartbeatOfTheTimeBeforeTheFlagWasLiftedComesAfterIt() {
        roster.at(10)
                .hide()
                .at(20)
                .unhide()
                .at(19)
                .heartbeat("A", ONLINE)
                .expect(ONLINE, 19)
                .lastActive(null);
        roster.at(21)
                .heartbeat("A")
                .at(22)
                .text("x")
                .expectText("x", 22)
                .lastActive(21.0)
                .expectNothing();
    }

    // ---- sweeps ----

    @Test
    void shouldSpeakOfUsersInTheOrderOfTheInstantsWhenOnePulseNoticesThemAll() {
        roster.as("e").at(0.05).heartbeat("A", ONLINE).expect(ONLINE, 0.05);
        roster.as("b").at(0.1).heartbeat("A", ONLINE).expect(ONLINE, 0.1);
        roster.as("d").at(0.2).heartbeat("A", ONLINE).expect(ONLINE, 0.2);
        roster.as("c").at(0.3).heartbeat("A", ONLINE).expect(ONLINE, 0.3);
        roster.as("a").at(0.3).heartbeat("A", ONLINE).expect(ONLINE, 0.3);
        roster.pulseEverySecondUntil(31);
        roster.as("e")
                .expect(OFFLINE, 30.05)
                .as("b")
                .expect(OFFLINE, 30.1)
                .as("d")
                .expect(OFFLINE, 30.2);
        roster.as("a").expect(OFFLINE, 30.3).as("c").expect(OFFLINE, 30.3).expectNothing();
    }

    @Test
    void shouldLookAtAFewUsersAtEachPulseWhenTheBudgetIsSmall() {
        RosterPartition rolls = new RosterPartition(withBudget(2));
        RosterContext slow = new RosterContext(rolls);
        for (String name : List.of("a", "b", "c", "d", "e")) {
            slow.as(name).at(name.charAt(0) - 'a').heartbeat("A", ONLINE).expect(ONLINE, name.charAt(0) - 'a');
        }
        slow.pulseEverySecondUntil(29);
        slow.at(31.9).pulse().at(34.8).pulse();
        slow.as("a").expect(OFFLINE, 30).as("b").expect(OFFLINE, 31);
        slow.as("c").expect(OFFLINE, 32).as("d").expect(OFFLINE, 33).expectNothing();
        assertThat(rolls.roster().sweepBehindMs()).isPositive();
        assertThat(rolls.roster().size()).isOne();
        slow.pulse().as("e").expect(OFFLINE, 34).expectNothing();
        assertThat(rolls.roster().sweepBehindMs()).isZero();
        assertThat(rolls.roster().size()).isZero();
    }

    private static PresenceRules withBudget(int users) {
        return new PresenceRules(
                30_000, 5_000, DEFAULTS.retentionMs(), 64, 15_000, 60_000, 300_000, 3_000, users, false);
    }

    /** Only a record that was first written to this partition says that it could be written to, then. */
    @Test
    void shouldNotTakeTheTimeOfAHeartbeatFromElsewhereForThePartitionsAfterARestart() {
        partition.heartbeat(UserId.of("alice"), beat("A", ONLINE), 60_000);
        partition.heartbeat(UserId.of("alice"), beat("A", ONLINE), 88_000); // which is not stored
        partition.restart();
        partition.misroutedHeartbeat(UserId.of("bob"), beat("B", ONLINE), 10_000, 89_000);
        partition.said();

        partition.pulse(96_000);

        assertThat(partition.said()).extracting(Partition.Said::user).doesNotContain(UserId.of("alice"));
    }
}
