package dev.rollcall.simulation;

import dev.rollcall.simulation.judge.History;

/** Passes on all that is told. */
class Forwarding implements History {
    private final History next;

    Forwarding(History next) {
        this.next = next;
    }

    @Override
    public void clockOffset(int partition, Topic topic, long offsetMs) {
        next.clockOffset(partition, topic, offsetMs);
    }

    @Override
    public void handled(int partition, Input input) {
        next.handled(partition, input);
    }

    @Override
    public void published(int partition, Output output) {
        next.published(partition, output);
    }

    @Override
    public void refused(int partition, DeadLetter deadLetter) {
        next.refused(partition, deadLetter);
    }

    @Override
    public void rerouted(int partition, Input input, int to) {
        next.rerouted(partition, input, to);
    }

    @Override
    public void removed(int partition, Input input) {
        next.removed(partition, input);
    }

    @Override
    public void committed(int partition, long trueTime) {
        next.committed(partition, trueTime);
    }

    @Override
    public void aborted(int partition) {
        next.aborted(partition);
    }

    @Override
    public void takenOver(int partition, long trueTime) {
        next.takenOver(partition, trueTime);
    }

    @Override
    public void ended(long trueTime) {
        next.ended(trueTime);
    }
}
