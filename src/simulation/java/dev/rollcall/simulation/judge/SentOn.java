package dev.rollcall.simulation.judge;

import dev.rollcall.simulation.judge.History.Input;
import dev.rollcall.simulation.judge.History.Topic;
import dev.rollcall.simulation.judge.Violation.Kind;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Follows misrouted records: each one that was sent on arrives, with the time at which it was first written (rule 7), or is
 * removed by the brokers where it waits.
 */
final class SentOn {
    /** What a record has to be the same in when it arrives; {@code value} null: it has none. */
    private record Sent(
            Topic topic, int partition, Key key, @Nullable Key value, long firstWritten) {}

    private final Map<Sent, Integer> onTheWay = new HashMap<>();

    void follow(int partition, Handling handling) {
        Input input = handling.input;
        if (input == null || input.key() == null) {
            return;
        }
        for (int to : handling.reroutes) {
            onTheWay.merge(record(to, input, input.stamp()), 1, Integer::sum);
        }
        arrived(partition, input);
    }

    /** The record was handled here, or removed unread. */
    void arrived(int partition, Input input) {
        Long firstWritten = Routing.firstWritten(input);
        if (input.key() != null && firstWritten != null) {
            onTheWay.computeIfPresent(
                    record(partition, input, firstWritten), (record, count) -> count == 1 ? null : count - 1);
        }
    }

    private static Sent record(int partition, Input input, long firstWritten) {
        byte[] value = input.value();
        return new Sent(
                input.topic(),
                partition,
                new Key(Objects.requireNonNull(input.key())),
                value == null ? null : new Key(value),
                firstWritten);
    }

    /** All inputs were handled: nothing is on the way any more. */
    void end(List<Violation> violations, long trueTime) {
        onTheWay.forEach((record, count) -> violations.add(new Violation(
                Kind.REROUTE,
                record.partition(),
                record.key().toString(),
                trueTime,
                "a record of " + record.topic() + ", first written at " + record.firstWritten()
                        + ", was sent on and did not arrive with that time (rule 7)")));
    }
}
