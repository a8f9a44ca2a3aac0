package dev.rollcall.simulation.judge;

import dev.rollcall.simulation.judge.Decoded.Bad;
import dev.rollcall.simulation.judge.History.DeadLetter;
import dev.rollcall.simulation.judge.History.Input;
import dev.rollcall.simulation.judge.Violation.Kind;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Set;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;

/** Where a record belongs: here, on another partition (rule 7), or among the dead letters (rule 12). */
final class Routing {
    /** When a record that was sent on was first written: 8 bytes, ms since the epoch. */
    static final String FIRST_WRITTEN = "rollcall.rerouted-from-time";

    private static final String TOO_MANY = "too_many_devices";

    private final int partition;
    private final int partitions;
    private final Report report;

    Routing(int partition, int partitions, Report report) {
        this.partition = partition;
        this.partitions = partitions;
        this.report = report;
    }

    /** Null: the record was not sent on. */
    static @Nullable Long firstWritten(Input input) {
        byte[] header = input.headers().get(FIRST_WRITTEN);
        return header == null || header.length != Long.BYTES
                ? null
                : ByteBuffer.wrap(header).getLong();
    }

    boolean isHere(byte[] key) {
        return partitions == 1 || partitionOf(key) == partition;
    }

    private int partitionOf(byte[] key) {
        return Utils.toPositive(Utils.murmur2(key)) % partitions;
    }

    void expectSentOn(Handling handling, Input input, byte[] key) {
        if (!handling.refusals.isEmpty()) {
            wrong(Kind.DEAD_LETTER, input, "was refused although it only is on the wrong partition");
        }
        // Rule 7 says "once": what happens to one that was sent on already, to a wrong partition, it does not say.
        boolean again = firstWritten(input) != null && handling.reroutes.isEmpty();
        if (!again && !handling.reroutes.equals(List.of(partitionOf(key)))) {
            wrong(
                    Kind.REROUTE,
                    input,
                    "belongs on partition " + partitionOf(key) + ", and was sent to " + handling.reroutes);
        }
    }

    /** Neither sent on nor refused. */
    void expectStays(Handling handling, Input input) {
        if (!handling.refusals.isEmpty()) {
            wrong(
                    Kind.DEAD_LETTER,
                    input,
                    "was refused as " + handling.refusals.get(0).reason() + " and is good");
        }
        expectNotSentOn(handling, input);
    }

    private void expectNotSentOn(Handling handling, Input input) {
        if (!handling.reroutes.isEmpty()) {
            wrong(Kind.REROUTE, input, "belongs here, and was sent to " + handling.reroutes);
        }
    }

    /** Bad input is refused where it is, or sent on first where it has a key of another partition. */
    void expectRefused(Handling handling, Input input, Bad bad) {
        byte[] key = input.key();
        if (handling.refusals.isEmpty() && key != null && !isHere(key)) {
            if (!handling.reroutes.equals(List.of(partitionOf(key)))) {
                wrong(Kind.DEAD_LETTER, input, "was neither refused as one of " + bad.reasons() + " nor sent on");
            }
            return;
        }
        expectNotSentOn(handling, input);
        if (handling.refusals.isEmpty()) {
            wrong(Kind.DEAD_LETTER, input, "was not refused, and is bad: " + bad.reasons());
        } else {
            checkRefusals(handling, input, bad.reasons());
        }
    }

    /** Whether the record, which is good, was refused because its user has too many devices. */
    boolean expectTooMany(Handling handling, Input input) {
        expectNotSentOn(handling, input);
        if (!handling.refusals.isEmpty()) {
            checkRefusals(handling, input, Set.of(TOO_MANY));
        }
        return !handling.refusals.isEmpty();
    }

    private void checkRefusals(Handling handling, Input input, Set<String> reasons) {
        DeadLetter refusal = handling.refusals.get(0);
        if (handling.refusals.size() > 1) {
            wrong(Kind.DEAD_LETTER, input, "was refused " + handling.refusals.size() + " times");
        }
        if (!reasons.contains(refusal.reason())) {
            wrong(Kind.DEAD_LETTER, input, "was refused as " + refusal.reason() + ", not as one of " + reasons);
        }
        if (refusal.topic() != input.topic() || refusal.offset() != input.offset()) {
            wrong(
                    Kind.DEAD_LETTER,
                    input,
                    "has a dead letter that names " + refusal.topic() + " at " + refusal.offset());
        }
    }

    private void wrong(Kind kind, Input input, String what) {
        byte[] key = input.key();
        report.add(
                kind,
                key == null ? null : new Key(key),
                "the record at " + input.offset() + " of " + input.topic() + " " + what + " (rule "
                        + (kind == Kind.REROUTE ? 7 : 12) + ")");
    }
}
