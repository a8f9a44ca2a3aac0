package dev.rollcall.wire;

import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.Rejection;
import dev.rollcall.domain.StatusText;
import dev.rollcall.session.ShardHeartbeat;
import org.jspecify.annotations.Nullable;

/** A value of an input topic: the bytes as they came, and what they say. */
public final class Inbound {
    private final byte @Nullable [] raw;
    private final Content content;

    Inbound(byte @Nullable [] raw, Content content) {
        this.raw = raw;
        this.content = content;
    }

    /** A value to be written. */
    public static Inbound of(Content content) {
        return new Inbound(null, content);
    }

    /** The bytes as they came, not a copy; null: a null value, or one that was not read. */
    public byte @Nullable [] raw() {
        return raw;
    }

    public Content content() {
        return content;
    }

    /** What a record on an input topic can say. */
    public sealed interface Content {}

    /** A device was heard from, or its connection ended. */
    public record Beat(Heartbeat heartbeat) implements Content {}

    /** A shard that holds connections was heard from. */
    public record ShardBeat(ShardHeartbeat heartbeat) implements Content {}

    /** The clock of the partition, by the Rollcall instance that is named. */
    public record ClockTick(String instance) implements Content {}

    /** A user's text. */
    public record Status(StatusText text) implements Content {}

    /** Whether a user appears offline. */
    public record AppearOffline(boolean appearOffline) implements Content {}

    /** It cannot be used. */
    public record Rejected(Rejection rejection) implements Content {}
}
