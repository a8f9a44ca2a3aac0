package dev.rollcall.chaos.check;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.chaos.check.Violation.Kind;
import org.junit.jupiter.api.Test;

/** Each promise by hand: a log that keeps it, and one that breaks it by the least that can be. */
class CheckerTest {
    /** Leases of 30 s, 5 s of grace, shards quiet after 15 s and held for 60 s. */
    private static final Settings SETTINGS =
            new Settings(1, 30_000, 5_000, 1_000, 15_000, 60_000, 0, 64, 2_592_000_000L, 2_000);

    /** A phone that is online at 1 s and heard from last at 11 s. */
    private static LogBuilder phone() {
        return new LogBuilder()
                .beat(1_000, "phone", null)
                .pulses(1_500, 10_500)
                .beat(11_000, "phone", null)
                .pulses(11_500, 50_500);
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
        Verdict verdict = phone().said("ONLINE", 1_000, 1_000L)
                .said("OFFLINE", 41_000, 11_000L)
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
                phone().said("ONLINE", 1_000, 1_000L)
                        .said("OFFLINE", 40_999, 11_000L)
                        .check(SETTINGS),
                Kind.FALSE_STATE,
                Kind.WRONG_TIME);
    }

    @Test
    void shouldRefuseAStateWhenItBeganLaterThanTheDeadline() {
        broken(
                phone().said("ONLINE", 1_000, 1_000L)
                        .said("OFFLINE", 41_001, 11_000L)
                        .check(SETTINGS),
                Kind.WRONG_TIME);
    }

    @Test
    void shouldMissTheExpiryWhenNobodySaidIt() {
        broken(phone().said("ONLINE", 1_000, 1_000L).check(SETTINGS), Kind.LOST);
    }

    @Test
    void shouldNotMissTheExpiryWhenTheLogEndsBeforeItCouldBeSaid() {
        clean(new LogBuilder()
                .beat(1_000, "phone", null)
                .pulses(1_500, 31_500)
                .said("ONLINE", 1_000, 1_000L)
                .check(SETTINGS));
    }

    @Test
    void shouldCallItAGhostWhenNoPulseEndsADevice() {
        LogBuilder log = new LogBuilder()
                .beat(1_000, "phone", null)
                .beat(2_000, "bob", "any", "OFFLINE", "OPEN", null)
                .said("ONLINE", 1_000, 1_000L);
        for (long at = 3_000; at <= 35_000; at += 1_000) {
            log.beat(at, "bob", "any", null, "OPEN", null);
        }

        broken(log.check(SETTINGS), Kind.GHOST);
    }

    @Test
    void shouldRefuseARecordWhenItSaysNothingNew() {
        broken(
                phone().said("ONLINE", 1_000, 1_000L)
                        .said("ONLINE", 1_000, 11_000L)
                        .said("OFFLINE", 41_000, 11_000L)
                        .check(SETTINGS),
                Kind.UNEXPLAINED);
    }

    @Test
    void shouldRefuseASequenceWhenItSkipsOne() {
        broken(
                phone().said("ONLINE", 1_000, 1_000L)
                        .said("OFFLINE", 41_000, 11_000L, 3, null, 41_000)
                        .check(SETTINGS),
                Kind.SEQUENCE,
                Kind.UNEXPLAINED);
    }

    @Test
    void shouldRefuseALastActiveWhenItIsNotTheLastHeartbeats() {
        broken(
                phone().said("ONLINE", 1_000, 1_000L)
                        .said("OFFLINE", 41_000, 1_000L)
                        .check(SETTINGS),
                Kind.LAST_ACTIVE);
    }

    @Test
    void shouldAllowOneMoreLeaseWhenATaskMayHaveBeenTakenOver() {
        LogBuilder log = phone().pulses(51_500, 80_500).said("ONLINE", 1_000, 1_000L);

        clean(log.said("OFFLINE", 70_000, 11_000L).check(SETTINGS, new Window(38_000, 40_000)));
    }

    @Test
    void shouldAllowNoMoreThanOneLeaseWhenATaskMayHaveBeenTakenOver() {
        LogBuilder log = phone().pulses(51_500, 80_500).said("ONLINE", 1_000, 1_000L);

        broken(log.said("OFFLINE", 70_001, 11_000L).check(SETTINGS, new Window(38_000, 40_000)), Kind.WRONG_TIME);
    }

    @Test
    void shouldSeeATakeOverByItselfWhenAnotherInstanceWritesThePulses() {
        clean(new LogBuilder()
                .beat(1_000, "phone", null)
                .pulses(1_500, 10_500)
                .instance("two")
                .pulses(20_500, 60_500)
                .said("ONLINE", 1_000, 1_000L)
                .said("OFFLINE", 50_500, 1_000L)
                .check(SETTINGS));
    }

    @Test
    void shouldKeepADeviceWhenTheLogItselfWasSilent() {
        LogBuilder silent = new LogBuilder()
                .beat(1_000, "phone", null)
                .pulses(1_500, 5_500)
                .pulses(25_500, 60_500)
                .said("ONLINE", 1_000, 1_000L);

        clean(silent.said("OFFLINE", 45_500, 1_000L).check(SETTINGS)); // 20 s of silence, and 20 s more from its end
    }

    @Test
    void shouldRefuseAnOfflineWhenTheSilenceWasTheLogs() {
        LogBuilder silent = new LogBuilder()
                .beat(1_000, "phone", null)
                .pulses(1_500, 5_500)
                .pulses(25_500, 60_500)
                .said("ONLINE", 1_000, 1_000L);

        broken(silent.said("OFFLINE", 31_000, 1_000L).check(SETTINGS), Kind.WRONG_TIME);
    }

    @Test
    void shouldHoldTheDevicesOfASilentShard() {
        LogBuilder silent = new LogBuilder()
                .beat(1_000, LogBuilder.ALICE, "phone", null, "OPEN", "shard")
                .pulses(1_500, 60_500)
                .beat(61_000, LogBuilder.ALICE, "phone", null, "OPEN", "shard")
                .pulses(61_500, 80_500)
                .said("ONLINE", 1_000, 1_000L);

        clean(silent.check(SETTINGS));
    }

    @Test
    void shouldRefuseAFlapWhenTheShardWasSilent() {
        LogBuilder silent = new LogBuilder()
                .beat(1_000, LogBuilder.ALICE, "phone", null, "OPEN", "shard")
                .pulses(1_500, 60_500)
                .beat(61_000, LogBuilder.ALICE, "phone", null, "OPEN", "shard")
                .pulses(61_500, 80_500)
                .said("ONLINE", 1_000, 1_000L);

        broken(
                silent.said("OFFLINE", 31_000, 1_000L)
                        .said("ONLINE", 61_000, 61_000L)
                        .check(SETTINGS),
                Kind.UNEXPLAINED);
    }

    @Test
    void shouldNotHoldThemForLongerThanTheBound() {
        LogBuilder silent = new LogBuilder()
                .beat(1_000, LogBuilder.ALICE, "phone", null, "OPEN", "shard")
                .pulses(1_500, 100_500)
                .said("ONLINE", 1_000, 1_000L);

        broken(silent.check(SETTINGS), Kind.LOST);
        clean(silent.said("OFFLINE", 31_000, 1_000L).check(SETTINGS));
    }

    @Test
    void shouldAllowTextsAndHeartbeatsInAnyOrderWhenTheyWereWrittenAtAboutTheSameTime() {
        clean(new LogBuilder()
                .beat(1_000, "phone", null)
                .text(1_500, "hi", null)
                .pulses(1_600, 5_600)
                .said("OFFLINE", 1_500, null, 1, "hi", 1_500)
                .said("ONLINE", 1_500, 1_000L, 2, "hi", 1_500)
                .check(SETTINGS));
    }

    @Test
    void shouldRefuseThatOrderWhenTheyWereWrittenFarApart() {
        broken(
                new LogBuilder()
                        .beat(1_000, "phone", null)
                        .pulses(1_600, 9_600)
                        .text(9_000, "hi", null)
                        .said("OFFLINE", 9_000, null, 1, "hi", 9_000)
                        .said("ONLINE", 9_000, 1_000L, 2, "hi", 9_000)
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
                        .said("OFFLINE", 5_000, 11_000L, 3, "hi", 20_000)
                        .text(20_000, "hi", null)
                        .check(SETTINGS),
                Kind.LAST_ACTIVE);
    }

    @Test
    void shouldRefuseAnExpiryWhenTheUserIsHidden() {
        broken(hiddenPhone().said("OFFLINE", 41_000, 1_000L).check(SETTINGS), Kind.UNEXPLAINED);
    }

    /** The user hides at 5 s; the phone goes on until 11 s. */
    private static LogBuilder hiddenPhone() {
        return phone().hide(5_000, true).said("ONLINE", 1_000, 1_000L).said("OFFLINE", 5_000, 1_000L);
    }

    @Test
    void shouldRefuseALastWordWhenANewConsumerSeesAnother() {
        LogBuilder log = phone().said("ONLINE", 1_000, 1_000L).said("OFFLINE", 41_000, 11_000L);

        clean(log.compactedTo(1).check(SETTINGS));
        broken(log.compactedTo(0).check(SETTINGS), Kind.FINAL_STATE);
    }
}
