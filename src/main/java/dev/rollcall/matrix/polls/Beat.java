package dev.rollcall.matrix.polls;

import dev.rollcall.domain.Heartbeat;

/** A heartbeat that is to be written. */
public record Beat(MatrixDevice device, Heartbeat heartbeat) {}
