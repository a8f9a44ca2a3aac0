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

import java.util.Objects;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What happens one millisecond before each deadline, at it, and one after. Times in seconds, offsets in ms. */
class DeadlinesTest {
    private static final double RETENTION = DEFAULTS.retentionMs() / 1000.0;

    private final RosterContext roster = new RosterContext();

    // ---- lease ----

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldExpireWhenTheDefaultLeaseIsOver(int offset) {
        roster.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        expectOfflineAtAPulse(30, offset, 30);
    }

    @ParameterizedTest
    @CsvSource({"-1, 90", "0, 90", "1, 90", "-1, 7.5", "0, 7.5", "1, 7.5", "-1, 0.001", "0, 0.001", "1, 0.001"})
    void shouldExpireWhenItsOwnLeaseIsOver(int offset, double lease) {
        roster.at(0).heartbeat(withLease(beat("A", ONLINE), lease)).expect(ONLINE, 0);
        expectOfflineAtAPulse(lease, offset, lease);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldTakeTheLastLeaseWhenItIsShorterThanTheOneBefore(int offset) {
        roster.at(0).heartbeat(withLease(beat("A", ONLINE), 90)).expect(ONLINE, 0);
        roster.at(1).heartbeat(withLease(beat("A", null), 30));
        expectOfflineAtAPulse(31, offset, 31);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldKeepTheLeaseThatRunsWhenAHeartbeatThatNamesNoneWouldEndSooner(int offset) {
        roster.at(0).heartbeat(withLease(beat("A", ONLINE), 45)).expect(ONLINE, 0);
        roster.at(14.999).heartbeat("A").at(15).heartbeat("A");
        expectOfflineAtAPulse(45, offset, 45);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldOnlyRenewWhenAHeartbeatComesBeforeThePulseThatEndsTheLease(int offset) {
        roster.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        roster.pulseEverySecondUntil(29);
        double beat = at(30, offset);
        roster.at(beat).heartbeat("A").pulse().expectNothing();
        roster.pulseEverySecondUntil(100).expect(OFFLINE, beat + 30).expectNothing();
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldTakeAMisroutedHeartbeatWhenItsLeaseIsNotOver(int offset) {
        roster.at(100).pulse().misrouted(at(70, offset), beat("A", ONLINE));
        if (offset > 0) {
            roster.expect(ONLINE, at(70, offset));
        }
        roster.expectNothing();
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldTakeAMisroutedHeartbeatWhenItIsNotOlderThanTheLastOne(int offset) {
        roster.at(10).heartbeat("A", ONLINE).expect(ONLINE, 10);
        roster.at(11).misrouted(at(10, offset), beat("A", IDLE));
        if (offset >= 0) {
            roster.expect(IDLE, at(10, offset));
        }
        roster.expectNothing();
    }

    // ---- grace ----

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldExpireWhenTheGraceTimeIsOver(int offset) {
        roster.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        roster.pulseEverySecondUntil(10).end("A");
        expectOfflineAtAPulse(15, offset, 15);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldExpireAtTheEndOfTheLeaseWhenTheGraceTimeGoesBeyondIt(int offset) {
        roster.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        roster.pulseEverySecondUntil(27).end("A");
        expectOfflineAtAPulse(30, offset, 30);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldKeepTheFirstEndWhenItIsSaidAgain(int offset) {
        roster.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        roster.pulseEverySecondUntil(10).end("A").pulseEverySecondUntil(13).end("A");
        expectOfflineAtAPulse(15, offset, 15);
    }

    @ParameterizedTest
    @CsvSource({"-1, 30, 5", "0, 30, 5", "1, 30, 5", "-1, 2, 2", "0, 2, 2", "1, 2, 2"})
    void shouldHoldForTheSoonerOfGraceAndLeaseWhenAnUnknownDeviceEnds(int offset, double lease, double held) {
        roster.at(0).heartbeat(withLease(closed("A", ONLINE), lease)).expect(ONLINE, 0);
        expectOfflineAtAPulse(held, offset, held);
    }

    // ---- text ----

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldLoseTheTextWhenItExpires(int offset) {
        roster.at(0).text("x", 10).expect(OFFLINE, 0, "x");
        roster.pulseEverySecondUntil(at(10, offset)).pulse();
        if (offset >= 0) {
            roster.expectText(null, 10);
        }
        roster.expectNothing();
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldCountAsNoTextWhenItExpiresBeforeItIsWritten(int offset) {
        roster.at(10).text("x", at(10, offset));
        if (offset > 0) {
            roster.expect(OFFLINE, 10, "x");
        }
        roster.expectNothing();
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0})
    void shouldClearTheTextWhenTheNextOneExpiresBeforeItIsWritten(int offset) {
        roster.at(0).text("x").expect(OFFLINE, 0, "x");
        roster.at(10).text("y", at(10, offset)).expectText(null, 10).expectNothing();
    }

    // ---- retention ----

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldBeForgottenWhenOfflineForTheRetentionTime(int offset) {
        onlineForAMoment();
        expectForgottenAtAReview(5, offset);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldBeForgottenFirstWhenHeardFromAfterTheRetentionTime(int offset) {
        onlineForAMoment();
        double end = at(5 + RETENTION, offset);
        roster.at(end).pulse().heartbeat("A", ONLINE);
        if (offset >= 0) {
            roster.expectForgotten(5 + RETENTION);
        }
        roster.expect(ONLINE, end).expectNothing();
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldBeForgottenWhenTheTextIsGoneForTheRetentionTime(int offset) {
        onlineForAMoment();
        roster.at(20).text("x").expectText("x", 20).at(40).text(null).expectText(null, 40);
        expectForgottenAtAReview(40, offset);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldBeForgottenWhenNoLongerHiddenForTheRetentionTime(int offset) {
        onlineForAMoment();
        roster.at(20).hide().at(20 + 2 * RETENTION).pulse().review().expectNothing();
        roster.unhide();
        expectForgottenAtAReview(20 + 2 * RETENTION, offset);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldBeForgottenOnlyWhenItsLastDeviceIsGone(int offset) {
        onlineForAMoment();
        double beat = 5 + RETENTION - 10; // offline, and remembered for 30 s
        roster.at(beat).pulse().heartbeat("A", OFFLINE);
        roster.pulseEverySecondUntil(at(beat + 30, offset)).pulse().review();
        if (offset >= 0) {
            roster.expectForgotten(5 + RETENTION);
        }
        roster.expectNothing();
    }

    private void onlineForAMoment() {
        roster.at(0).heartbeat("A", ONLINE).end("A").expect(ONLINE, 0);
        roster.pulseEverySecondUntil(5).expect(OFFLINE, 5);
    }

    private void expectForgottenAtAReview(double quietSince, int offset) {
        roster.at(at(quietSince + RETENTION, offset)).pulse().review();
        if (offset >= 0) {
            roster.expectForgotten(quietSince + RETENTION);
            assertThat(roster.stored()).isNull();
        }
        roster.expectNothing();
    }

    // ---- shards ----

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldHoldWhenTheShardHasBeenQuietLongEnoughAtTheDeadline(int offset) {
        roster.at(0).heartbeat(beatOf("s", "A", ONLINE)).expect(ONLINE, 0);
        roster.as("bob").pulseEverySecondUntil(7).heartbeat(beatOf("s", "B", OFFLINE));
        roster.pulseEverySecondUntil(at(15, offset)).heartbeat(beatOf("s", "B", OFFLINE));
        roster.as("alice").pulseEverySecondUntil(29).expectNothing();
        roster.pulseEverySecondUntil(30);
        if (offset > 0) {
            roster.expect(OFFLINE, 30); // the shard was not silent yet
        }
        roster.expectNothing().pulseEverySecondUntil(89).expectNothing();
        roster.pulseEverySecondUntil(90);
        if (offset <= 0) {
            roster.expect(OFFLINE, 30);
        }
        roster.expectNothing();
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldHaveOneMoreLeaseWhenTheGapWasLongEnoughToBeASilence(int offset) {
        roster.at(0).heartbeat(beatOf("s", "A", ONLINE)).expect(ONLINE, 0);
        roster.pulseEverySecondUntil(at(15, offset));
        shardIsBackAndBeatsFrom(15);
        if (offset < 0) {
            expectOfflineAtAPulse(30, 0, 30); // so short a gap is none
        } else {
            roster.pulseEverySecondUntil(44).expectNothing();
            roster.pulseEverySecondUntil(46).expect(OFFLINE, 30).expectNothing();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldGoWhenTheHoldIsOver(int offset) {
        roster.at(20).heartbeat(beatOf("s", "A", ONLINE)).expect(ONLINE, 20);
        expectOfflineAtAPulse(50 + 60, offset, 50);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldGoWhenOneMoreLeaseAfterTheSilenceIsOver(int offset) {
        roster.at(20).heartbeat(beatOf("s", "A", ONLINE)).expect(ONLINE, 20);
        roster.pulseEverySecondUntil(60);
        shardIsBackAndBeatsFrom(60);
        expectOfflineAtAPulse(60 + 30, offset, 50);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldGoWhenTheHoldIsOverThoughOneMoreLeaseIsNot(int offset) {
        roster.at(20).heartbeat(beatOf("s", "A", ONLINE)).expect(ONLINE, 20);
        roster.pulseEverySecondUntil(100);
        shardIsBackAndBeatsFrom(100);
        expectOfflineAtAPulse(50 + 60, offset, 50);
    }

    /** The end of a silence makes up for what was missed in it, and no more: a second silence is held by the same cap. */
    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldGoWhenTheHoldIsOverThoughTheShardFellSilentAgain(int offset) {
        roster.at(20).heartbeat(beatOf("s", "A", ONLINE)).expect(ONLINE, 20);
        roster.pulseEverySecondUntil(60)
                .as("bob")
                .heartbeat(beatOf("s", "B", OFFLINE))
                .as("alice");
        expectOfflineAtAPulse(50 + 60, offset, 50);
    }

    private void shardIsBackAndBeatsFrom(int second) {
        roster.as("bob").heartbeat(beatOf("s", "B", OFFLINE));
        roster.at(second).keepsBeating(beatOf("s", "B", OFFLINE), 5).as("alice");
    }

    // ---- the log itself ----

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldExcuseWhenTheLogWasQuietLongEnough(int offset) {
        roster.at(0).heartbeat(withLease(beat("A", ONLINE), 11)).expect(ONLINE, 0);
        double back = at(13, offset);
        roster.pulseEverySecondUntil(10).at(back).pulse();
        if (offset < 0) {
            roster.expect(OFFLINE, 11);
        } else {
            roster.expectNothing();
            double deadline = back + (back - 10); // as long as the gap lasted
            roster.pulseEverySecondUntil(deadline - 0.001).pulse().expectNothing();
            roster.at(deadline).pulse().expect(OFFLINE, deadline);
        }
        roster.expectNothing();
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldHaveOneLeaseWhenTheLogWasQuietForLonger(int offset) {
        roster.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        roster.pulseEverySecondUntil(10).at(1_000).pulse();
        expectOfflineAtAPulse(1_030, offset, 1_030);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldHaveOneGraceTimeWhenTheLogWasQuietAfterTheConnectionEnded(int offset) {
        roster.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        roster.pulseEverySecondUntil(10).end("A").at(1_000).pulse();
        expectOfflineAtAPulse(1_005, offset, 1_005);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldExcuseOnlyWhenTheDeviceWasLiveAsTheLogWentQuiet(int offset) {
        double deadline = at(10.5, offset);
        roster.at(0).heartbeat(withLease(beat("A", ONLINE), deadline)).expect(ONLINE, 0);
        roster.pulseEverySecondUntil(10).as("bob").at(10.5).heartbeat("B", OFFLINE);
        roster.at(1_000).as("alice").pulse();
        if (offset <= 0) {
            roster.expect(OFFLINE, deadline);
        } else {
            roster.expectNothing().pulseEverySecondUntil(1_020).expect(OFFLINE, 1_000 + deadline);
        }
        roster.expectNothing();
    }

    // ---- crashes ----

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldHaveOneLeaseFromTheFirstRecordWhenTheRosterRestarted(int offset) {
        roster.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        roster.pulseEverySecondUntil(10).restart().at(500).pulse();
        expectOfflineAtAPulse(530, offset, 530);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldKeepTheGraceTimeWhenTheRosterRestarted(int offset) {
        roster.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        roster.pulseEverySecondUntil(10).end("A").restart().at(12).pulse();
        expectOfflineAtAPulse(15, offset, 15);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldStoreALastSeenWhenItHasMovedFarEnough(int offset) {
        roster.at(0).heartbeat(withLease(beat("A", ONLINE), 400)).expect(ONLINE, 0);
        roster.at(at(300, offset)).heartbeat(withLease(beat("A", null), 400));
        UserFacts stored = Objects.requireNonNull(roster.stored());
        assertThat(stored.devices().get(0).lastHeard()).isEqualTo(offset < 0 ? 0 : 300_000 + offset);
        roster.expectNothing();
    }

    private void expectOfflineAtAPulse(double deadline, int offset, double since) {
        roster.pulseEverySecondUntil(at(deadline, offset)).pulse();
        if (offset >= 0) {
            roster.expect(OFFLINE, since);
        }
        roster.expectNothing();
    }

    private static double at(double seconds, int offsetMs) {
        return seconds + offsetMs / 1000.0;
    }
}
