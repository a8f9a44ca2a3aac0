package dev.rollcall.chaos.check;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.Row;
import dev.rollcall.chaos.check.Violation.Kind;
import org.junit.jupiter.api.Test;

/** Rule 14, row by row of its scenarios and then point by point: what it allows, and beside it what it does not. */
class CheckerSessionsTest {
    /** Leases of 30 s, also of sessions, 5 s of grace, 60 s of hold, 15 s to open devices again. */
    private static final Settings SETTINGS =
            new Settings(1, 30_000, 5_000, 1_000, 15_000, 60_000, 30_000, 15_000, 0, 64, 2_592_000_000L, 2_000);

    private static void clean(Verdict verdict) {
        assertThat(verdict.violations()).isEmpty();
        assertThat(verdict.undecided()).isEmpty();
    }

    private static void broken(Verdict verdict, Kind... kinds) {
        assertThat(verdict.violations()).extracting(Violation::kind).containsExactlyInAnyOrder(kinds);
    }

    /** A is open since 0, and s1 is heard every 10 s, the last time then. */
    private static LogBuilder openA(long lastHeard) {
        return new LogBuilder()
                .shard(0, "s1", 0)
                .held(0, "A", null, "OPEN", "s1")
                .ticks(500, 9_500)
                .beating(10_000, lastHeard, "s1", 0)
                .emitted("ONLINE", 0, 0L);
    }

    private static LogBuilder restarted() {
        return openA(90_000).shard(100_000, "s2", 95_000);
    }

    private static LogBuilder ended() {
        return openA(90_000).shard(100_000, "S", "s1", 0, true);
    }

    // ---- the rows ----

    @Test
    @Row("C1")
    void shouldSayNothingMoreWhenAnOpenConnectionIsQuiet() {
        clean(openA(600_000).check(SETTINGS));
        broken(openA(600_000).emitted("OFFLINE", 30_000, 0L).check(SETTINGS), Kind.UNEXPLAINED, Kind.FALSE_STATE);
    }

    @Test
    @Row("C2")
    void shouldSayNothingWhenASessionIsHeardAgainWithinTheHold() {
        LogBuilder heardAgain = openA(100_000).ticks(110_500, 179_500).beating(180_000, 300_000, "s1", 0);

        clean(heardAgain.check(SETTINGS));
        broken(heardAgain.emitted("OFFLINE", 130_000, 0L).check(SETTINGS), Kind.UNEXPLAINED);
    }

    @Test
    @Row("C3")
    void shouldMissTheEndWhenASessionFellSilent() {
        LogBuilder silent = openA(100_000).ticks(110_500, 250_500);

        broken(silent.check(SETTINGS), Kind.LOST);
        clean(silent.emitted("OFFLINE", 130_000, 0L).check(SETTINGS));
    }

    @Test
    void shouldRefuseTheInstantAtWhichTheHoldEndsWhenASessionWasSilent() {
        broken(
                openA(100_000)
                        .ticks(110_500, 250_500)
                        .emitted("OFFLINE", 190_000, 0L)
                        .check(SETTINGS),
                Kind.WRONG_TIME);
    }

    @Test
    @Row("C4")
    void shouldSayNothingWhenTheNextSessionOpensADeviceAgain() {
        LogBuilder openedAgain = restarted()
                .ticks(100_500, 109_500)
                .held(110_000, "A", null, "OPEN", "s2")
                .beating(110_000, 200_000, "s2", 95_000);

        clean(openedAgain.check(SETTINGS));
        broken(
                openedAgain
                        .emitted("OFFLINE", 100_000, 0L)
                        .emitted("ONLINE", 110_000, 110_000L)
                        .check(SETTINGS),
                Kind.UNEXPLAINED);
    }

    @Test
    @Row("C5")
    void shouldMissTheEndWhenTheNextSessionDoesNotOpenADevice() {
        LogBuilder notOpenedAgain = restarted().ticks(100_500, 109_500).beating(110_000, 200_000, "s2", 95_000);

        broken(notOpenedAgain.check(SETTINGS), Kind.LOST);
        clean(notOpenedAgain.emitted("OFFLINE", 100_000, 0L).check(SETTINGS));
    }

    @Test
    @Row("C6")
    void shouldSayNothingWhenAnotherShardOpensWhatASessionLetGo() {
        LogBuilder elsewhere = ended().ticks(100_500, 111_500)
                .shard(112_000, "T", "t1", 0, false)
                .held(112_000, "A", null, "OPEN", "T", "t1")
                .ticks(112_500, 130_500);

        clean(elsewhere.check(SETTINGS));
        broken(elsewhere.emitted("OFFLINE", 100_000, 0L).check(SETTINGS), Kind.UNEXPLAINED);
    }

    @Test
    @Row("C7")
    void shouldMissTheEndWhenNobodyOpensWhatASessionLetGo() {
        LogBuilder nowhere = ended().ticks(100_500, 150_500);

        broken(nowhere.check(SETTINGS), Kind.LOST);
        clean(nowhere.emitted("OFFLINE", 100_000, 0L).check(SETTINGS));
    }

    @Test
    @Row("C8")
    void shouldIgnoreAnEndWhenAnotherShardHoldsTheDevice() {
        LogBuilder halfOpen = new LogBuilder()
                .shard(0, "s1", 0)
                .held(0, "A", "IDLE", "OPEN", "s1")
                .ticks(500, 9_500)
                .shard(10_000, "T", "t1", 0, false)
                .held(10_000, "A", "ONLINE", "OPEN", "T", "t1")
                .ticks(10_500, 19_500)
                .held(20_000, "A", null, "CLOSED", "s1")
                .ticks(20_500, 35_500)
                .emitted("IDLE", 0, null)
                .emitted("ONLINE", 10_000, 10_000L);

        clean(halfOpen.check(SETTINGS));
        broken(halfOpen.emitted("OFFLINE", 25_000, 10_000L).check(SETTINGS), Kind.UNEXPLAINED);
    }

    @Test
    @Row("C9")
    void shouldIgnoreAnEarlierSession() {
        LogBuilder zombie = restarted()
                .shard(101_000, "s1", 0)
                .held(101_000, "B", null, "OPEN", "s1")
                .ticks(101_500, 150_500);

        clean(zombie.emitted("OFFLINE", 100_000, 0L).check(SETTINGS));
        broken(
                restarted()
                        .shard(101_000, "s1", 0)
                        .held(101_000, "B", null, "OPEN", "s1")
                        .ticks(101_500, 150_500)
                        .check(SETTINGS),
                Kind.LOST);
    }

    @Test
    @Row("C10")
    void shouldSayNothingWhenATaskIsTakenOverBetweenARestartAndTheNextOpen() {
        LogBuilder takenOver = restarted()
                .ticks(100_500, 104_500)
                .instance("two")
                .ticks(105_500, 105_500)
                .shard(106_000, "s1", 0)
                .ticks(106_500, 109_500)
                .held(110_000, "A", null, "OPEN", "s2")
                .beating(110_000, 200_000, "s2", 95_000);

        clean(takenOver.check(SETTINGS));
        broken(takenOver.emitted("OFFLINE", 100_000, 0L).check(SETTINGS), Kind.UNEXPLAINED);
    }

    @Test
    @Row("C11")
    void shouldMissTheEndWhenALeaseTookTheDeviceOver() {
        LogBuilder leased = openA(50_000).beat(59_800, "A", null, 30_000).beating(60_000, 200_000, "s1", 0);

        broken(leased.check(SETTINGS), Kind.LOST);
        clean(leased.emitted("OFFLINE", 89_800, 59_800L).check(SETTINGS));
    }

    @Test
    @Row("C12")
    void shouldSayNothingWhenTheUserIsHidden() {
        LogBuilder hidden = new LogBuilder()
                .hide(0, true)
                .shard(5_000, "s1", 0)
                .held(5_000, "A", "ONLINE", "OPEN", "s1")
                .ticks(5_500, 19_500)
                .shard(20_000, "s2", 20_000)
                .ticks(20_500, 60_500);

        clean(hidden.check(SETTINGS));
        broken(hidden.emitted("ONLINE", 5_000, 5_000L).check(SETTINGS), Kind.UNEXPLAINED);
    }

    // ---- which session holds a device ----

    @Test
    void shouldLetTheSessionHoldADeviceWhenAStateIsSetWithoutOne() {
        LogBuilder set = openA(50_000)
                .beat(59_800, "A", "IDLE")
                .beating(60_000, 200_000, "s1", 0)
                .emitted("IDLE", 59_800, 0L);

        clean(set.check(SETTINGS));
        broken(set.emitted("OFFLINE", 89_800, 0L).check(SETTINGS), Kind.UNEXPLAINED);
    }

    @Test
    void shouldEndADeviceWithItsLeaseWhenAnotherShardBeatsForIt() {
        LogBuilder taken = openA(50_000)
                .beat(59_800, LogBuilder.ALICE, "A", null, "OPEN", "T")
                .beating(60_000, 60_000, "s1", 0)
                .shard(69_800, "T", "t1", 0, false)
                .beating(70_000, 70_000, "s1", 0)
                .shard(79_800, "T", "t1", 0, false)
                .beating(80_000, 200_000, "s1", 0);

        broken(taken.check(SETTINGS), Kind.LOST);
        clean(taken.emitted("OFFLINE", 89_800, 59_800L).check(SETTINGS));
    }

    @Test
    void shouldEndADeviceAfterItsGraceWhenItsSessionReportsTheEnd() {
        LogBuilder closed =
                openA(50_000).held(59_800, "A", null, "CLOSED", "s1").beating(60_000, 100_000, "s1", 0);

        broken(closed.check(SETTINGS), Kind.LOST);
        clean(closed.emitted("OFFLINE", 64_800, 0L).check(SETTINGS));
    }

    @Test
    void shouldBringADeviceBackWhenItIsOpenedAfterItsSessionHadEndedIt() {
        LogBuilder back = openA(10_000)
                .ticks(20_500, 110_500)
                .emitted("OFFLINE", 40_000, 0L)
                .shard(111_000, "s1", 0)
                .ticks(111_500, 119_500)
                .beating(120_000, 150_000, "s1", 0);

        clean(back.check(SETTINGS));
        clean(back.held(159_800, "A", null, "OPEN", "s1")
                .beating(160_000, 250_000, "s1", 0)
                .emitted("ONLINE", 159_800, 159_800L)
                .check(SETTINGS));
    }

    @Test
    void shouldRefuseThatADeviceComesBackWhenOnlyItsSessionIsHeardAgain() {
        broken(
                openA(10_000)
                        .ticks(20_500, 110_500)
                        .emitted("OFFLINE", 40_000, 0L)
                        .shard(111_000, "s1", 0)
                        .ticks(111_500, 119_500)
                        .beating(120_000, 150_000, "s1", 0)
                        .emitted("ONLINE", 111_000, 0L)
                        .check(SETTINGS),
                Kind.UNEXPLAINED);
    }

    @Test
    void shouldHoldTheFirstOfTwoSessionsWhenTheyBeganAtTheSameTime() {
        LogBuilder same = openA(50_000)
                .shard(59_800, "s2", 0)
                .held(59_900, "A", "IDLE", "OPEN", "s2")
                .beating(60_000, 150_000, "s1", 0);

        clean(same.check(SETTINGS));
        broken(same.emitted("IDLE", 59_900, 0L).check(SETTINGS), Kind.UNEXPLAINED, Kind.FALSE_STATE);
    }

    @Test
    void shouldEndADeviceAfterItsGraceWhenASessionThatHasEndedReportsTheEnd() {
        LogBuilder reported = ended().ticks(100_500, 101_500)
                .held(102_000, "A", null, "CLOSED", "s1")
                .ticks(102_500, 150_500);

        broken(reported.emitted("OFFLINE", 100_000, 0L).check(SETTINGS), Kind.WRONG_TIME);
    }

    @Test
    void shouldIgnoreTheEndWhenASessionReportsItAfterALaterOneWasHeard() {
        LogBuilder reported = restarted()
                .ticks(100_500, 101_500)
                .held(102_000, "A", null, "CLOSED", "s1")
                .ticks(102_500, 150_500);

        clean(reported.emitted("OFFLINE", 100_000, 0L).check(SETTINGS));
    }

    // ---- sessions that nobody has heard of ----

    @Test
    void shouldHoldADeviceForAShardsLeaseWhenItsSessionIsNeverHeard() {
        LogBuilder unheard = new LogBuilder()
                .held(0, "A", null, "OPEN", "s1")
                .ticks(500, 150_500)
                .emitted("ONLINE", 0, 0L);

        broken(unheard.check(SETTINGS), Kind.LOST);
        clean(unheard.emitted("OFFLINE", 30_000, 0L).check(SETTINGS));
    }

    @Test
    void shouldEndADeviceAtOnceWhenItsSessionTurnsOutToBeAnEarlierOne() {
        LogBuilder earlier = new LogBuilder()
                .shard(0, "s2", 50)
                .held(0, "A", null, "OPEN", "s1")
                .ticks(500, 9_500)
                .shard(10_000, "s1", 40)
                .ticks(10_500, 25_500)
                .emitted("ONLINE", 0, 0L);

        broken(earlier.check(SETTINGS), Kind.LOST);
        clean(earlier.emitted("OFFLINE", 10_000, 0L).check(SETTINGS));
    }

    @Test
    void shouldCountADevicesOwnHeartbeatWhenItsSessionWasSilent() {
        LogBuilder silent = openA(10_000)
                .ticks(20_500, 79_500)
                .held(80_000, "A", "IDLE", "OPEN", "s1")
                .ticks(80_500, 110_500)
                .emitted("IDLE", 80_000, 0L);

        clean(silent.check(SETTINGS));
        broken(silent.emitted("OFFLINE", 80_000, 0L).check(SETTINGS), Kind.UNEXPLAINED);
    }

    // ---- time ----

    @Test
    void shouldAllowALeaseMoreWhenATaskMayHaveBeenTakenOver() {
        LogBuilder silent = openA(100_000).ticks(110_500, 250_500);

        clean(silent.emitted("OFFLINE", 150_000, 0L).check(SETTINGS, new Window(118_000, 120_000)));
    }

    @Test
    void shouldAllowNoMoreThanALeaseWhenATaskMayHaveBeenTakenOver() {
        LogBuilder silent = openA(100_000).ticks(110_500, 250_500);

        broken(silent.emitted("OFFLINE", 150_001, 0L).check(SETTINGS, new Window(118_000, 120_000)), Kind.WRONG_TIME);
    }

    @Test
    void shouldKeepSinceWhenATaskIsTakenOverAfterTheEnd() {
        LogBuilder notOpenedAgain = restarted().ticks(100_500, 109_500).beating(110_000, 200_000, "s2", 95_000);

        broken(
                notOpenedAgain.emitted("OFFLINE", 108_000, 0L).check(SETTINGS, new Window(106_000, 108_000)),
                Kind.WRONG_TIME);
    }

    @Test
    void shouldKeepASessionWhenTheLogItselfWasSilent() {
        LogBuilder silent = openA(10_000).ticks(39_500, 170_500); // from 19.5 s on, and 20 s more from its end

        clean(silent.emitted("OFFLINE", 59_500, 0L).check(SETTINGS));
        broken(
                openA(10_000)
                        .ticks(39_500, 170_500)
                        .emitted("OFFLINE", 40_000, 0L)
                        .check(SETTINGS),
                Kind.WRONG_TIME);
    }

    @Test
    void shouldCallItAGhostWhenNoTickEndsTheDevicesOfASession() {
        LogBuilder log = openA(10_000);
        for (long at = 20_500; at <= 150_000; at += 1_000) {
            log.beat(at, "bob", "any", "OFFLINE", "OPEN", null);
        }

        broken(log.check(SETTINGS), Kind.GHOST);
    }
}
