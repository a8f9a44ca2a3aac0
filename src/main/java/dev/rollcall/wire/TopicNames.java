package dev.rollcall.wire;

/** What the topics are called. */
public record TopicNames(
        String deviceHeartbeat,
        String status,
        String appearOffline,
        String presence,
        String deadLetters,
        String routing) {}
