package dev.rollcall.domain;

/** Why a well-formed heartbeat was not taken. */
public enum Refusal {
    /** The user has as many live devices as are allowed, in number or in bytes, and this is one more. */
    TOO_MANY_DEVICES
}
