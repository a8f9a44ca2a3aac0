package dev.rollcall.chaos.check;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.chaos.check.Violation.Kind;
import dev.rollcall.chaos.check.Window.Reach;
import org.apache.kafka.common.utils.Utils;
import org.junit.jupiter.api.Test;

/** Leases, order, stamps that step and sparse partitions: what the rules allow, beside what they do not. */
class CheckerOrderTest {
    /** Leases of 30 s, 5 s of grace, shards quiet after 15 s and held for 60 s. */
    private static final Settings SETTINGS = settings(1);

    /** The same, where the brokers' clocks are up to 2 s apart. */
    private static final Settings CLOCKS_DIFFER =
            new Settings(1, 30_000, 5_000, 1_000, 15_000, 60_000, 30_000, 15_000, 2_000, 64, 2_592_000_000L, 2_000);

    private static final String HIDING = "appear-offline";

    private static Settings settings(int partitions) {
        return new Settings(
                partitions, 30_000, 5_000, 1_000, 15_000, 60_000, 30_000, 15_000, 0, 64, 2_592_000_000L, 2_000);
    }

    private static void clean(Verdict verdict) {
        assertThat(verdict.violations()).isEmpty();
        assertThat(verdict.undecided()).isEmpty();
    }

    private static void broken(Verdict verdict, Kind... kinds) {
        assertThat(verdict.violations()).extracting(Violation::kind).containsExactlyInAnyOrder(kinds);
    }

    // ---- rule 4 ----

    /** A poll of 45 s, and a state that is set while it is open. */
    private static LogBuilder openPoll() {
        return new LogBuilder()
                .beat(1_000, "phone", null, 45_000)
                .beat(1_300, "phone", "ONLINE")
                .ticks(1_500, 60_500)
                .emitted("ONLINE", 1_000, 1_000L);
    }

    @Test
    void shouldKeepTheRunningLeaseWhenAHeartbeatNamesNone() {
        clean(openPoll().emitted("OFFLINE", 46_000, 1_300L).check(SETTINGS));
    }

    @Test
    void shouldRefuseAnEndWhenAHeartbeatThatNamesNoLeaseHasShortenedIt() {
        broken(openPoll().emitted("OFFLINE", 31_300, 1_300L).check(SETTINGS), Kind.WRONG_TIME);
    }

    @Test
    void shouldTakeTheShorterLeaseWhenItIsNamed() {
        LogBuilder shortened = new LogBuilder()
                .beat(1_000, "phone", null, 45_000)
                .beat(1_300, "phone", null, 10_000)
                .ticks(1_500, 60_500)
                .emitted("ONLINE", 1_000, 1_000L);

        clean(shortened.emitted("OFFLINE", 11_300, 1_300L).check(SETTINGS));
    }

    @Test
    void shouldBoundTheLatenessByTheLeaseThatRunsWhenALongerOneMayStillBeStored() {
        LogBuilder shortened = new LogBuilder()
                .beat(1_000, "phone", null, 3_600_000)
                .beat(2_000, "phone", null, 10_000)
                .ticks(2_500, 60_500)
                .emitted("ONLINE", 1_000, 1_000L)
                .emitted("OFFLINE", 42_000, 2_000L);

        broken(shortened.check(SETTINGS, new Window(3_000, 11_000)), Kind.WRONG_TIME);
    }

    /** The shard falls silent; a heartbeat without one comes in between. */
    private static LogBuilder noShard() {
        return new LogBuilder()
                .beat(1_000, LogBuilder.ALICE, "phone", null, "OPEN", "shard")
                .beat(2_000, "phone", null)
                .ticks(2_500, 60_500)
                .beat(61_000, LogBuilder.ALICE, "phone", null, "OPEN", "shard")
                .ticks(61_500, 80_500)
                .emitted("ONLINE", 1_000, 1_000L);
    }

    @Test
    void shouldHoldADeviceWhenItsLastHeartbeatNamedNoShard() {
        clean(noShard().check(SETTINGS));
    }

    @Test
    void shouldRefuseAFlapWhenItsLastHeartbeatNamedNoShard() {
        broken(
                noShard()
                        .emitted("OFFLINE", 32_000, 2_000L)
                        .emitted("ONLINE", 61_000, 61_000L)
                        .check(SETTINGS),
                Kind.UNEXPLAINED);
    }

    // ---- rule 7: stamps ----

    private static LogBuilder stepBack() {
        return new LogBuilder()
                .beat(1_000, "phone", "ONLINE")
                .beat(800, "phone", "IDLE")
                .ticks(900, 10_900);
    }

    @Test
    void shouldApplyTheLaterRecordWhenItsStampIsLower() {
        clean(stepBack()
                .emitted("ONLINE", 1_000, 1_000L)
                .emitted("IDLE", 1_000, 1_000L)
                .check(SETTINGS));
    }

    @Test
    void shouldMissAStateWhenItWasDroppedForItsLowerStamp() {
        broken(stepBack().emitted("ONLINE", 1_000, 1_000L).check(SETTINGS), Kind.LOST);
    }

    @Test
    void shouldRefuseAStateWhenItBeganBeforeTheOneBefore() {
        broken(
                stepBack()
                        .emitted("ONLINE", 1_000, 1_000L)
                        .emitted("IDLE", 800, 1_000L)
                        .check(SETTINGS),
                Kind.WRONG_TIME);
    }

    /** The stamps go back by 5 s while a device is live. */
    /** A device ends, and is heard again; then stamps step back to before its end. */
    private static LogBuilder stepBackBehindAnEnd() {
        return new LogBuilder()
                .beat(1_000, "phone", "ONLINE")
                .ticks(1_500, 31_500)
                .beat(31_700, "phone", "ONLINE")
                .beat(30_900, "phone", null)
                .ticks(31_400, 33_400)
                .emitted("ONLINE", 1_000, 1_000L);
    }

    @Test
    void shouldAllowAnEndWhenTheDeviceWasHeardAgainBeforeStampsStepBack() {
        clean(stepBackBehindAnEnd()
                .emitted("OFFLINE", 31_000, 1_000L)
                .emitted("ONLINE", 31_700, 31_700L)
                .check(CLOCKS_DIFFER));
    }

    @Test
    void shouldAllowTheEndOfALeaseThatTookADeviceOverFromItsSessionWhereStampsStepBack() {
        clean(new LogBuilder()
                .shard(900, "s1", 1)
                .held(1_000, "phone", "ONLINE", "OPEN", "s1")
                .ticks(1_500, 9_500)
                .beat(10_000, "phone", null, 1_500)
                .ticks(10_100, 13_100)
                .ticks(12_900, 20_900)
                .emitted("ONLINE", 1_000, 1_000L)
                .emitted("OFFLINE", 11_500, 10_000L)
                .check(CLOCKS_DIFFER));
    }

    private static LogBuilder stepBackWhileLive() {
        return new LogBuilder()
                .beat(10_000, "phone", null)
                .ticks(10_100, 12_100)
                .ticks(7_100, 60_100)
                .emitted("ONLINE", 10_000, 10_000L);
    }

    @Test
    void shouldMeasureALeaseByWhatHasPassedWhenStampsStepBack() {
        clean(stepBackWhileLive().emitted("OFFLINE", 35_000, 10_000L).check(SETTINGS));
        clean(stepBackWhileLive().emitted("OFFLINE", 40_000, 10_000L).check(SETTINGS));
    }

    @Test
    void shouldRefuseAnEndWhenLessThanTheLeaseHasPassed() {
        broken(
                stepBackWhileLive().emitted("OFFLINE", 34_999, 10_000L).check(SETTINGS),
                Kind.FALSE_STATE,
                Kind.WRONG_TIME);
    }

    /** One clock tick is stamped an hour ahead. */
    private static LogBuilder leap() {
        return new LogBuilder()
                .beat(1_000, "phone", null)
                .ticks(1_500, 5_500)
                .ticks(3_606_500, 3_606_500)
                .ticks(7_500, 60_500)
                .emitted("ONLINE", 1_000, 1_000L);
    }

    @Test
    void shouldTakeALeapForASilenceWhenItReturns() {
        clean(leap().emitted("OFFLINE", 37_500, 1_000L).check(SETTINGS));
    }

    @Test
    void shouldRefuseAnEndWhenALeapHasCausedIt() {
        broken(leap().emitted("OFFLINE", 31_000, 1_000L).check(SETTINGS), Kind.WRONG_TIME);
    }

    @Test
    void shouldMissTheStatesOfTheHourAfterALeap() {
        LogBuilder log =
                leap().beat(61_000, "phone", "IDLE").ticks(61_500, 64_500).emitted("OFFLINE", 37_500, 1_000L);

        broken(log.check(SETTINGS), Kind.LOST);
        clean(log.emitted("IDLE", 61_000, 1_000L).check(SETTINGS));
    }

    // ---- rule 7: misrouted records ----

    private static LogBuilder misroutedText() {
        return new LogBuilder()
                .ticks(500, 500)
                .text(1_020, "new", null)
                .sentOnFrom(1_000)
                .text(1_500, "old", null)
                .ticks(1_600, 9_600)
                .emitted("OFFLINE", 1_020, null, 1, "new", 1_020);
    }

    @Test
    void shouldKeepTheNewerTextWhenTheOlderOneWasSentOn() {
        clean(misroutedText().check(SETTINGS));
    }

    @Test
    void shouldRefuseTheOlderTextWhenItWasSentOn() {
        broken(misroutedText().emitted("OFFLINE", 1_020, null, 2, "old", 1_500).check(SETTINGS), Kind.UNEXPLAINED);
    }

    @Test
    void shouldTakeANewerTextWhenItWasSentOn() {
        LogBuilder log = new LogBuilder()
                .ticks(500, 500)
                .text(1_000, "old", null)
                .sentOnFrom(1_020)
                .text(1_500, "new", null)
                .ticks(1_600, 9_600)
                .emitted("OFFLINE", 1_000, null, 1, "old", 1_000);

        broken(log.check(SETTINGS), Kind.LOST);
        clean(log.emitted("OFFLINE", 1_000, null, 2, "new", 1_020).check(SETTINGS));
    }

    /** Hidden at 1.02 s, and an older word that was sent on; then the phone comes. */
    private static LogBuilder misroutedFlag() {
        return new LogBuilder()
                .ticks(500, 500)
                .hide(1_020, true)
                .sentOnFrom(1_000)
                .hide(1_500, false)
                .ticks(1_600, 9_600)
                .beat(10_000, "phone", null)
                .ticks(10_500, 20_500);
    }

    @Test
    void shouldStayHiddenWhenAnOlderFlagWasSentOn() {
        clean(misroutedFlag().check(SETTINGS));
    }

    @Test
    void shouldRefuseAStateWhenAnOlderFlagHasShownTheUser() {
        broken(misroutedFlag().emitted("ONLINE", 10_000, 10_000L).check(SETTINGS), Kind.UNEXPLAINED);
    }

    /** IDLE on the right partition, and an older ONLINE that was sent on. */
    private static LogBuilder misroutedBeat() {
        return new LogBuilder()
                .beat(1_020, "phone", "IDLE")
                .sentOnFrom(1_000)
                .beat(1_300, "phone", "ONLINE")
                .ticks(1_500, 20_500)
                .emitted("IDLE", 1_020, null);
    }

    @Test
    void shouldKeepTheNewerStateWhenTheOlderOneWasSentOn() {
        clean(misroutedBeat().check(SETTINGS));
    }

    @Test
    void shouldRefuseTheOlderStateWhenItWasSentOn() {
        broken(misroutedBeat().emitted("ONLINE", 1_020, 1_000L).check(SETTINGS), Kind.UNEXPLAINED);
    }

    @Test
    void shouldChangeNothingWhenTheLeaseOfWhatWasSentOnIsOver() {
        LogBuilder late = new LogBuilder()
                .ticks(1_500, 39_500)
                .sentOnFrom(1_000)
                .beat(40_000, "phone", null)
                .ticks(40_500, 50_500);

        clean(late.check(SETTINGS));
        broken(late.emitted("ONLINE", 1_000, 1_000L).check(SETTINGS), Kind.UNEXPLAINED);
    }

    @Test
    void shouldMissAMisroutedRecordWhenItWasNotSentOn() {
        int home = Utils.toPositive(Utils.murmur2(LogBuilder.ALICE.getBytes(UTF_8))) % 2;
        LogBuilder log = new LogBuilder()
                .onPartition(1 - home)
                .beat(1_000, "phone", null)
                .ticks(1_500, 9_500)
                .onPartition(home);

        broken(log.check(settings(2)), Kind.LOST);
        clean(log.sentOnFrom(1_000)
                .beat(1_300, "phone", null)
                .ticks(1_500, 9_500)
                .emitted("ONLINE", 1_000, 1_000L)
                .check(settings(2)));
    }

    // ---- rule 7: cause before effect ----

    /** The user hides; a good while after that was acknowledged a phone comes online. */
    private static LogBuilder hideThenOnline() {
        return new LogBuilder()
                .ticks(500, 4_500)
                .hide(5_000, true)
                .after(HIDING, 0)
                .beat(5_200, "phone", null)
                .ticks(5_500, 20_500);
    }

    @Test
    void shouldSayNothingWhenAUserHidesRightBeforeTheyComeOnline() {
        clean(hideThenOnline().check(SETTINGS));
    }

    @Test
    void shouldRefuseAStateWhenHidingWasAcknowledgedBefore() {
        LogBuilder shown = hideThenOnline().emitted("ONLINE", 5_200, 5_200L).emitted("OFFLINE", 5_200, 5_200L);

        broken(shown.check(SETTINGS), Kind.HIDDEN_SHOWN, Kind.UNEXPLAINED);
    }

    @Test
    void shouldRefuseItAlsoWhenItWasABacklog() {
        LogBuilder shown = hideThenOnline().emitted("ONLINE", 5_200, 5_200L).emitted("OFFLINE", 5_200, 5_200L);

        broken(shown.check(SETTINGS, new Window(4_000, 20_000, Reach.PROCESSORS)), Kind.HIDDEN_SHOWN, Kind.UNEXPLAINED);
    }

    /** As long as a heartbeat may wait for others to go with it: only in a backlog the order of stamps is promised then. */
    @Test
    void shouldRefuseWhatComesSoonerOnlyWhenItIsABacklog() {
        LogBuilder shown = new LogBuilder()
                .ticks(500, 4_500)
                .hide(5_000, true)
                .after(HIDING, 0)
                .beat(5_030, "phone", null)
                .ticks(5_500, 20_500)
                .emitted("ONLINE", 5_030, 5_030L)
                .emitted("OFFLINE", 5_030, 5_030L);

        clean(shown.check(SETTINGS, new Window(4_000, 20_000, Reach.PROCESSORS)));
        broken(shown.check(SETTINGS, new Window(4_000, 20_000, Reach.BACKLOG)), Kind.HIDDEN_SHOWN, Kind.UNEXPLAINED);
    }

    @Test
    void shouldAllowItWhenTheBrokersWereDisturbedOrTheStampsSayOtherwise() {
        LogBuilder shown = hideThenOnline().emitted("ONLINE", 5_200, 5_200L).emitted("OFFLINE", 5_200, 5_200L);

        clean(shown.check(SETTINGS, new Window(4_000, 20_000, Reach.BROKERS)));
    }

    @Test
    void shouldAllowItWhenNothingWasAcknowledged() {
        clean(new LogBuilder()
                .ticks(500, 4_500)
                .hide(5_000, true)
                .beat(5_050, "phone", null)
                .ticks(5_500, 20_500)
                .emitted("ONLINE", 5_050, 5_050L)
                .emitted("OFFLINE", 5_050, 5_050L)
                .check(SETTINGS));
    }

    // ---- sparse partitions ----

    /** The processor is away from 11 s to 100 s; meanwhile only bob is heard from, every 10 s. */
    private static LogBuilder sparse() {
        LogBuilder log = new LogBuilder()
                .beat(1_000, "phone", null)
                .beat(2_000, "bob", "any", "OFFLINE", "OPEN", null)
                .ticks(2_500, 9_500)
                .beat(10_000, "phone", null)
                .ticks(10_500, 10_500);
        for (long at = 20_000; at < 100_000; at += 10_000) {
            log.beat(at, "bob", "any", null, "OPEN", null);
        }
        return log.instance("two").ticks(100_500, 110_500).emitted("ONLINE", 1_000, 1_000L);
    }

    @Test
    void shouldAllowOneLeaseWhenAPartitionIsSparse() {
        Window away = new Window(10_600, 100_500, Reach.PROCESSORS);

        clean(sparse().emitted("OFFLINE", 40_000, 10_000L).check(SETTINGS, away));
        clean(sparse().emitted("OFFLINE", 70_000, 10_000L).check(SETTINGS, away));
    }

    @Test
    void shouldRefuseAnEndWhenEachGapHasPutItOff() {
        Window away = new Window(10_600, 100_500, Reach.PROCESSORS);

        broken(sparse().emitted("OFFLINE", 100_000, 10_000L).check(SETTINGS, away), Kind.WRONG_TIME);
    }
}
