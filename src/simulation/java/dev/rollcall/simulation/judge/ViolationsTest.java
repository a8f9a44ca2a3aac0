package dev.rollcall.simulation.judge;

import static dev.rollcall.simulation.judge.State.IDLE;
import static dev.rollcall.simulation.judge.State.OFFLINE;
import static dev.rollcall.simulation.judge.State.ONLINE;

import dev.rollcall.simulation.judge.History.Input;
import dev.rollcall.simulation.judge.History.Topic;
import dev.rollcall.simulation.judge.Violation.Kind;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** For each kind of violation a history that has one: a judge that cannot fail is worthless. */
class ViolationsTest {
    private final Script script = new Script();

    private Script online() {
        return script.hb("A", ONLINE).at(0).out(ONLINE, 0, 0.0);
    }

    @Test
    void shouldSeeAFalseOffline() {
        online().ticks(10)
                .hb("A", null)
                .at(10.5)
                .ticks(30)
                .out(OFFLINE, 30, 0.0)
                .expect(Kind.FALSE_STATE);
    }

    @Test
    void shouldSeeAFalseOfflineAfterATakeOver() {
        online().ticks(20)
                .takeOver()
                .tick(28)
                .hb("B", null)
                .at(28.5)
                .tick(30)
                .out(OFFLINE, 30, 0.0)
                .expect(Kind.FALSE_STATE);
    }

    @Test
    void shouldSeeAFalseOfflineAfterASilenceOfTheLog() {
        online().ticks(20).tick(50).out(OFFLINE, 30, 0.0).expect(Kind.FALSE_STATE);
    }

    @Test
    void shouldSeeAFalseOfflineOfASilentShard() {
        script.hb("A", ONLINE)
                .shard("s")
                .at(0)
                .out(ONLINE, 0, 0.0)
                .ticks(31)
                .out(OFFLINE, 30, 0.0)
                .expect(Kind.FALSE_STATE);
    }

    @Test
    void shouldSeeAFalseOfflineOfASession() {
        script.shard("S", "s1", 1, false, 0)
                .hb("A", ONLINE)
                .session("S", "s1")
                .at(0)
                .out(ONLINE, 0, 0.0);
        script.shardBeats("S", "s1", 1, 10, 40).out(OFFLINE, 30, 0.0).expect(Kind.FALSE_STATE);
    }

    @Test
    void shouldSeeAZombieThatIsBelieved() {
        script.shard("S", "s2", 2, false, 0)
                .shard("S", "s1", 1, false, 1)
                .hb("A", ONLINE)
                .session("S", "s1")
                .at(2);
        script.out(ONLINE, 2, 2.0).expect(Kind.FALSE_STATE);
    }

    @Test
    void shouldSeeARecordWithoutAChange() {
        online().hb("A", ONLINE).at(1).out(ONLINE, 0, 1.0).expect(Kind.UNEXPLAINED);
    }

    @Test
    void shouldSeeALostChange() {
        online().hb("A", IDLE).at(1).tick(2).expect(Kind.LOST);
    }

    @Test
    void shouldSeeAGhost() {
        online().ticks(31).expect(Kind.GHOST);
    }

    @Test
    void shouldSeeAGhostAfterATakeOver() {
        online().ticks(20).takeOver().ticks(53).expect(Kind.GHOST);
    }

    @Test
    void shouldSeeAGhostOfASessionThatHasEnded() {
        script.shard("S", "s1", 1, false, 0)
                .hb("A", ONLINE)
                .session("S", "s1")
                .at(0)
                .out(ONLINE, 0, 0.0);
        script.shard("S", "s1", 1, true, 1).ticks(18).expect(Kind.GHOST);
    }

    @Test
    void shouldSeeThatTicksAreMissing() {
        online().user("v").hb("A", OFFLINE).at(60).hb("A", OFFLINE).at(120).expect(Kind.GHOST);
    }

    @Test
    void shouldSeeASecondExtensionWithoutAProcessor() {
        // Nobody writes ticks: each gap between the heartbeats of others must not count again.
        online().ticks(10)
                .user("v")
                .hb("B", OFFLINE)
                .at(15)
                .hb("B", OFFLINE)
                .at(25)
                .hb("B", OFFLINE)
                .at(35);
        script.ticks(47).user("u").out(OFFLINE, 45, 0.0).expect(Kind.GHOST);
    }

    @Test
    void shouldSeeAWrongSequence() {
        online().hb("A", IDLE)
                .at(1)
                .out(new Presence(IDLE, ONLINE, null, 1000, 0L, 3, 1000))
                .expect(Kind.SEQUENCE);
    }

    @Test
    void shouldSeeAWrongStateBefore() {
        online().hb("A", IDLE)
                .at(1)
                .out(new Presence(IDLE, OFFLINE, null, 1000, 0L, 2, 1000))
                .expect(Kind.SEQUENCE);
    }

    @Test
    void shouldSeeThatAHiddenUserIsShown() {
        script.hide(true, 0).hb("A", ONLINE).at(1).out(ONLINE, 1, 1.0).expect(Kind.HIDDEN_SHOWN);
    }

    @Test
    void shouldSeeAWrongText() {
        script.text("x", null, 0).out(OFFLINE, "y", 0, null, 0).expect(Kind.WRONG_TEXT);
    }

    @Test
    void shouldSeeATextThatComesBack() {
        script.text("x", null, 1)
                .out(OFFLINE, "x", 1, null, 1)
                .text(null, null, 2)
                .out(OFFLINE, null, 1, null, 2);
        script.firstWritten(1.5)
                .text("z", null, 3)
                .out(OFFLINE, "z", 1, null, 3)
                .expect(Kind.WRONG_TEXT);
    }

    @Test
    void shouldSeeATextThatStays() {
        script.text("x", 5.0, 1).out(OFFLINE, "x", 1, null, 1).ticks(6).expect(Kind.GHOST);
    }

    @Test
    void shouldSeeAWrongSince() {
        online().ticks(31).out(OFFLINE, 31, 0.0).expect(Kind.GHOST);
        Script other = new Script();
        other.hb("A", ONLINE)
                .at(0)
                .out(ONLINE, 0, 0.0)
                .ticks(30)
                .out(OFFLINE, 30.001, 0.0)
                .expect(Kind.WRONG_SINCE);
    }

    @Test
    void shouldSeeALastActiveOfHiddenTime() {
        online().hide(true, 1)
                .out(OFFLINE, 1, 0.0)
                .hb("A", ONLINE)
                .at(2)
                .hide(false, 3)
                .out(ONLINE, 3, 2.0);
        script.expect(Kind.LAST_ACTIVE);
    }

    @Test
    void shouldSeeALastActiveThatIsTooOldWithoutATakeOver() {
        online().ticks(5)
                .hb("A", null)
                .at(5.5)
                .ticks(36)
                .out(OFFLINE, 35.5, 0.0)
                .expect(Kind.LAST_ACTIVE);
    }

    @Test
    void shouldSeeAWrongTime() {
        online().ticks(30).out(OFFLINE, null, 30, 0.0, 29).expect(Kind.WRONG_TIME);
    }

    @Test
    void shouldSeeAnEffectBeforeItsCause() {
        long sent = 1000;
        script.user("u").hb("A", OFFLINE).at(1.2);
        script.handle(new Input(
                Topic.APPEAR_OFFLINE, 1, sent, "u".getBytes(StandardCharsets.UTF_8), null, Map.of(), sent, 1050));
        script.expect(Kind.ORDER);
    }

    @Test
    void shouldSeeABacklogOutOfOrder() {
        Input flag = new Input(
                Topic.APPEAR_OFFLINE, 1, 1050, "u".getBytes(StandardCharsets.UTF_8), null, Map.of(), 1000, 1060);
        script.user("w").tick(2).restart().user("u");
        byte[] heartbeat = script.hb("A", OFFLINE).bytes();
        script.handle(new Input(
                Topic.DEVICE_HEARTBEAT,
                10,
                1080,
                "u".getBytes(StandardCharsets.UTF_8),
                heartbeat,
                Map.of(),
                1070,
                1090));
        script.handle(flag).expect(Kind.ORDER);
    }

    @Test
    void shouldSeeALogOutOfOrder() {
        byte[] key = "u".getBytes(StandardCharsets.UTF_8);
        byte[] value = script.hb("A", OFFLINE).bytes();
        script.handle(new Input(Topic.DEVICE_HEARTBEAT, 6, 60, key, value, Map.of(), 60, 61));
        script.handle(new Input(Topic.DEVICE_HEARTBEAT, 5, 50, key, value, Map.of(), 50, 51));
        script.expect(Kind.ORDER);
    }

    @Test
    void shouldAllowAHeartbeatThatIsHandledEarlyForAFlag() {
        byte[] key = "u".getBytes(StandardCharsets.UTF_8);
        byte[] other = "v".getBytes(StandardCharsets.UTF_8);
        byte[] value = script.hb("A", OFFLINE).bytes();
        script.handle(new Input(Topic.DEVICE_HEARTBEAT, 6, 60, key, value, Map.of(), 60, 61));
        script.handle(new Input(Topic.APPEAR_OFFLINE, 1, 70, key, null, Map.of(), 65, 71));
        script.handle(new Input(Topic.DEVICE_HEARTBEAT, 5, 50, other, value, Map.of(), 50, 51));
        script.expectNothing();
    }

    @Test
    void shouldSeeARecordThatIsHandledTwice() {
        byte[] value = script.hb("A", OFFLINE).bytes();
        Input input =
                new Input(Topic.DEVICE_HEARTBEAT, 6, 60, "u".getBytes(StandardCharsets.UTF_8), value, Map.of(), 60, 61);
        script.handle(input).commit().handle(input).expect(Kind.ORDER);
    }

    @Test
    void shouldForgetWhatWasAborted() {
        byte[] value = script.hb("A", ONLINE).bytes();
        Input input =
                new Input(Topic.DEVICE_HEARTBEAT, 6, 60, "u".getBytes(StandardCharsets.UTF_8), value, Map.of(), 60, 61);
        script.handle(input).out(ONLINE, 0.06, 0.06).abort().restart().unpublish();
        script.handle(input).out(ONLINE, 0.06, 0.06).expectNothing();
    }

    private static final JudgeSettings SHORT =
            new JudgeSettings(30_000, 5_000, 15_000, 60_000, 30_000, 15_000, 100_000, 300_000, 64, 1_000, 1);

    @Test
    void shouldTakeATombstone() {
        Script forgets = offlineSince30();
        forgets.ticks(131)
                .tombstone(130)
                .ticks(140)
                .hb("A", IDLE)
                .at(141)
                .out(IDLE, 141, null)
                .expectNothing();
    }

    /** A user of whom nothing is left to see, with a short retention. */
    private static Script offlineSince30() {
        return new Script(SHORT)
                .hb("A", ONLINE)
                .at(0)
                .out(ONLINE, 0, 0.0)
                .ticks(30)
                .out(OFFLINE, 30, 0.0);
    }

    @Test
    void shouldCountARetentionTimeFromTheLastRecordWhereStampsHaveSteppedBack() {
        Script forgets = new Script(SHORT).ticks(101).clocksAhead(2);
        forgets.hb("B", ONLINE)
                .at(101.5)
                .out(ONLINE, 103.5, 103.5)
                .hb("A", null)
                .at(101.6)
                .clocksAhead(-10);
        forgets.end("A", 102).hb("B", OFFLINE).at(102.002).end("B", 102.002).ticks(107);
        forgets.out(OFFLINE, 103.5, 103.6).ticks(215).tombstone(203.5).expectRight();
    }

    @Test
    void shouldSeeATombstoneTooEarly() {
        Script forgets = offlineSince30();
        forgets.ticks(120).tombstone(130).expect(Kind.WRONGLY_FORGOTTEN);
    }

    @Test
    void shouldSeeATombstoneWithAWrongTime() {
        Script forgets = offlineSince30();
        forgets.ticks(132).tombstone(131).expect(Kind.WRONGLY_FORGOTTEN);
    }

    @Test
    void shouldSeeATombstoneOfAHiddenUser() {
        Script forgets = offlineSince30();
        forgets.hide(true, 31).ticks(132).tombstone(130).expect(Kind.WRONGLY_FORGOTTEN);
    }

    @Test
    void shouldSeeAUserWhoIsNotForgotten() {
        Script forgets = offlineSince30();
        forgets.ticks(200).expect(Kind.NOT_FORGOTTEN);
    }

    @Test
    void shouldAllowALastActiveThatIsOldAfterATakeOver() {
        online().ticks(5)
                .hb("A", null)
                .at(5.5)
                .takeOver()
                .ticks(36)
                .out(OFFLINE, 35.5, 2.0)
                .expect(Kind.WRONG_SINCE);
        Script other = new Script()
                .hb("A", ONLINE)
                .at(0)
                .out(ONLINE, 0, 0.0)
                .ticks(5)
                .hb("A", null)
                .at(5.5);
        other.takeOver().ticks(36).out(OFFLINE, 36, 0.0).expectRight();
        other = new Script()
                .hb("A", ONLINE)
                .at(0)
                .out(ONLINE, 0, 0.0)
                .ticks(5)
                .hb("A", null)
                .at(5.5);
        other.takeOver().ticks(36).out(OFFLINE, 36, 5.6).expect(Kind.LAST_ACTIVE);
    }

    @Test
    void shouldAllowThatASweepIsCutOffByATakeOver() {
        online().ticks(30).takeOver().ticks(61).out(OFFLINE, 61, 0.0).expectRight();
        new Script()
                .hb("A", ONLINE)
                .at(0)
                .out(ONLINE, 0, 0.0)
                .ticks(30)
                .takeOver()
                .out(OFFLINE, 30, 0.0)
                .ticks(61)
                .expectRight();
        new Script()
                .hb("A", ONLINE)
                .at(0)
                .out(ONLINE, 0, 0.0)
                .ticks(30)
                .takeOver()
                .ticks(63)
                .expect(Kind.GHOST);
    }

    @Test
    void shouldNotExtendTheEndOfAConnectionAtATakeOver() {
        online().end("A", 10).takeOver().ticks(15).out(OFFLINE, 15, 0.0).expectNothing();
    }

    @Test
    void shouldHoldASessionThatWasSilentOverATakeOver() {
        script.shard("S", "s1", 1, false, 0)
                .hb("A", ONLINE)
                .session("S", "s1")
                .at(0)
                .out(ONLINE, 0, 0.0)
                .ticks(80);
        script.takeOver().ticks(111).out(OFFLINE, 30, 0.0).expectNothing();
    }

    @Test
    void shouldSeeThatOrderWithinAUserIsOneRecordForEachInstant() {
        script.hb("A", ONLINE)
                .at(0)
                .out(ONLINE, 0, 0.0)
                .hb("B", IDLE)
                .at(0.3)
                .ticks(29)
                .tick(31);
        script.out(IDLE, 30, 0.0).out(OFFLINE, 30.3, 0.0).expectNothing();
        Script merged = new Script()
                .hb("A", ONLINE)
                .at(0)
                .out(ONLINE, 0, 0.0)
                .hb("B", IDLE)
                .at(0.3)
                .ticks(29);
        merged.tick(31).out(OFFLINE, 30.3, 0.0).expect(Kind.FALSE_STATE);
    }

    @Test
    void shouldSeeWhatIsMissingAtTheEnd() {
        online().ticks(30).expect(Kind.NOT_CONVERGED);
    }

    @Test
    void shouldSeeARecordThatNobodyCanRead() {
        script.hb("A", ONLINE).at(0).outBytes(new byte[] {1, 2}).expect(Kind.UNREADABLE);
    }
}
