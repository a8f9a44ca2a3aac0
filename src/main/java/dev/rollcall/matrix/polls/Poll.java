package dev.rollcall.matrix.polls;

import dev.rollcall.domain.PresenceState;
import org.jspecify.annotations.Nullable;

/** One request for events, from when it was mirrored. It is open until its line in the access log, or until its lease is over. */
public final class Poll {
    private static final int OPEN = 0;
    private static final int UNAUTHORIZED = 401;

    private final String requestId;
    private final String tokenHash;
    private final @Nullable PresenceState state;
    private final long begunAt;
    private final long leaseMs;
    private @Nullable MatrixDevice device;
    private int status = OPEN;

    Poll(String requestId, String tokenHash, @Nullable PresenceState state, long begunAt, long leaseMs) {
        this.requestId = requestId;
        this.tokenHash = tokenHash;
        this.state = state;
        this.begunAt = begunAt;
        this.leaseMs = leaseMs;
    }

    String requestId() {
        return requestId;
    }

    /** Of the access token that it came with. */
    public String tokenHash() {
        return tokenHash;
    }

    /** Null: the request names none, and the device keeps its state. */
    @Nullable
    PresenceState state() {
        return state;
    }

    long leaseMs() {
        return leaseMs;
    }

    long leaseEnd() {
        return begunAt + leaseMs;
    }

    /** Null: nobody knows yet. */
    @Nullable
    MatrixDevice device() {
        return device;
    }

    void identify(MatrixDevice whose) {
        device = whose;
    }

    boolean isOpen() {
        return status == OPEN;
    }

    /** Of its response; only of one that is not open. */
    int status() {
        return status;
    }

    /** Whether it has ended since the homeserver has refused its token. */
    public boolean isUnauthorized() {
        return status == UNAUTHORIZED;
    }

    void end(int withStatus) {
        status = withStatus;
    }
}
