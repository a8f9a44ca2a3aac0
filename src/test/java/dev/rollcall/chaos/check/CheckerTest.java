package dev.rollcall.chaos.check;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.chaos.check.Violation.Kind;
import org.junit.jupiter.api.Test;

/** Each promise by hand: a log that keeps it, and one that breaks it by the least that can be. */
class CheckerTest {
    /** Leases of 30 s, 5 s of grace, shards quiet after 15 s and held for 60 s. */
    private static final Settings SETTINGS =
            new Settings(1, 30_000, 5_000, 1_000, 15_000, 60_000, 30_000, 15_000, 0, 64, 2_592_000_000L, 2_000);

    /** A phone that is online at 1 s and heard from last at 11 s. */
    private static LogBuilder phone() {
        return new LogBuilder()
                .beat(1_000, "phone", null)
                .ticks(1_500, 10_500)
                .beat(11_000, "phone", null)
                .ticks(11_500, 50_500);
    }

    private static void clean(Verdict verdict) {
        assertThat(verdict.violations()).isEmpty();
        assertThat(verdict.undecided()).isEmpty();
    }

    private static void broken(Verdict verdict, Kind... kinds) {
        assertThat(verdict.violations()).extracting(Violation::kind).containsExactlyInAnyOrder(kinds);
    }

    @Test
    void shouldAcceptAnExpiryAndTellItsLatenessWhenItIsAtTheDeadline() {
        Verdict verdict = phone().emitted("ONLINE", 1_000, 1_000L)
                .emitted("OFFLINE", 41_000, 11_000L)
                .check(SETTINGS);

        clean(verdict);
        assertThat(verdict.expiries()).singleElement().satisfies(expiry -> {
            assertThat(expiry.deadline()).isEqualTo(41_000);
            assertThat(expiry.noticedAt()).isEqualTo(41_500);
            assertThat(expiry.lateMs()).isEqualTo(500);
        });
    }

    @Test
    void shouldNameAFalseOfflineWhenTheDeviceWasLive() {
        broken(
                phone().emitted("ONLINE", 1_000, 1_000L)
                        .emitted("OFFLINE", 40_999, 11_000L)
                        .check(SETTINGS),
                Kind.FALSE_STATE,
                Kind.WRONG_TIME);
    }

    @Test
    void shouldRefuseAStateWhenItBeganLaterThanTheDeadline() {
        broken(
                phone().emitted("ONLINE", 1_000, 1_000L)
                        .emitted("OFFLINE", 41_001, 11_000L)
                        .check(SETTINGS),
                Kind.WRONG_TIME);
    }

    @Test
    void shouldMissTheExpiryWhenNobodyEmittedIt() {
        broken(phone().emitted("ONLINE", 1_000, 1_000L).check(SETTINGS), Kind.LOST);
    }

    @Test
    void shouldNotMissTheExpiryWhenTheLogEndsBeforeItCouldBeEmitted() {
        clean(new LogBuilder()
                .beat(1_000, "phone", null)
                .ticks(1_500, 31_500)
                .emitted("ONLINE", 1_000, 1_000L)
                .check(SETTINGS));
    }

    @Test
    void shouldCallItAGhostWhenNoTickEndsADevice() {
        LogBuilder log = new LogBuilder()
                .beat(1_000, "phone", null)
                .beat(2_000, "bob", "any", "OFFLINE", "OPEN", null)
                .emitted("ONLINE", 1_000, 1_000L);
        for (long at = 3_000; at <= 35_000; at += 1_000) {
            log.beat(at, "bob", "any", null, "OPEN", null);
        }

        broken(log.check(SETTINGS), Kind.GHOST);
    }

    @Test
    void shouldRefuseARecordWhenItSaysNothingNew() {
        broken(
                phone().emitted("ONLINE", 1_000, 1_000L)
                        .emitted("ONLINE", 1_000, 11_000L)
                        .emitted("OFFLINE", 41_000, 11_000L)
                        .check(SETTINGS),
                Kind.UNEXPLAINED);
    }

    @Test
    void shouldRefuseASequenceWhenItSkipsOne() {
        broken(
                phone().emitted("ONLINE", 1_000, 1_000L)
                        .emitted("OFFLINE", 41_000, 11_000L, 3, null, 41_000)
                        .check(SETTINGS),
                Kind.SEQUENCE,
                Kind.UNEXPLAINED);
    }

    @Test
    void shouldRefuseALastActiveWhenItIsNotTheLastHeartbeats() {
        broken(
                phone().emitted("ONLINE", 1_000, 1_000L)
                        .emitted("OFFLINE", 41_000, 1_000L)
                        .check(SETTINGS),
                Kind.LAST_ACTIVE);
    }

    @Test
    void shouldAllowOneMoreLeaseWhenATaskMayHaveBeenTakenOver() {
        LogBuilder log = phone().ticks(51_500, 80_500).emitted("ONLINE", 1_000, 1_000L);

        clean(log.emitted("OFFLINE", 70_000, 11_000L).check(SETTINGS, new Window(38_000, 40_000)));
    }

    @Test
    void shouldAllowNoMoreThanOneLeaseWhenATaskMayHaveBeenTakenOver() {
        LogBuilder log = phone().ticks(51_500, 80_500).emitted("ONLINE", 1_000, 1_000L);

        broken(log.emitted("OFFLINE", 70_001, 11_000L).check(SETTINGS, new Window(38_000, 40_000)), Kind.WRONG_TIME);
    }

    @Test
    void shouldAllowALeaseForEachTakeOverWhenOneDisturbanceFollowsTheOther() {
        LogBuilder log = phone().ticks(51_500, 100_500).emitted("ONLINE", 1_000, 1_000L);
        Window one = new Window(38_000, 41_000);
        Window another = new Window(40_000, 62_000);

        clean(log.emitted("OFFLINE", 92_000, 11_000L).check(SETTINGS, one, another));
    }

    @Test
    void shouldAllowNoMoreThanALeaseForEachTakeOver() {
        LogBuilder log = phone().ticks(51_500, 100_500).emitted("ONLINE", 1_000, 1_000L);
        Window one = new Window(38_000, 41_000);
        Window another = new Window(40_000, 62_000);

        broken(log.emitted("OFFLINE", 92_001, 11_000L).check(SETTINGS, one, another), Kind.WRONG_TIME);
    }

    @Test
    void shouldSeeATakeOverByItselfWhenAnotherInstanceWritesTheTicks() {
        clean(new LogBuilder()
                .beat(1_000, "phone", null)
                .ticks(1_500, 10_500)
                .instance("two")
                .ticks(20_500, 60_500)
                .emitted("ONLINE", 1_000, 1_000L)
                .emitted("OFFLINE", 50_500, 1_000L)
                .check(SETTINGS));
    }

    @Test
    void shouldKeepADeviceWhenTheLogItselfWasSilent() {
        LogBuilder silent = new LogBuilder()
                .beat(1_000, "phone", null)
                .ticks(1_500, 5_500)
                .ticks(25_500, 60_500)
                .emitted("ONLINE", 1_000, 1_000L);

        clean(silent.emitted("OFFLINE", 45_500, 1_000L).check(SETTINGS)); // 20 s of silence, and 20 s more from its end
    }

    @Test
    void shouldRefuseAnOfflineWhenTheSilenceWasTheLogs() {
        LogBuilder silent = new LogBuilder()
                .beat(1_000, "phone", null)
                .ticks(1_500, 5_500)
                .ticks(25_500, 60_500)
                .emitted("ONLINE", 1_000, 1_000L);

        broken(silent.emitted("OFFLINE", 31_000, 1_000L).check(SETTINGS), Kind.WRONG_TIME);
    }

    @Test
    void shouldExtendOnceMoreWhenTheLogWasAwayAgainForMuchLongerBeforeATick() {
        LogBuilder silent = new LogBuilder()
                .beat(1_000, "phone", null)
                .ticks(1_500, 5_500)
                .beat(9_500, "phone", null)
                .beat(9_600, LogBuilder.ALICE, "phone", null, "CLOSED", null)
                .ticks(30_500, 60_500)
                .emitted("ONLINE", 1_000, 1_000L);

        clean(silent.emitted("OFFLINE", 35_500, 9_500L).check(SETTINGS));
    }

    @Test
    void shouldHoldTheDevicesOfASilentShard() {
        LogBuilder silent = new LogBuilder()
                .beat(1_000, LogBuilder.ALICE, "phone", null, "OPEN", "shard")
                .ticks(1_500, 60_500)
                .beat(61_000, LogBuilder.ALICE, "phone", null, "OPEN", "shard")
                .ticks(61_500, 80_500)
                .emitted("ONLINE", 1_000, 1_000L);

        clean(silent.check(SETTINGS));
    }

    @Test
    void shouldRefuseAFlapWhenTheShardWasSilent() {
        LogBuilder silent = new LogBuilder()
                .beat(1_000, LogBuilder.ALICE, "phone", null, "OPEN", "shard")
                .ticks(1_500, 60_500)
                .beat(61_000, LogBuilder.ALICE, "phone", null, "OPEN", "shard")
                .ticks(61_500, 80_500)
                .emitted("ONLINE", 1_000, 1_000L);

        broken(
                silent.emitted("OFFLINE", 31_000, 1_000L)
                        .emitted("ONLINE", 61_000, 61_000L)
                        .check(SETTINGS),
                Kind.UNEXPLAINED);
    }

    @Test
    void shouldNotHoldThemForLongerThanTheBound() {
        LogBuilder silent = new LogBuilder()
                .beat(1_000, LogBuilder.ALICE, "phone", null, "OPEN", "shard")
                .ticks(1_500, 100_500)
                .emitted("ONLINE", 1_000, 1_000L);

        broken(silent.check(SETTINGS), Kind.LOST);
        clean(silent.emitted("OFFLINE", 31_000, 1_000L).check(SETTINGS));
    }

    @Test
    void shouldAllowTextsAndHeartbeatsInAnyOrderWhenTheyWereWrittenAtAboutTheSameTime() {
        clean(new LogBuilder()
                .beat(1_000, "phone", null)
                .text(1_500, "hi", null)
                .ticks(1_600, 5_600)
                .emitted("OFFLINE", 1_500, null, 1, "hi", 1_500)
                .emitted("ONLINE", 1_500, 1_000L, 2, "hi", 1_500)
                .check(SETTINGS));
    }

    @Test
    void shouldRefuseThatOrderWhenTheyWereWrittenFarApart() {
        broken(
                new LogBuilder()
                        .beat(1_000, "phone", null)
                        .ticks(1_600, 9_600)
                        .text(9_000, "hi", null)
                        .emitted("OFFLINE", 9_000, null, 1, "hi", 9_000)
                        .emitted("ONLINE", 9_000, 1_000L, 2, "hi", 9_000)
                        .check(SETTINGS),
                Kind.UNEXPLAINED);
    }

    @Test
    void shouldSayNothingOfDevicesWhileTheUserIsHidden() {
        clean(hiddenPhone().check(SETTINGS));
    }

    @Test
    void shouldRefuseALastActiveWhenItLeaksFromWhileTheUserWasHidden() {
        broken(
                hiddenPhone()
                        .emitted("OFFLINE", 5_000, 11_000L, 3, "hi", 20_000)
                        .text(20_000, "hi", null)
                        .check(SETTINGS),
                Kind.LAST_ACTIVE);
    }

    @Test
    void shouldRefuseAnExpiryWhenTheUserIsHidden() {
        broken(hiddenPhone().emitted("OFFLINE", 41_000, 1_000L).check(SETTINGS), Kind.UNEXPLAINED);
    }

    /** The user hides at 5 s; the phone goes on until 11 s. */
    private static LogBuilder hiddenPhone() {
        return phone().hide(5_000, true).emitted("ONLINE", 1_000, 1_000L).emitted("OFFLINE", 5_000, 1_000L);
    }

    @Test
    void shouldRefuseALastWordWhenANewConsumerSeesAnother() {
        LogBuilder log = phone().emitted("ONLINE", 1_000, 1_000L).emitted("OFFLINE", 41_000, 11_000L);

        clean(log.compactedTo(1).check(SETTINGS));
        broken(log.compactedTo(0).check(SETTINGS), Kind.FINAL_STATE);
    }
}
