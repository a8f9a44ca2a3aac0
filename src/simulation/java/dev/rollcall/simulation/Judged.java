package dev.rollcall.simulation;

import dev.rollcall.simulation.judge.History;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Who judges a run. */
interface Judged extends History {
    /**
     * What is wrong.
     *
     * @param partition -1: of none
     */
    record Finding(String kind, int partition, @Nullable String user, String sentence) {
        @Override
        public String toString() {
            return "%s, partition %d, %s: %s".formatted(kind, partition, user, sentence);
        }
    }

    List<Finding> findings();
}
