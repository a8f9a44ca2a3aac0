package dev.rollcall.partition;

import static dev.rollcall.domain.PresenceState.IDLE;
import static dev.rollcall.domain.PresenceState.OFFLINE;
import static dev.rollcall.domain.PresenceState.ONLINE;
import static dev.rollcall.partition.PartitionContext.DEFAULTS;
import static dev.rollcall.partition.PartitionContext.beat;
import static dev.rollcall.partition.PartitionContext.beatOf;
import static dev.rollcall.partition.PartitionContext.closed;
import static dev.rollcall.partition.PartitionContext.withLease;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.domain.UserSnapshot;
import java.util.Objects;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What happens one millisecond before each deadline, at it, and one after. Times in seconds, offsets in ms. */
class DeadlinesTest {
    private static final double RETENTION = DEFAULTS.retentionMs() / 1000.0;

    private final PartitionContext presence = new PartitionContext();

    // ---- lease ----

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldExpireWhenTheDefaultLeaseIsOver(int offset) {
        presence.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        expectOfflineAtAPulse(30, offset, 30);
    }

    @ParameterizedTest
    @CsvSource({"-1, 90", "0, 90", "1, 90", "-1, 7.5", "0, 7.5", "1, 7.5", "-1, 0.001", "0, 0.001", "1, 0.001"})
    void shouldExpireWhenItsOwnLeaseIsOver(int offset, double lease) {
        presence.at(0).heartbeat(withLease(beat("A", ONLINE), lease)).expect(ONLINE, 0);
        expectOfflineAtAPulse(lease, offset, lease);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldTakeTheLastLeaseWhenItIsShorterThanTheOneBefore(int offset) {
        presence.at(0).heartbeat(withLease(beat("A", ONLINE), 90)).expect(ONLINE, 0);
        presence.at(1).heartbeat(withLease(beat("A", null), 30));
        expectOfflineAtAPulse(31, offset, 31);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldKeepTheLeaseThatRunsWhenAHeartbeatThatNamesNoneWouldEndSooner(int offset) {
        presence.at(0).heartbeat(withLease(beat("A", ONLINE), 45)).expect(ONLINE, 0);
        presence.at(14.999).heartbeat("A").at(15).heartbeat("A");
        expectOfflineAtAPulse(45, offset, 45);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldOnlyRenewWhenAHeartbeatComesBeforeTheTickThatEndsTheLease(int offset) {
        presence.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        presence.tickEverySecondUntil(29);
        double beat = at(30, offset);
        presence.at(beat).heartbeat("A").tick().expectNothing();
        presence.tickEverySecondUntil(100).expect(OFFLINE, beat + 30).expectNothing();
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldTakeAMisroutedHeartbeatWhenItsLeaseIsNotOver(int offset) {
        presence.at(100).tick().misrouted(at(70, offset), beat("A", ONLINE));
        if (offset > 0) {
            presence.expect(ONLINE, at(70, offset));
        }
        presence.expectNothing();
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldTakeAMisroutedHeartbeatWhenItIsNotOlderThanTheLastOne(int offset) {
        presence.at(10).heartbeat("A", ONLINE).expect(ONLINE, 10);
        presence.at(11).misrouted(at(10, offset), beat("A", IDLE));
        if (offset >= 0) {
            presence.expect(IDLE, at(10, offset));
        }
        presence.expectNothing();
    }

    // ---- grace ----

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldExpireWhenTheGraceTimeIsOver(int offset) {
        presence.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        presence.tickEverySecondUntil(10).end("A");
        expectOfflineAtAPulse(15, offset, 15);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldExpireAtTheEndOfTheLeaseWhenTheGraceTimeGoesBeyondIt(int offset) {
        presence.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        presence.tickEverySecondUntil(27).end("A");
        expectOfflineAtAPulse(30, offset, 30);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldKeepTheFirstEndWhenItIsEmittedAgain(int offset) {
        presence.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        presence.tickEverySecondUntil(10).end("A").tickEverySecondUntil(13).end("A");
        expectOfflineAtAPulse(15, offset, 15);
    }

    @ParameterizedTest
    @CsvSource({"-1, 30, 5", "0, 30, 5", "1, 30, 5", "-1, 2, 2", "0, 2, 2", "1, 2, 2"})
    void shouldHoldForTheSoonerOfGraceAndLeaseWhenAnUnknownDeviceEnds(int offset, double lease, double held) {
        presence.at(0).heartbeat(withLease(closed("A", ONLINE), lease)).expect(ONLINE, 0);
        expectOfflineAtAPulse(held, offset, held);
    }

    // ---- text ----

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldLoseTheTextWhenItExpires(int offset) {
        presence.at(0).text("x", 10).expect(OFFLINE, 0, "x");
        presence.tickEverySecondUntil(at(10, offset)).tick();
        if (offset >= 0) {
            presence.expectText(null, 10);
        }
        presence.expectNothing();
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldCountAsNoTextWhenItExpiresBeforeItIsWritten(int offset) {
        presence.at(10).text("x", at(10, offset));
        if (offset > 0) {
            presence.expect(OFFLINE, 10, "x");
        }
        presence.expectNothing();
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0})
    void shouldClearTheTextWhenTheNextOneExpiresBeforeItIsWritten(int offset) {
        presence.at(0).text("x").expect(OFFLINE, 0, "x");
        presence.at(10).text("y", at(10, offset)).expectText(null, 10).expectNothing();
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
        presence.at(end).tick().heartbeat("A", ONLINE);
        if (offset >= 0) {
            presence.expectForgotten(5 + RETENTION);
        }
        presence.expect(ONLINE, end).expectNothing();
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldBeForgottenWhenTheTextIsGoneForTheRetentionTime(int offset) {
        onlineForAMoment();
        presence.at(20).text("x").expectText("x", 20).at(40).text(null).expectText(null, 40);
        expectForgottenAtAReview(40, offset);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldBeForgottenWhenNoLongerHiddenForTheRetentionTime(int offset) {
        onlineForAMoment();
        presence.at(20).hide().at(20 + 2 * RETENTION).tick().review().expectNothing();
        presence.unhide();
        expectForgottenAtAReview(20 + 2 * RETENTION, offset);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldBeForgottenOnlyWhenItsLastDeviceIsGone(int offset) {
        onlineForAMoment();
        double beat = 5 + RETENTION - 10; // offline, and remembered for 30 s
        presence.at(beat).tick().heartbeat("A", OFFLINE);
        presence.tickEverySecondUntil(at(beat + 30, offset)).tick().review();
        if (offset >= 0) {
            presence.expectForgotten(5 + RETENTION);
        }
        presence.expectNothing();
    }

    private void onlineForAMoment() {
        presence.at(0).heartbeat("A", ONLINE).end("A").expect(ONLINE, 0);
        presence.tickEverySecondUntil(5).expect(OFFLINE, 5);
    }

    private void expectForgottenAtAReview(double forgettableSince, int offset) {
        presence.at(at(forgettableSince + RETENTION, offset)).tick().review();
        if (offset >= 0) {
            presence.expectForgotten(forgettableSince + RETENTION);
            assertThat(presence.stored()).isNull();
        }
        presence.expectNothing();
    }

    // ---- shards ----

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldHoldWhenTheShardHasBeenQuietLongEnoughAtTheDeadline(int offset) {
        presence.at(0).heartbeat(beatOf("s", "A", ONLINE)).expect(ONLINE, 0);
        presence.as("bob").tickEverySecondUntil(7).heartbeat(beatOf("s", "B", OFFLINE));
        presence.tickEverySecondUntil(at(15, offset)).heartbeat(beatOf("s", "B", OFFLINE));
        presence.as("alice").tickEverySecondUntil(29).expectNothing();
        presence.tickEverySecondUntil(30);
        if (offset > 0) {
            presence.expect(OFFLINE, 30); // the shard was not silent yet
        }
        presence.expectNothing().tickEverySecondUntil(89).expectNothing();
        presence.tickEverySecondUntil(90);
        if (offset <= 0) {
            presence.expect(OFFLINE, 30);
        }
        presence.expectNothing();
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldHaveOneMoreLeaseWhenTheGapWasLongEnoughToBeASilence(int offset) {
        presence.at(0).heartbeat(beatOf("s", "A", ONLINE)).expect(ONLINE, 0);
        presence.tickEverySecondUntil(at(15, offset));
        shardIsBackAndBeatsFrom(15);
        if (offset < 0) {
            expectOfflineAtAPulse(30, 0, 30); // so short a gap is none
        } else {
            presence.tickEverySecondUntil(44).expectNothing();
            presence.tickEverySecondUntil(46).expect(OFFLINE, 30).expectNothing();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldGoWhenTheHoldIsOver(int offset) {
        presence.at(20).heartbeat(beatOf("s", "A", ONLINE)).expect(ONLINE, 20);
        expectOfflineAtAPulse(50 + 60, offset, 50);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldGoWhenOneMoreLeaseAfterTheSilenceIsOver(int offset) {
        presence.at(20).heartbeat(beatOf("s", "A", ONLINE)).expect(ONLINE, 20);
        presence.tickEverySecondUntil(60);
        shardIsBackAndBeatsFrom(60);
        expectOfflineAtAPulse(60 + 30, offset, 50);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldGoWhenTheHoldIsOverThoughOneMoreLeaseIsNot(int offset) {
        presence.at(20).heartbeat(beatOf("s", "A", ONLINE)).expect(ONLINE, 20);
        presence.tickEverySecondUntil(100);
        shardIsBackAndBeatsFrom(100);
        expectOfflineAtAPulse(50 + 60, offset, 50);
    }

    /** The end of a silence makes up for what was missed in it, and no more: a second silence is held by the same cap. */
    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldGoWhenTheHoldIsOverThoughTheShardFellSilentAgain(int offset) {
        presence.at(20).heartbeat(beatOf("s", "A", ONLINE)).expect(ONLINE, 20);
        presence.tickEverySecondUntil(60)
                .as("bob")
                .heartbeat(beatOf("s", "B", OFFLINE))
                .as("alice");
        expectOfflineAtAPulse(50 + 60, offset, 50);
    }

    private void shardIsBackAndBeatsFrom(int second) {
        presence.as("bob").heartbeat(beatOf("s", "B", OFFLINE));
        presence.at(second).keepsBeating(beatOf("s", "B", OFFLINE), 5).as("alice");
    }

    // ---- the log itself ----

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldExcuseWhenTheLogWasQuietLongEnough(int offset) {
        presence.at(0).heartbeat(withLease(beat("A", ONLINE), 11)).expect(ONLINE, 0);
        double back = at(13, offset);
        presence.tickEverySecondUntil(10).at(back).tick();
        if (offset < 0) {
            presence.expect(OFFLINE, 11);
        } else {
            presence.expectNothing();
            double deadline = back + (back - 10); // as long as the gap lasted
            presence.tickEverySecondUntil(deadline - 0.001).tick().expectNothing();
            presence.at(deadline).tick().expect(OFFLINE, deadline);
        }
        presence.expectNothing();
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldHaveOneLeaseWhenTheLogWasQuietForLonger(int offset) {
        presence.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        presence.tickEverySecondUntil(10).at(1_000).tick();
        expectOfflineAtAPulse(1_030, offset, 1_030);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldHaveOneGraceTimeWhenTheLogWasQuietAfterTheConnectionEnded(int offset) {
        presence.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        presence.tickEverySecondUntil(10).end("A").at(1_000).tick();
        expectOfflineAtAPulse(1_005, offset, 1_005);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldExcuseOnlyWhenTheDeviceWasLiveAsTheLogWentQuiet(int offset) {
        double deadline = at(10.5, offset);
        presence.at(0).heartbeat(withLease(beat("A", ONLINE), deadline)).expect(ONLINE, 0);
        presence.tickEverySecondUntil(10).as("bob").at(10.5).heartbeat("B", OFFLINE);
        presence.at(1_000).as("alice").tick();
        if (offset <= 0) {
            presence.expect(OFFLINE, deadline);
        } else {
            presence.expectNothing().tickEverySecondUntil(1_020).expect(OFFLINE, 1_000 + deadline);
        }
        presence.expectNothing();
    }

    // ---- crashes ----

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldHaveOneLeaseFromTheFirstRecordWhenThePartitionRestarted(int offset) {
        presence.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        presence.tickEverySecondUntil(10).restart().at(500).tick();
        expectOfflineAtAPulse(530, offset, 530);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldKeepTheGraceTimeWhenThePartitionRestarted(int offset) {
        presence.at(0).heartbeat("A", ONLINE).expect(ONLINE, 0);
        presence.tickEverySecondUntil(10).end("A").restart().at(12).tick();
        expectOfflineAtAPulse(15, offset, 15);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1})
    void shouldStoreALastSeenWhenItHasMovedFarEnough(int offset) {
        presence.at(0).heartbeat(withLease(beat("A", ONLINE), 400)).expect(ONLINE, 0);
        presence.at(at(300, offset)).heartbeat(withLease(beat("A", null), 400));
        UserSnapshot stored = Objects.requireNonNull(presence.stored());
        assertThat(stored.devices().get(0).lastRecord()).isEqualTo(offset < 0 ? 0 : 300_000 + offset);
        presence.expectNothing();
    }

    private void expectOfflineAtAPulse(double deadline, int offset, double since) {
        presence.tickEverySecondUntil(at(deadline, offset)).tick();
        if (offset >= 0) {
            presence.expect(OFFLINE, since);
        }
        presence.expectNothing();
    }

    private static double at(double seconds, int offsetMs) {
        return seconds + offsetMs / 1000.0;
    }
}
