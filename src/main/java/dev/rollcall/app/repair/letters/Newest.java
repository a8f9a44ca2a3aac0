package dev.rollcall.app.repair.letters;

import java.util.List;
import java.util.PriorityQueue;

/** The newest of the letters that are read, which come one partition after the other. */
final class Newest {
    private final int most;
    private final PriorityQueue<Letter> letters = new PriorityQueue<>(Letter.BY_TIME);

    /** @param most how many it keeps, at least 1 */
    Newest(int most) {
        this.most = most;
    }

    void add(Letter letter) {
        letters.add(letter);
        if (letters.size() > most) {
            letters.remove();
        }
    }

    /** The oldest first. */
    List<Letter> inOrder() {
        return letters.stream().sorted(Letter.BY_TIME).toList();
    }
}
