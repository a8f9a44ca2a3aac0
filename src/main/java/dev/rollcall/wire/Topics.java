package dev.rollcall.wire;

import dev.rollcall.domain.Presence;
import dev.rollcall.domain.RoutingView;
import dev.rollcall.domain.UserId;
import java.util.List;
import org.apache.kafka.common.serialization.Serdes;

/** The topics of the contract, each with its types. */
public record Topics(
        Topic<UserId, Inbound> heartbeats,
        Topic<UserId, Inbound> statuses,
        Topic<UserId, Inbound> appearOffline,
        Topic<UserId, Presence> presence,
        Topic<byte[], byte[]> deadLetters,
        Topic<UserId, RoutingView> routing) {

    /** The topics under the names that the contract gives them. */
    public static Topics ofContract() {
        return of(TopicNames.OF_CONTRACT);
    }

    /** As above, where values may also be in a registry's format. */
    public static Topics ofContract(Registered registered) {
        return of(TopicNames.OF_CONTRACT, registered);
    }

    /** The topics under the names that are configured. */
    public static Topics of(TopicNames names) {
        return of(names, Format.OWN);
    }

    /** As above, where values may also be in a registry's format. */
    public static Topics of(TopicNames names, Registered registered) {
        return of(names, (Format) registered);
    }

    private static Topics of(TopicNames names, Format format) {
        return new Topics(
                new Topic<>(names.deviceHeartbeat(), Serialization.userIds(), Serialization.heartbeats(format)),
                new Topic<>(names.status(), Serialization.userIds(), Serialization.statuses(format)),
                new Topic<>(names.appearOffline(), Serialization.userIds(), Serialization.appearOffline(format)),
                new Topic<>(names.presence(), Serialization.userIds(), Serialization.presence(format)),
                new Topic<>(names.deadLetters(), Serdes.ByteArray(), Serdes.ByteArray()),
                new Topic<>(names.routing(), Serialization.userIds(), Serialization.routing(format)));
    }

    /** The topics that Rollcall reads, which must have the same number of partitions. */
    public List<Topic<UserId, Inbound>> inputs() {
        return List.of(heartbeats, statuses, appearOffline);
    }
}
