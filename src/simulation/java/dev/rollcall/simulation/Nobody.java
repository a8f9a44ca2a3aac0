package dev.rollcall.simulation;

import dev.rollcall.simulation.judge.History;

/** Nobody is told: what a processor does that was taken for dead, and does not know it. */
final class Nobody implements History {
    @Override
    public void clockOffset(int partition, Topic topic, long offsetMs) {}

    @Override
    public void handled(int partition, Input input) {}

    @Override
    public void published(int partition, Output output) {}

    @Override
    public void refused(int partition, DeadLetter deadLetter) {}

    @Override
    public void rerouted(int partition, Input input, int to) {}

    @Override
    public void removed(int partition, Input input) {}

    @Override
    public void committed(int partition, long trueTime) {}

    @Override
    public void aborted(int partition) {}

    @Override
    public void takenOver(int partition, long trueTime) {}

    @Override
    public void ended(long trueTime) {}
}
