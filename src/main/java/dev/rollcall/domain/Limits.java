package dev.rollcall.domain;

/** The bounds of the contract (rules 2, 4, 8 and 12): what is beyond them is refused. */
public final class Limits {
    /** Of a user, a device, a shard; at least 1. In bytes of UTF-8. */
    public static final int MAX_ID_BYTES = 255;

    /** Of a status text, in bytes of UTF-8. */
    public static final int MAX_TEXT_BYTES = 1024;

    /** A day, in ms; a lease is at least 1. */
    public static final long MAX_LEASE_MS = 86_400_000;

    /** Of a shard's session, in ms; at least 1. */
    public static final long MAX_SHARD_LEASE_MS = 3_600_000;

    private Limits() {}
}
