package dev.rollcall.simulation;

import dev.rollcall.simulation.judge.History;
import dev.rollcall.simulation.kafka.Cluster;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Passes on what is told, counts it, and digests it: of two runs of one seed the digests are the same. */
final class Witness implements History {
    /** How often what was told. */
    record Counts(
            long handled, long published, long refused, long rerouted, long commits, long aborts, long takeOvers) {}

    private final History judge;
    private final Map<Integer, Long> uncommitted = new TreeMap<>();
    private final Map<Integer, Long> committed = new TreeMap<>();
    private long digest = 0xCBF29CE484222325L;
    private long handled;
    private long published;
    private long refused;
    private long rerouted;
    private long commits;
    private long aborts;
    private long takeOvers;

    Witness(History judge) {
        this.judge = judge;
    }

    /** How many records of presence were committed, by the number of the partition. */
    Map<Integer, Long> committed() {
        return committed;
    }

    long digest() {
        return digest;
    }

    Counts counts() {
        return new Counts(handled, published, refused, rerouted, commits, aborts, takeOvers);
    }

    private void mix(long value) {
        long mixed = (digest ^ value) * 0x9E3779B97F4A7C15L;
        digest = mixed ^ (mixed >>> 32);
    }

    private void mix(byte @Nullable [] bytes) {
        mix(bytes == null ? -1 : Arrays.hashCode(bytes));
    }

    @Override
    public void clockOffset(int partition, Topic topic, long offsetMs) {
        mix(offsetMs);
        judge.clockOffset(partition, topic, offsetMs);
    }

    @Override
    public void handled(int partition, Input input) {
        handled++;
        mix(partition + 100L * Cluster.number(input.topic()));
        mix(input.offset());
        mix(input.stamp());
        mix(input.acknowledged());
        mix(input.value());
        judge.handled(partition, input);
    }

    @Override
    public void published(int partition, Output output) {
        published++;
        mix(output.timestamp());
        mix(output.key());
        mix(output.value());
        uncommitted.merge(partition, 1L, Long::sum);
        judge.published(partition, output);
    }

    @Override
    public void refused(int partition, DeadLetter deadLetter) {
        refused++;
        mix(deadLetter.offset());
        mix(deadLetter.reason().hashCode());
        judge.refused(partition, deadLetter);
    }

    @Override
    public void rerouted(int partition, Input input, int to) {
        rerouted++;
        mix(to);
        judge.rerouted(partition, input, to);
    }

    @Override
    public void removed(int partition, Input input) {
        mix(input.offset());
        judge.removed(partition, input);
    }

    @Override
    public void committed(int partition, long trueTime) {
        commits++;
        mix(trueTime);
        Long records = uncommitted.remove(partition);
        if (records != null) {
            committed.merge(partition, records, Long::sum);
        }
        judge.committed(partition, trueTime);
    }

    @Override
    public void aborted(int partition) {
        aborts++;
        mix(partition - 1000L);
        uncommitted.remove(partition);
        judge.aborted(partition);
    }

    @Override
    public void takenOver(int partition, long trueTime) {
        takeOvers++;
        mix(trueTime);
        uncommitted.remove(partition);
        judge.takenOver(partition, trueTime);
    }

    @Override
    public void ended(long trueTime) {
        mix(trueTime);
        judge.ended(trueTime);
    }
}
