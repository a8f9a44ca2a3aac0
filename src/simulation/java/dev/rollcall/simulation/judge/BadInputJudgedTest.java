package dev.rollcall.simulation.judge;

import static dev.rollcall.simulation.judge.State.IDLE;
import static dev.rollcall.simulation.judge.State.OFFLINE;
import static dev.rollcall.simulation.judge.State.ONLINE;

import dev.rollcall.simulation.judge.History.Topic;
import dev.rollcall.simulation.judge.Violation.Kind;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.kafka.common.utils.Utils;
import org.junit.jupiter.api.Test;

/** Records that belong elsewhere: on another partition (rule 7), or among the dead letters (rule 12). */
class BadInputJudgedTest {
    private final Script script = new Script();

    private static final JudgeSettings TWO =
            new JudgeSettings(30_000, 5_000, 15_000, 60_000, 30_000, 15_000, 2_592_000_000L, 300_000, 64, 1_000, 2);

    private static Script twoPartitions() {
        int home = Utils.toPositive(Utils.murmur2("u".getBytes(StandardCharsets.UTF_8))) % 2;
        return new Script(TWO).partition(1 - home).user("u");
    }

    @Test
    void shouldSeeAMisroutedRecordThatIsNotSentOn() {
        twoPartitions().hb("A", ONLINE).at(0).expect(Kind.REROUTE);
    }

    @Test
    void shouldSeeAMisroutedRecordThatIsSentOnTwice() {
        int home = Utils.toPositive(Utils.murmur2("u".getBytes(StandardCharsets.UTF_8))) % 2;
        Script right =
                twoPartitions().hb("A", ONLINE).at(0).rerouted(home).commit().partition(home);
        right.firstWritten(0).hb("A", ONLINE).at(1).out(ONLINE, 0, 0.0).expectNothing();
        twoPartitions().hb("A", ONLINE).at(0).rerouted(home).expect(Kind.REROUTE);
        twoPartitions().hb("A", ONLINE).at(0).rerouted(home).rerouted(home).expect(Kind.REROUTE);
        twoPartitions().hb("A", ONLINE).at(0).rerouted(1 - home).expect(Kind.REROUTE);
    }

    @Test
    void shouldAcceptARecordThatWasSentOnAndRemovedBeforeItWasRead() {
        int home = Utils.toPositive(Utils.murmur2("u".getBytes(StandardCharsets.UTF_8))) % 2;
        Script script =
                twoPartitions().hb("A", ONLINE).at(0).rerouted(home).commit().partition(home);
        script.firstWritten(0).hb("A", ONLINE).at(1).removedInstead().expectRight();

        Script another =
                twoPartitions().hb("A", ONLINE).at(0).rerouted(home).commit().partition(home);
        another.firstWritten(0).hb("B", ONLINE).at(1).removedInstead().expect(Kind.REROUTE);
    }

    @Test
    void shouldSeeAGoodRecordThatIsSentOn() {
        script.hb("A", OFFLINE).at(0).rerouted(0).expect(Kind.REROUTE);
    }

    @Test
    void shouldSeeAMisroutedRecordThatUndoesANewerOne() {
        script.hb("A", IDLE)
                .at(105)
                .out(IDLE, 105, null)
                .firstWritten(100)
                .hb("A", ONLINE)
                .at(106);
        script.out(ONLINE, 106, 106.0).expect(Kind.FALSE_STATE);
    }

    @Test
    void shouldSeeBadInputThatIsNotRefused() {
        script.write(Topic.STATUS, 0, "u", new byte[] {1, 2, 3}).expect(Kind.DEAD_LETTER);
    }

    @Test
    void shouldKnowTheReasons() {
        GenericRecord flag = new GenericData.Record(Wire.schema("AppearOffline"));
        flag.put("appear_offline", true);
        byte[] good = Wire.encode(flag);
        byte[] unknown = good.clone();
        unknown[5] ^= 1;
        byte[] longer = Arrays.copyOf(good, good.length + 1);
        script.write(Topic.STATUS, 0, "u", new byte[] {1, 2, 3}).refused("undecodable");
        script.write(Topic.APPEAR_OFFLINE, 0, "u", longer).refused("undecodable");
        script.write(Topic.APPEAR_OFFLINE, 0, "u", unknown).refused("unknown_schema");
        script.write(Topic.STATUS, 0, "u", good).refused("wrong_topic");
        script.writeBytes(Topic.APPEAR_OFFLINE, 0, null, good).refused("null_key");
        script.write(Topic.APPEAR_OFFLINE, 0, "", good).refused("invalid_key");
        script.writeBytes(Topic.APPEAR_OFFLINE, 0, new byte[] {(byte) 0xC3}, good)
                .refused("invalid_key");
        script.write(Topic.APPEAR_OFFLINE, 0, "x".repeat(256), good).refused("invalid_key");
        script.writeBytes(Topic.DEVICE_HEARTBEAT, 0, "u".getBytes(StandardCharsets.UTF_8), null)
                .refused("null_heartbeat");
        script.hb("", ONLINE).at(1).refused("invalid_field");
        script.hb("A", ONLINE).lease(0).at(1).refused("invalid_field");
        script.hb("A", ONLINE).lease(86_401).at(1).refused("invalid_field");
        script.hb("A", ONLINE).shard("").at(1).refused("invalid_field");
        script.text("x".repeat(1025), null, 1).refused("invalid_field");
        script.carrying(new byte[] {1}).text("x", null, 2).refused("undecodable"); // the text does not count (rule 8)
        script.expectNothing();
    }

    @Test
    void shouldSeeAWrongReason() {
        script.write(Topic.STATUS, 0, "u", new byte[] {1, 2, 3})
                .refused("null_key")
                .expect(Kind.DEAD_LETTER);
    }

    @Test
    void shouldSeeBadInputThatIsRefusedTwice() {
        script.write(Topic.STATUS, 0, "u", new byte[] {1, 2, 3})
                .refused("undecodable")
                .refused("undecodable");
        script.expect(Kind.DEAD_LETTER);
    }

    @Test
    void shouldSeeGoodInputThatIsRefused() {
        script.hb("A", OFFLINE).at(0).refused("invalid_field").expect(Kind.DEAD_LETTER);
    }

    @Test
    void shouldSeeOneDeviceTooMany() {
        for (int i = 0; i < 64; i++) {
            script.hb("D" + i, OFFLINE).at(i / 100.0);
        }
        script.hb("D64", ONLINE)
                .at(1)
                .refused("too_many_devices")
                .hb("D0", ONLINE)
                .at(2)
                .out(ONLINE, 2, 2.0);
        script.hb("D64", ONLINE).at(3).expect(Kind.DEAD_LETTER);
    }
}
