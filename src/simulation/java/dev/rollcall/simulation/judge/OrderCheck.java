package dev.rollcall.simulation.judge;

import dev.rollcall.simulation.judge.History.Input;
import dev.rollcall.simulation.judge.History.Topic;
import dev.rollcall.simulation.judge.Violation.Kind;
import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The order in which records took effect (rule 7): within a topic the log's, but for heartbeats that are handled early because a
 * text or flag of their user is; and between the topics of one user the order of cause and effect, and in a backlog that of the
 * stamps.
 */
final class OrderCheck {
    private static final long CAUSE_MS = 100;
    private static final int REMEMBERED = 4096;
    private static final Memory NOBODY = new Memory();

    /** What is remembered of one user. */
    static final class Memory {
        /** Of the heartbeats handled so far: the latest time of sending, and the stamp and place of that one. */
        private long latestSent = Long.MIN_VALUE;

        private long latestSentStamp = Long.MIN_VALUE;
        private long heartbeatOffset = -1;
        private long heartbeatStamp = Long.MIN_VALUE;
        private long heartbeatAcknowledged = Long.MAX_VALUE;
        private long factStamp = Long.MIN_VALUE;
        private long factAcknowledged = Long.MAX_VALUE;
        private long factHandled = -1;
        private int factLife;
        private int heartbeatLife;
    }

    /** A heartbeat that was handled. */
    private static final class Handled {
        private long number;
        private long offset = -1;
        private long stamp;
        private Memory user = NOBODY;
    }

    private final Report report;
    private final Map<Topic, Long> lastOffset = new EnumMap<>(Topic.class);
    private final Map<Topic, Long> latestStamp = new EnumMap<>(Topic.class);
    private final Handled[] handled = new Handled[REMEMBERED];
    private long count;

    /** The number of the last clock tick. */
    private long tickHandled = -2;
    /** The true time at which the processor began that reads now: what was acknowledged before is its backlog. */
    private long began = Long.MIN_VALUE;

    /** How many have begun. */
    private int lives;

    OrderCheck(Report report) {
        this.report = report;
        for (Topic topic : Topic.values()) {
            lastOffset.put(topic, -1L);
            latestStamp.put(topic, Long.MIN_VALUE);
        }
        for (int i = 0; i < REMEMBERED; i++) {
            handled[i] = new Handled();
        }
    }

    void takenOver(long trueTime) {
        began = trueTime;
        lives++;
    }

    /** A clock tick. */
    void tick(Input input) {
        tickHandled = count;
        heartbeatPlace(input, null);
    }

    /** A record that is refused, sent on, or of no user (null): only its place counts. */
    void place(Input input, @Nullable User user) {
        if (input.topic() == Topic.DEVICE_HEARTBEAT) {
            heartbeatPlace(input, user);
        } else {
            factPlace(input);
        }
    }

    void heartbeat(User user, Input input, boolean misrouted) {
        heartbeatPlace(input, user);
        Memory memory = user.order;
        if (input.offset() <= memory.heartbeatOffset) {
            report.add(
                    Kind.ORDER,
                    user.key,
                    "the heartbeat at " + input.offset() + " took effect after the one at " + memory.heartbeatOffset
                            + " (rule 7)");
        }
        memory.heartbeatOffset = Math.max(memory.heartbeatOffset, input.offset());
        if (misrouted) {
            return;
        }
        backlog(user, input, memory.factStamp, memory.factAcknowledged, memory.factLife);
        if (input.sent() > memory.latestSent) {
            memory.latestSent = input.sent();
            memory.latestSentStamp = input.stamp();
        }
        memory.heartbeatStamp = input.stamp();
        memory.heartbeatAcknowledged = input.acknowledged();
        memory.heartbeatLife = lives;
    }

    void fact(User user, Input input, boolean misrouted) {
        factPlace(input);
        Memory memory = user.order;
        if (!misrouted) {
            // The brokers' clocks must agree to within 100 ms (promise 6): where they do not, a heartbeat that
            // was sent later has the earlier stamp, and the order of the stamps holds.
            if (input.acknowledged() != Long.MAX_VALUE
                    && memory.latestSent >= input.acknowledged() + CAUSE_MS
                    && memory.latestSentStamp > input.stamp()) {
                report.add(
                        Kind.ORDER,
                        user.key,
                        "the record at " + input.offset() + " of " + input.topic() + ", acknowledged at "
                                + input.acknowledged() + ", took effect after a heartbeat that was sent at "
                                + memory.latestSent + " (rule 7, cause before effect)");
            }
            backlog(user, input, memory.heartbeatStamp, memory.heartbeatAcknowledged, memory.heartbeatLife);
        }
        memory.factStamp = Math.max(memory.factStamp, input.stamp());
        memory.factAcknowledged = input.acknowledged();
        memory.factHandled = count;
        memory.factLife = lives;
    }

    /** In a backlog, the records of one user take effect in the order of their stamps, whatever the topic. */
    private void backlog(User user, Input input, long stampBefore, long acknowledgedBefore, int lifeBefore) {
        boolean isBacklog =
                lifeBefore == lives && input.acknowledged() < began - CAUSE_MS && acknowledgedBefore < began - CAUSE_MS;
        // A record behind one with a later stamp in its own log cannot be handled in the order of stamps.
        boolean inOrder = input.stamp() >= latest(input.topic());
        // Within 100 ms, what lies behind a clock tick is not taken from there.
        boolean isBehindTick = input.topic() == Topic.DEVICE_HEARTBEAT
                && stampBefore - input.stamp() <= CAUSE_MS
                && user.order.factHandled <= tickHandled;
        if (isBacklog && inOrder && input.stamp() < stampBefore && !isBehindTick) {
            report.add(
                    Kind.ORDER,
                    user.key,
                    "the record at " + input.offset() + " of " + input.topic() + ", stamped " + input.stamp()
                            + ", took effect after one of another topic, stamped " + stampBefore
                            + ", and both were a backlog (rule 7)");
        }
    }

    private long latest(Topic topic) {
        return latestStamp.getOrDefault(topic, Long.MIN_VALUE);
    }

    private void factPlace(Input input) {
        if (input.offset() <= lastOffset.getOrDefault(input.topic(), -1L)) {
            misplaced(input);
        }
        lastOffset.merge(input.topic(), input.offset(), Math::max);
        latestStamp.merge(input.topic(), input.stamp(), Math::max);
    }

    private void heartbeatPlace(Input input, @Nullable User user) {
        long last = lastOffset.getOrDefault(Topic.DEVICE_HEARTBEAT, -1L);
        if (input.offset() <= last) {
            checkOvertaken(input);
        } else {
            lastOffset.put(Topic.DEVICE_HEARTBEAT, input.offset());
            latestStamp.merge(Topic.DEVICE_HEARTBEAT, input.stamp(), Math::max);
        }
        Handled slot = handled[(int) (count & (REMEMBERED - 1))];
        slot.number = count++;
        slot.offset = input.offset();
        slot.stamp = input.stamp();
        slot.user = user == null ? NOBODY : user.order;
    }

    /** Whoever overtook it must have been handled early: before a text or flag of the same user with a stamp not smaller. */
    private void checkOvertaken(Input input) {
        for (Handled other : handled) {
            if (other.offset == input.offset()) {
                report.add(Kind.ORDER, null, "the heartbeat at " + input.offset() + " was handled twice");
                return;
            }
            boolean early = other.user.factHandled > other.number && other.user.factStamp >= other.stamp;
            if (other.offset > input.offset() && !early) {
                misplaced(input);
                return;
            }
        }
    }

    private void misplaced(Input input) {
        report.add(
                Kind.ORDER,
                null,
                "the record at " + input.offset() + " of " + input.topic() + " took effect after one behind it, up to "
                        + lastOffset.get(input.topic()) + " (rule 7)");
    }
}
