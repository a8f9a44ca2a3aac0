package dev.rollcall.client.sending;

/** A validated and encoded heartbeat, to be sent for many users: see {@link EventSender#prepare}. Immutable. */
public final class PreparedHeartbeat {
    private final byte[] value;

    PreparedHeartbeat(byte[] value) {
        this.value = value;
    }

    /** Not a copy. */
    byte[] value() {
        return value;
    }
}
