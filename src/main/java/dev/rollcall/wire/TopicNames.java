package dev.rollcall.wire;

/** What the topics are called. */
public record TopicNames(
        String deviceHeartbeat,
        String status,
        String appearOffline,
        String presence,
        String deadLetters,
        String routing) {

    /** Those that the contract gives them. */
    public static final TopicNames OF_CONTRACT = new TopicNames(
            "device-heartbeat", "status", "appear-offline", "presence", "presence-dead-letters", "presence-routing");
}
