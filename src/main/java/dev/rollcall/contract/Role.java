package dev.rollcall.contract;

/** Who uses Rollcall's topics. */
public enum Role {
    /** An instance with the processor; with {@code http.port} set, also the edge in it. */
    PROCESSOR,
    /** An HTTP edge alone. */
    EDGE,
    /** A homeserver shard: writes events. */
    SHARD,
    /** A notification service: reads presence, in a group of its own. */
    NOTIFIER,
    /** A push service: reads the routing view, in a group of its own. */
    ROUTING,
    /** An operator who repairs: {@code inspect}, {@code dead-letters}, {@code republish}, {@code forget}, {@code rebuild}. */
    REPAIR
}
