package dev.rollcall.partition;

import dev.rollcall.domain.Decision;
import dev.rollcall.domain.UserId;
import java.util.Comparator;

/** What has ended, and what follows. In the order of the instants, then of the users: the same whatever it was found by. */
record Expired(UserId user, Decision decision) {
    static final Comparator<Expired> IN_ORDER =
            Comparator.comparingLong(Expired::at).thenComparing(Expired::user);

    private long at() {
        return decision.updates().isEmpty()
                ? Long.MIN_VALUE
                : decision.updates().get(0).at();
    }
}
