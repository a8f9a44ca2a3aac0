package dev.rollcall.matrix.polls;

import dev.rollcall.domain.UserId;

/** A user's device, as the homeserver knows it. */
public record MatrixDevice(UserId user, String deviceId) {}
