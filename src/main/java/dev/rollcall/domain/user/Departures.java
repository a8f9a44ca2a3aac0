package dev.rollcall.domain.user;

import static dev.rollcall.domain.UserSnapshot.NEVER;

import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.RoutingView;

/** The devices of a user that ended at the same instant: when each left its state, as stamps in ms. */
final class Departures {
    private long lastOnline = NEVER;
    private long lastIdle = NEVER;
    private long last = NEVER;
    private RoutingView.Reason reason = RoutingView.Reason.STATUS;

    void add(Device device, long at) {
        last = Math.max(last, at);
        switch (device.state()) {
            case ONLINE -> lastOnline = Math.max(lastOnline, at);
            case IDLE -> lastIdle = Math.max(lastIdle, at);
            case OFFLINE -> {}
        }
        if (!device.connectionEnded()) {
            reason = RoutingView.Reason.EXPIRY;
        } else if (reason == RoutingView.Reason.STATUS) {
            reason = RoutingView.Reason.CONNECTION_END;
        }
    }

    boolean isEmpty() {
        return last == NEVER;
    }

    long last() {
        return last;
    }

    /** When the last one left that was in a higher state than the union that remains: only those have changed it. */
    long lastAbove(PresenceState union) {
        return union == PresenceState.OFFLINE ? Math.max(lastOnline, lastIdle) : lastOnline;
    }

    /** Why: an expiry before a connection's end before a text's. */
    RoutingView.Reason reason() {
        return reason;
    }
}
