package dev.rollcall.matrix;

import dev.rollcall.metrics.Meters;
import dev.rollcall.metrics.Meters.Count;
import java.util.function.Supplier;

/** What the receiver tells of itself. Thread-safe. */
final class ReceiverMeters {
    private final Meters meters;
    private final Count polls;
    private final Count lines;
    private final Count written;
    private final Count ends;
    private final Count failed;
    private final Count asked;
    private final Count limited;
    private final Count dropped;

    ReceiverMeters(Meters meters) {
        this.meters = meters;
        polls = meters.count("rollcall.matrix.polls", "Polls that were mirrored");
        lines = meters.count("rollcall.matrix.log.lines", "Lines of the access log");
        written = meters.count("rollcall.matrix.heartbeats", "Heartbeats that were sent to the brokers");
        ends = meters.count("rollcall.matrix.ends", "Devices whose last poll was closed by the client, or refused");
        failed = meters.count("rollcall.matrix.failed", "Records that the brokers do not have");
        asked = meters.count("rollcall.matrix.lookups", "Access tokens that the homeserver was asked for");
        limited = meters.count("rollcall.matrix.limited", "Look-ups that an address may not have so soon");
        dropped = meters.count("rollcall.matrix.dropped", "Events that were one too many");
    }

    void gauge(String name, String description, Supplier<Number> value) {
        meters.gauge(name, description, "", value);
    }

    void polled() {
        polls.add(1);
    }

    void logged() {
        lines.add(1);
    }

    void written() {
        written.add(1);
    }

    void ended() {
        ends.add(1);
    }

    void failed() {
        failed.add(1);
    }

    void asked() {
        asked.add(1);
    }

    void limited() {
        limited.add(1);
    }

    void dropped() {
        dropped.add(1);
    }
}
