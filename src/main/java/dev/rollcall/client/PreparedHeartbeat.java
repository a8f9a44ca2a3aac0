package dev.rollcall.client;

/** A heartbeat that is checked and encoded, to be sent for many users: see {@link EventSender#prepare}. Immutable. */
public final class PreparedHeartbeat {
    private final byte[] value;

    PreparedHeartbeat(byte[] value) {
        this.value = value;
    }

    /** The bytes themselves, not a copy. */
    byte[] value() {
        return value;
    }
}
