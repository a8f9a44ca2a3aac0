package dev.rollcall.simulation.judge;

import static dev.rollcall.simulation.judge.State.IDLE;
import static dev.rollcall.simulation.judge.State.OFFLINE;
import static dev.rollcall.simulation.judge.State.ONLINE;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The rows of docs/rules.md with their right outputs: the judge has nothing to say. */
class ScenariosJudgedTest {
    private final Script script = new Script();

    @Test
    @DisplayName("M1 to M3")
    void shouldMerge() {
        script.hb("A", ONLINE).at(0).out(ONLINE, 0, 0.0).hb("B", IDLE).at(1);
        script.user("v")
                .hb("A", IDLE)
                .at(1.1)
                .out(IDLE, 1.1, null)
                .hb("B", ONLINE)
                .at(1.2)
                .out(ONLINE, 1.2, 1.2);
        script.user("w")
                .hb("A", IDLE)
                .at(1.3)
                .out(IDLE, 1.3, null)
                .hb("B", IDLE)
                .at(1.4);
        script.expectNothing();
    }

    @Test
    @DisplayName("M4, M6")
    void shouldFallToIdleWhenTheOnlineDeviceEnds() {
        script.hb("A", ONLINE).at(0).out(ONLINE, 0, 0.0).hb("B", IDLE).at(1);
        script.end("A", 10).ticks(15).out(IDLE, 15, 0.0);
        script.hb("B", null).at(25).ticks(40).hb("B", null).at(40.5).ticks(60).end("B", 60);
        script.ticks(65).out(OFFLINE, 65, 0.0).expectNothing();
    }

    @Test
    @DisplayName("M8")
    void shouldCountDevices() {
        script.hb("A", ONLINE)
                .at(0)
                .out(ONLINE, 0, 0.0)
                .hb("B", ONLINE)
                .at(1)
                .end("A", 2)
                .ticks(8);
        script.end("B", 8.5).ticks(14).out(OFFLINE, 13.5, 1.0).expectNothing();
    }

    @Test
    @DisplayName("T1, T3")
    void shouldEndAtTheDeadline() {
        script.hb("A", ONLINE)
                .at(0)
                .out(ONLINE, 0, 0.0)
                .ticks(30)
                .out(OFFLINE, 30, 0.0)
                .expectNothing();
    }

    @Test
    @DisplayName("T2, T7, T8")
    void shouldTakeLeasesAndGraces() {
        script.hb("A", ONLINE).lease(90).at(0).out(ONLINE, 0, 0.0).ticks(60).end("A", 60.5);
        script.hb("A", ONLINE)
                .at(63)
                .ticks(70)
                .end("A", 70.5)
                .ticks(76)
                .out(OFFLINE, 75.5, 63.0)
                .expectNothing();
    }

    @Test
    @DisplayName("T12")
    void shouldWaitForALogThatWasSilent() {
        script.hb("A", ONLINE).at(0).out(ONLINE, 0, 0.0).ticks(20).tick(3620).ticks(3640);
        script.hb("A", null).at(3649).ticks(3660).expectNothing();
    }

    @Test
    @DisplayName("T12, and the device is gone")
    void shouldEndALeaseAfterTheSilence() {
        script.hb("A", ONLINE).at(0).out(ONLINE, 0, 0.0).ticks(20).tick(3620).ticks(3650);
        script.out(OFFLINE, 3650, 0.0).expectNothing();
    }

    @Test
    @DisplayName("T14")
    void shouldEndADeviceOfAShardThatBeats() {
        script.hb("A", ONLINE).shard("s").at(0).out(ONLINE, 0, 0.0).user("v");
        script.hb("B", ONLINE).shard("s").at(0).out(ONLINE, 0, 0.0).ticks(10);
        script.hb("B", ONLINE)
                .shard("s")
                .at(10.5)
                .ticks(20)
                .hb("B", ONLINE)
                .shard("s")
                .at(20.5)
                .ticks(30);
        script.user("u").out(OFFLINE, 30, 0.0).expectNothing();
    }

    @Test
    @DisplayName("T15")
    void shouldHoldWhileTheShardIsSilent() {
        script.hb("A", ONLINE).shard("s").at(0).out(ONLINE, 0, 0.0).ticks(50);
        script.hb("A", ONLINE).shard("s").at(50.5).ticks(60).expectNothing();
    }

    @Test
    @DisplayName("T16")
    void shouldEndAfterTheHold() {
        script.hb("A", ONLINE).shard("s").at(0).out(ONLINE, 0, 0.0).ticks(90);
        script.out(OFFLINE, 30, 0.0).expectNothing();
    }

    @Test
    @DisplayName("rule 13, the second example")
    void shouldGiveOneLeaseFromTheEndOfTheSilence() {
        script.hb("A", ONLINE).shard("s").at(20).out(ONLINE, 20, 20.0).user("v").ticks(70);
        script.hb("B", ONLINE)
                .shard("s")
                .at(70)
                .out(ONLINE, 70, 70.0)
                .ticks(80)
                .hb("B", ONLINE)
                .shard("s")
                .at(80);
        script.ticks(90).hb("B", ONLINE).shard("s").at(90).ticks(100);
        script.user("u").out(OFFLINE, null, 50, 20.0, 50).expectNothing();
    }

    @Test
    @DisplayName("E2, E4, T4, rule 3")
    void shouldEmitEachChange() {
        script.hb("A", ONLINE).at(0).out(ONLINE, 0, 0.0).hb("A", IDLE).at(1).out(IDLE, 1, 0.0);
        script.hb("A", ONLINE).at(2).out(ONLINE, 2, 2.0).hb("A", ONLINE).at(3).ticks(4);
        script.hb("A", OFFLINE)
                .at(4.5)
                .out(OFFLINE, 4.5, 3.0)
                .ticks(34)
                .hb("A", null)
                .at(34.2)
                .ticks(63);
        script.hb("A", null)
                .at(63.2)
                .ticks(94)
                .hb("A", null)
                .at(94.2)
                .out(ONLINE, 94.2, 94.2)
                .user("v");
        script.hb("A", OFFLINE).at(95).expectNothing();
    }

    @Test
    @DisplayName("S1 to S6")
    void shouldKeepTexts() {
        script.text("x", null, 0)
                .out(OFFLINE, "x", 0, null, 0)
                .hb("A", ONLINE)
                .at(1)
                .out(ONLINE, 1, 1.0);
        script.text("x", null, 2)
                .ticks(31)
                .out(OFFLINE, 31, 1.0)
                .text("", null, 32)
                .out(OFFLINE, null, 31, 1.0, 32);
        script.text("y", 100.0, 33).out(OFFLINE, "y", 31, 1.0, 33).ticks(100).out(OFFLINE, null, 31, 1.0, 100);
        script.expectNothing();
    }

    @Test
    @DisplayName("H1 to H4, H6")
    void shouldHide() {
        script.hb("A", ONLINE).at(0).out(ONLINE, 0, 0.0).hide(true, 1).out(OFFLINE, 1, 0.0);
        script.hb("A", ONLINE)
                .at(2)
                .hb("A", IDLE)
                .at(3)
                .hide(false, 4)
                .out(IDLE, 4, 0.0)
                .hide(true, 5);
        script.out(OFFLINE, 5, 0.0)
                .ticks(60)
                .hide(false, 61)
                .user("v")
                .hide(true, 62)
                .hide(false, 63)
                .expectNothing();
    }

    @Test
    @DisplayName("L1")
    void shouldTakeTheLaterEnd() {
        script.hb("A", ONLINE)
                .lease(45)
                .at(0)
                .out(ONLINE, 0, 0.0)
                .hb("A", IDLE)
                .at(1)
                .out(IDLE, 1, 0.0)
                .ticks(45);
        script.out(OFFLINE, 45, 0.0).expectNothing();
    }

    @Test
    @DisplayName("L2")
    void shouldGiveOneLeaseAfterATakeOver() {
        script.hb("A", ONLINE)
                .lease(86_400)
                .at(0)
                .out(ONLINE, 0, 0.0)
                .ticks(9)
                .hb("A", ONLINE)
                .lease(30)
                .at(10);
        script.ticks(20).takeOver().ticks(51).out(OFFLINE, 51, 10.0).expectNothing();
    }

    @Test
    @DisplayName("L4, L5")
    void shouldGoByTheOrderOfTheLog() {
        script.hb("A", ONLINE)
                .at(100.2)
                .out(ONLINE, 100.2, 100.2)
                .hb("A", IDLE)
                .at(100)
                .out(IDLE, null, 100.2, 100.2, 100.2);
        script.user("v")
                .hb("A", ONLINE)
                .at(101)
                .out(ONLINE, 101, 101.0)
                .tick(102)
                .tick(3702);
        script.hb("A", OFFLINE).at(103).out(OFFLINE, 103, 101.0).expectNothing();
    }

    @Test
    @DisplayName("T11")
    void shouldNotGoBackAfterALeap() {
        script.hb("A", ONLINE).at(3700).out(ONLINE, 3700, 3700.0);
        for (int at = 101; at <= 131; at++) {
            script.tick(at);
        }
        script.out(OFFLINE, 3700, 3700.0).expectNothing();
    }

    @Test
    @DisplayName("T9, T10, L7")
    void shouldLeaveNewerOnesAlone() {
        script.hb("A", IDLE)
                .at(105)
                .out(IDLE, 105, null)
                .firstWritten(100)
                .hb("A", ONLINE)
                .at(106);
        script.user("v").tick(107).firstWritten(70).hb("A", ONLINE).at(108).user("w");
        script.text("new", null, 109).out(OFFLINE, "new", 109, null, 109).hide(true, 110);
        script.firstWritten(90)
                .text("old", null, 111)
                .firstWritten(91)
                .hide(false, 112)
                .expectNothing();
    }

    @Test
    void shouldCountAMisroutedHeartbeatFromWhenItWasFirstWritten() {
        script.tick(7)
                .firstWritten(8)
                .hb("A", ONLINE)
                .at(10)
                .out(ONLINE, 8, 8.0)
                .ticks(38)
                .out(OFFLINE, 38, 8.0)
                .expectNothing();
    }

    @Test
    void shouldTakeAStateAndATextInOneStep() {
        script.tick(0)
                .carrying(script.hb("A", ONLINE))
                .text("x", null, 1)
                .out(ONLINE, "x", 1, 1.0, 1)
                .ticks(31);
        script.out(OFFLINE, 31, 1.0).expectNothing();
    }

    private Script opened() {
        script.shard("S", "s1", 1, false, 0)
                .hb("A", ONLINE)
                .session("S", "s1")
                .at(0)
                .out(ONLINE, 0, 0.0);
        return script.shardBeats("S", "s1", 1, 10, 100);
    }

    @Test
    @DisplayName("C1, C2")
    void shouldHoldOpenConnections() {
        opened().ticks(180).shard("S", "s1", 1, false, 180.5).ticks(200).expectNothing();
    }

    @Test
    @DisplayName("C3")
    void shouldEndByTheShardsSilence() {
        opened().ticks(190).out(OFFLINE, 130, 0.0).expectNothing();
    }

    @Test
    @DisplayName("C4")
    void shouldTakeUpAfterARestart() {
        opened().shard("S", "s2", 2, false, 100.5)
                .ticks(109)
                .hb("A", ONLINE)
                .session("S", "s2")
                .at(110);
        script.shardBeats("S", "s2", 2, 111, 130).expectNothing();
    }

    @Test
    @DisplayName("C5")
    void shouldEndByARestart() {
        opened().shard("S", "s2", 2, false, 100.5)
                .shardBeats("S", "s2", 2, 110, 110)
                .ticks(116);
        script.out(OFFLINE, 100.5, 0.0).expectNothing();
    }

    @Test
    @DisplayName("C6")
    void shouldMoveToAnotherShard() {
        opened().shard("S", "s1", 1, true, 100.5)
                .shard("T", "t1", 1, false, 101)
                .ticks(111);
        script.hb("A", ONLINE)
                .session("T", "t1")
                .at(112)
                .shardBeats("T", "t1", 1, 120, 130)
                .expectNothing();
    }

    @Test
    @DisplayName("C7")
    void shouldEndInGoodOrder() {
        opened().shard("S", "s1", 1, true, 100.5)
                .ticks(116)
                .out(OFFLINE, 100.5, 0.0)
                .expectNothing();
    }

    @Test
    @DisplayName("C8, C9")
    void shouldNotFlapBetweenShards() {
        script.shard("S", "s1", 1, false, 0).shard("T", "t1", 1, false, 0);
        script.hb("A", IDLE).session("S", "s1").at(0).out(IDLE, 0, null).ticks(9);
        script.hb("A", ONLINE).session("T", "t1").at(9.5).out(ONLINE, 9.5, 9.5);
        script.shard("S", "s1", 1, false, 10).shard("T", "t1", 1, false, 10).ticks(19);
        script.hb("A", null).session("S", "s1").closed().at(19.5).ticks(25).shard("T", "t2", 2, false, 25.5);
        script.hb("A", null).session("T", "t2").at(26).shard("T", "t1", 1, false, 26.5);
        script.user("v").hb("B", ONLINE).session("T", "t1").at(27).ticks(40).expectNothing();
    }

    @Test
    @DisplayName("C10")
    void shouldRememberSessionsOverATakeOver() {
        opened().shard("S", "s2", 2, false, 100.5)
                .takeOver()
                .shard("S", "s1", 1, false, 101)
                .ticks(109);
        script.hb("A", ONLINE)
                .session("S", "s2")
                .at(110)
                .shardBeats("S", "s2", 2, 111, 130)
                .expectNothing();
    }

    @Test
    @DisplayName("C11")
    void shouldLetALeaseTakeOver() {
        opened().hb("A", null)
                .lease(30)
                .at(100.5)
                .shardBeats("S", "s1", 1, 110, 130)
                .ticks(131);
        script.out(OFFLINE, 130.5, 100.5).expectNothing();
    }

    @Test
    @DisplayName("C12")
    void shouldSayNothingOfHiddenConnections() {
        script.hide(true, 0)
                .shard("S", "s1", 1, false, 0.5)
                .hb("A", ONLINE)
                .session("S", "s1")
                .at(1)
                .ticks(10);
        script.shard("S", "s2", 2, false, 10.5)
                .hb("A", ONLINE)
                .session("S", "s2")
                .at(11)
                .end("A", 12)
                .ticks(30);
        script.expectNothing();
    }

    @Test
    void shouldEndADeviceOfASessionThatTurnsOutEarlier() {
        script.shard("S", "s2", 2, false, 0)
                .hb("A", ONLINE)
                .session("S", "s1")
                .at(1)
                .out(ONLINE, 1, 1.0)
                .ticks(2);
        script.shard("S", "s1", 1, false, 2.5).ticks(3).out(OFFLINE, 2.5, 1.0).expectNothing();
    }

    @Test
    void shouldEndADeviceOfASessionThatNobodyHears() {
        script.hb("A", ONLINE)
                .session("S", "s1")
                .at(1)
                .out(ONLINE, 1, 1.0)
                .ticks(91)
                .out(OFFLINE, 31, 1.0)
                .expectNothing();
    }

    @Test
    void shouldExtendNothingForWhoeverCameInASilenceOfTheLog() {
        script.hb("A", ONLINE).at(0).out(ONLINE, 0, 0.0).ticks(10);
        script.user("v")
                .carrying(script.hb("B", ONLINE))
                .text("x", null, 50)
                .out(ONLINE, "x", 50, 50.0, 50)
                .tick(100)
                .out(OFFLINE, "x", 80, 50.0, 80);
        script.user("u").ticks(130).out(OFFLINE, 130, 0.0).expectNothing();
    }

    @Test
    void shouldCutOffTheGraceTimeOfADeviceThatNoTickHasHeldYet() {
        script.hb("A", ONLINE).shard("S").lease(30).at(0).out(ONLINE, 0, 0.0).ticks(29);
        script.hb("A", null)
                .shard("S")
                .closed()
                .at(30.5)
                .ticks(31)
                .out(OFFLINE, 30, 0.0)
                .expectRight();
    }

    @Test
    void shouldCompareASilenceWithTheShortestThatMayHaveCounted() {
        script.ticks(10).shard("S", "s1", 1, false, 99);
        script.hb("A", ONLINE).session("S", "s1").at(100).out(ONLINE, 100, 100.0);
        script.shard("S", "s1", 1, false, 101).shard("S", "s1", 1, false, 105);
        // The rest before was longer than half of this silence, and did not count: nobody was there.
        script.hb("B", null)
                .session("S", "s1")
                .at(105.2)
                .hb("A", null)
                .session("S", "s1")
                .closed()
                .at(105.5);
        script.hb("B", null).session("S", "s1").closed().at(105.6);
        script.tick(200).ticks(205).out(OFFLINE, 205, 105.2).expectRight();
    }

    @Test
    void shouldLoseWhatASilenceHasAddedToAGraceTimeWhenThePartitionIsTakenOver() {
        script.hb("A", ONLINE).at(0).out(ONLINE, 0, 0.0).ticks(10).end("A", 10.5);
        script.ticks(11).tick(14.5).takeOver().ticks(16).out(OFFLINE, 15.5, 0.0).expectRight();
    }

    @Test
    void shouldForgetAShardAfterAnHourWhateverTheLogDoesThen() {
        script.shard("S", "s1", 1, false, 0).ticks(3_700).tick(3_800);
        script.hb("A", ONLINE).session("S", "s1").at(3_801).out(ONLINE, 3_801, 3_801.0);
        script.shard("S", "s2", 2, false, 3_802).ticks(3_891);
        script.out(OFFLINE, 3_831, 3_801.0).expectRight();
    }

    @Test
    void shouldGiveAWholeGraceTimeToAnEndThatATextBringsBeforeANewProcessorHasReadTheLog() {
        script.shard("S", "s1", 1, false, 0).hb("A", ONLINE).session("S", "s1").at(1);
        script.out(ONLINE, 1, 1.0).ticks(10);
        // The log is silent from here on, but no clock tick was due.
        script.user("v").hb("B", ONLINE).at(12.5).out(ONLINE, 12.5, 12.5);
        script.hb("C", IDLE).at(14).takeOver().user("u");
        script.carrying(script.hb("A", null).session("S", "s1").closed())
                .text("x", null, 200)
                .out(ONLINE, "x", 1, 1.0, 200);
        script.ticks(205).out(OFFLINE, "x", 205, 1.0, 205).expectRight();
    }
}
