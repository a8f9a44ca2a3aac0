package dev.rollcall.simulation.judge;

import dev.rollcall.simulation.judge.Violation.Kind;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Where the violations of one partition go. */
final class Report {
    /** The first ones tell what is wrong; a broken Rollcall would fill the memory with the others. */
    private static final int MOST = 10_000;

    private final List<Violation> violations;
    private final int partition;
    private final Ground ground;

    Report(List<Violation> violations, int partition, Ground ground) {
        this.violations = violations;
        this.partition = partition;
        this.ground = ground;
    }

    void add(Kind kind, @Nullable Key user, String sentence) {
        if (violations.size() == MOST) {
            return;
        }
        violations.add(
                new Violation(kind, partition, user == null ? null : user.toString(), ground.time.now(), sentence));
    }
}
