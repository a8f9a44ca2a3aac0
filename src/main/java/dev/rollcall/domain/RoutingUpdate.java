package dev.rollcall.domain;

/**
 * What is emitted of a user to the operator's own services.
 *
 * @param at the instant of the change, in ms since the epoch
 */
public record RoutingUpdate(long at, RoutingView view) {}
