package dev.rollcall.domain.user;

import dev.rollcall.domain.RoutingUpdate;
import dev.rollcall.domain.RoutingView;
import dev.rollcall.time.PartitionClock;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the operator's own services are told of one user: every change, numbered, if there are such services. */
final class RoutingLog {
    private final boolean isEnabled;
    private long sequence;
    private List<RoutingUpdate> updates = List.of();

    /** @param sequence that of the last view; 0: there was none */
    RoutingLog(boolean isEnabled, long sequence) {
        this.isEnabled = isEnabled;
        this.sequence = sequence;
    }

    long sequence() {
        return sequence;
    }

    void add(
            Devices devices,
            boolean appearOffline,
            @Nullable String text,
            RoutingView.Reason reason,
            long at,
            PartitionClock clock) {
        if (isEnabled) {
            sequence++;
            updates = updates.isEmpty() ? new ArrayList<>(1) : updates;
            updates.add(new RoutingUpdate(
                    at,
                    new RoutingView(devices.union(), appearOffline, text, devices.routed(clock), reason, sequence)));
        }
    }

    /** The user is forgotten: the next view is the first again. */
    void restart() {
        sequence = 0;
    }

    /** Takes the updates since the last call. */
    List<RoutingUpdate> take() {
        List<RoutingUpdate> taken = updates;
        updates = List.of();
        return taken;
    }
}
