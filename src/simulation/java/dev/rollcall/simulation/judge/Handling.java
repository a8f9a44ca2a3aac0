package dev.rollcall.simulation.judge;

import dev.rollcall.simulation.judge.History.DeadLetter;
import dev.rollcall.simulation.judge.History.Input;
import dev.rollcall.simulation.judge.History.Output;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** An input, and what Rollcall wrote before it handled the next; no input: what it wrote before the first of a transaction. */
final class Handling {
    final @Nullable Input input;
    List<Output> outputs = List.of();
    List<DeadLetter> refusals = List.of();
    /** The partitions that it was sent on to. */
    List<Integer> reroutes = List.of();

    Handling(@Nullable Input input) {
        this.input = input;
    }

    void published(Output output) {
        outputs = with(outputs, output);
    }

    void refused(DeadLetter refusal) {
        refusals = with(refusals, refusal);
    }

    void rerouted(int to) {
        reroutes = with(reroutes, to);
    }

    private static <T> List<T> with(List<T> list, T added) {
        List<T> grown = list.isEmpty() ? new ArrayList<>(2) : list;
        grown.add(added);
        return grown;
    }
}
