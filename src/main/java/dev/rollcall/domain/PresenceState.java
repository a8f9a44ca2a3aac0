package dev.rollcall.domain;

/** How present a device or a user is. The order is the rule of the union: the higher one wins. */
public enum PresenceState {
    OFFLINE,
    IDLE,
    ONLINE;

    /** Merges two devices' states (rule 1): ONLINE over IDLE over OFFLINE. */
    public static PresenceState union(PresenceState one, PresenceState other) {
        return one.compareTo(other) >= 0 ? one : other;
    }
}
