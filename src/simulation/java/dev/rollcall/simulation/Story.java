package dev.rollcall.simulation;

import dev.rollcall.domain.Presence;
import dev.rollcall.simulation.judge.History;
import dev.rollcall.simulation.kafka.Cluster;
import dev.rollcall.simulation.plan.Fault;
import dev.rollcall.text.Printable;
import dev.rollcall.wire.Inbound;
import dev.rollcall.wire.Topics;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Keeps the last of what was told, in words, for whoever reads what went wrong. */
final class Story implements History {
    private static final int KEPT = 50_000;
    private static final String OUTPUT = "    => ";
    private static final Topics TOPICS = Topics.ofContract();

    /** @param isNotable also without an output */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Line(int partition, byte @Nullable [] user, String text, boolean isNotable) {}

    private final History judge;
    private final long startMs;
    private Inbound.@Nullable Content lastBeat;
    private final Deque<Line> lines = new ArrayDeque<>();

    Story(History judge, long startMs) {
        this.judge = judge;
        this.startMs = startMs;
    }

    /** What happened on a partition to a user, or to all of it, up to the end. */
    List<String> about(int partition, @Nullable String user, int most) {
        byte[] key = user == null ? null : user.getBytes(StandardCharsets.UTF_8);
        List<Line> all = lines.stream()
                .filter(line -> line.partition < 0 || partition < 0 || line.partition == partition)
                .filter(line -> line.user == null || key == null || Arrays.equals(line.user, key))
                .toList();
        List<String> told = new ArrayList<>();
        for (int i = 0; i < all.size(); i++) {
            Line line = all.get(i);
            boolean isFollowed = i + 1 < all.size() && all.get(i + 1).text.startsWith(OUTPUT);
            boolean isLast = i >= all.size() - 3;
            if (key == null || line.isNotable || isFollowed || isLast) {
                told.add(line.text);
            }
        }
        return told.subList(Math.max(0, told.size() - most), told.size());
    }

    void fault(long atMs, Fault fault) {
        add(-1, null, "%s ** %s".formatted(time(atMs), fault));
    }

    private void add(int partition, byte @Nullable [] user, String text) {
        add(partition, user, text, true);
    }

    private void add(int partition, byte @Nullable [] user, String text, boolean isNotable) {
        lines.add(new Line(partition, user, text, isNotable));
        if (lines.size() > KEPT) {
            lines.poll();
        }
    }

    private String time(long ms) {
        return "%.3f".formatted((ms - startMs) / 1_000.0);
    }

    @Override
    public void clockOffset(int partition, Topic topic, long offsetMs) {
        add(partition, null, "  the clock of %s-%d is %d ms ahead".formatted(topic, partition, offsetMs));
        judge.clockOffset(partition, topic, offsetMs);
    }

    @Override
    public void handled(int partition, Input input) {
        dev.rollcall.wire.Topic<?, Inbound> topic = TOPICS.inputs().get(Cluster.number(input.topic()));
        Inbound.Content content = topic.values()
                .deserializer()
                .deserialize(topic.name(), input.value())
                .content();
        Line last = lines.peekLast();
        boolean isTick = content instanceof Inbound.ClockTick;
        if (isTick && last != null && last.partition == partition && last.text.contains(" tick ")) {
            lines.pollLast(); // of several the last is enough
        }
        add(
                partition,
                input.key(),
                "%s %s@%d %s %s%s%s"
                        .formatted(
                                time(input.stamp()),
                                input.topic(),
                                input.offset(),
                                input.key() == null ? "" : new String(input.key(), StandardCharsets.UTF_8),
                                isTick ? "clock tick " : Printable.of(content),
                                input.headers().isEmpty()
                                        ? ""
                                        : " headers " + input.headers().keySet(),
                                input.sent() == input.stamp()
                                        ? ""
                                        : " (sent %s, acknowledged %s)"
                                                .formatted(
                                                        time(input.sent()),
                                                        input.acknowledged() == Long.MAX_VALUE
                                                                ? "never"
                                                                : time(input.acknowledged()))),
                !isTick && !(content instanceof Inbound.ShardBeat beat && beat.equals(lastBeat)));
        lastBeat = content instanceof Inbound.ShardBeat beat ? beat : lastBeat;
        judge.handled(partition, input);
    }

    @Override
    public void published(int partition, Output output) {
        Presence value = output.value() == null
                ? null
                : TOPICS.presence().values().deserializer().deserialize("presence", output.value());
        String said = value == null
                ? "forgotten"
                : "%s (before %s, text %s, since %s, last active %s, sequence %d)"
                        .formatted(
                                value.state(),
                                value.previousState(),
                                value.status(),
                                time(value.since()),
                                value.lastActive() == null ? "never" : time(value.lastActive()),
                                value.sequence());
        add(
                partition,
                output.key(),
                (OUTPUT + "%s %s at %s")
                        .formatted(new String(output.key(), StandardCharsets.UTF_8), said, time(output.timestamp())));
        judge.published(partition, output);
    }

    @Override
    public void refused(int partition, DeadLetter deadLetter) {
        add(partition, null, OUTPUT + "refused: " + deadLetter);
        judge.refused(partition, deadLetter);
    }

    @Override
    public void rerouted(int partition, Input input, int to) {
        add(partition, input.key(), OUTPUT + "sent on to partition " + to);
        judge.rerouted(partition, input, to);
    }

    @Override
    public void removed(int partition, Input input) {
        add(partition, input.key(), "  removed before it was read: %s@%d".formatted(input.topic(), input.offset()));
        judge.removed(partition, input);
    }

    @Override
    public void committed(int partition, long trueTime) {
        Line last = lines.peekLast();
        if (last == null || !last.text.contains(" tick ") || last.partition != partition) {
            add(partition, null, "  committed at %s".formatted(time(trueTime)), false);
        }
        judge.committed(partition, trueTime);
    }

    @Override
    public void aborted(int partition) {
        add(partition, null, "  aborted");
        judge.aborted(partition);
    }

    @Override
    public void takenOver(int partition, long trueTime) {
        add(partition, null, "  taken over at %s".formatted(time(trueTime)));
        judge.takenOver(partition, trueTime);
    }

    @Override
    public void ended(long trueTime) {
        judge.ended(trueTime);
    }
}
