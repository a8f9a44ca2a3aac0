package dev.rollcall.simulation.judge;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Judges a history by the rules (docs/rules.md) and the promises (docs/guarantees.md). What was handled and published is taken as
 * done when its transaction commits; what was aborted has never been.
 */
public final class Judge implements History {
    private final JudgeSettings settings;
    private final Decoder decoder;
    private final List<Violation> violations = new ArrayList<>();
    private final Map<Integer, Partition> partitions = new HashMap<>();
    private final SentOn sentOn = new SentOn();

    /** A partition, and what was told of it since its last commit. */
    private static final class Partition {
        private final PartitionModel model;
        private List<Handling> open = new ArrayList<>();
        /** What its heartbeats' stamps are ahead of the true time. */
        private long offsetMs;

        Partition(PartitionModel model) {
            this.model = model;
        }

        Handling last() {
            if (open.isEmpty()) {
                open.add(new Handling(null));
            }
            return open.get(open.size() - 1);
        }
    }

    /** A judge that reads the schemas from {@code schemas} of the working directory. */
    public Judge(JudgeSettings settings) {
        this(settings, Path.of("schemas"));
    }

    /** A judge that reads the schemas, {@code *.avsc} and {@code versions/*.avsc}, from this directory. */
    public Judge(JudgeSettings settings, Path schemas) {
        this(settings, new Decoder(schemas));
    }

    Judge(JudgeSettings settings, Decoder decoder) {
        this.settings = settings;
        this.decoder = decoder;
    }

    /** What was found so far, in the order in which it was committed. */
    public List<Violation> violations() {
        return List.copyOf(violations);
    }

    private Partition partition(int number) {
        return partitions.computeIfAbsent(
                number, added -> new Partition(new PartitionModel(added, settings, decoder, violations)));
    }

    @Override
    public void clockOffset(int partition, Topic topic, long offsetMs) {
        if (topic == Topic.DEVICE_HEARTBEAT) {
            partition(partition).offsetMs = offsetMs;
        }
    }

    @Override
    public void handled(int partition, Input input) {
        partition(partition).open.add(new Handling(input));
    }

    @Override
    public void published(int partition, Output output) {
        partition(partition).last().published(output);
    }

    @Override
    public void refused(int partition, DeadLetter deadLetter) {
        partition(partition).last().refused(deadLetter);
    }

    @Override
    public void rerouted(int partition, Input input, int to) {
        partition(partition).last().rerouted(to);
    }

    @Override
    public void removed(int partition, Input input) {
        sentOn.arrived(partition, input);
    }

    @Override
    public void committed(int partition, long trueTime) {
        Partition committed = partition(partition);
        List<Handling> handlings = committed.open;
        committed.open = new ArrayList<>();
        handlings.forEach(handling -> sentOn.follow(partition, handling));
        committed.model.commit(handlings);
    }

    @Override
    public void aborted(int partition) {
        partition(partition).open.clear();
    }

    @Override
    public void takenOver(int partition, long trueTime) {
        // What was not committed has never been, whether anybody says so or not.
        partition(partition).open.clear();
        partition(partition).model.takenOver(trueTime);
    }

    @Override
    public void ended(long trueTime) {
        for (Partition partition : partitions.values()) {
            partition.model.end(trueTime + partition.offsetMs);
        }
        sentOn.end(violations, trueTime);
    }
}
