package dev.rollcall.config;

/**
 * When an instance is not healthy.
 *
 * @param stallMs how long there may be no progress until it is not ready, in ms
 * @param deadMs how long a thread may not come round until it does not live, in ms
 */
public record HealthSettings(long stallMs, long deadMs) {}
