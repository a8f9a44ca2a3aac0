package dev.rollcall.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.rollcall.client.reading.LastRecord;
import dev.rollcall.domain.Presence;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.UserId;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A user's record in a {@link PresenceCopy}: 80 bytes, and the arrays with id and text. So many are in memory that nothing is
 * kept twice: the id is no {@link UserId}, the links are the record's own, and {@link Presence#previousState} is left out.
 */
final class PresenceRecord {
    private static final long NEVER = Long.MIN_VALUE;

    private final byte[] id;
    private final byte @Nullable [] text;

    /** Null: the user was forgotten. */
    private final @Nullable PresenceState state;

    private final long since;
    private final long lastActive;
    private final long sequence;
    private final long at;
    final int partition;
    final long offset;

    // The copy's own links.
    @Nullable
    PresenceRecord nextInBucket;

    @Nullable
    PresenceRecord previous;

    @Nullable
    PresenceRecord next;

    /**
     * A record that is in no copy yet.
     *
     * @param presence null: the user was forgotten
     * @param at the record's timestamp
     */
    PresenceRecord(UserId user, @Nullable Presence presence, long at, int partition, long offset) {
        this.id = user.bytes();
        this.at = at;
        this.partition = partition;
        this.offset = offset;
        String status = presence == null ? null : presence.status();
        Long active = presence == null ? null : presence.lastActive();
        text = status == null ? null : status.getBytes(UTF_8);
        state = presence == null ? null : presence.state();
        since = presence == null ? NEVER : presence.since();
        lastActive = active == null ? NEVER : active;
        sequence = presence == null ? 0 : presence.sequence();
    }

    UserId user() {
        return UserId.ofBytes(id);
    }

    boolean isOf(UserId user) {
        return Arrays.equals(id, user.bytes());
    }

    boolean isForgotten() {
        return state == null;
    }

    boolean isReplacedBy(PresenceRecord later) {
        return last().isReplacedBy(later.last());
    }

    private LastRecord last() {
        return new LastRecord(state, partition, sequence, at);
    }

    /** As it was published, but for the state before; null: the user was forgotten. */
    @Nullable
    Presence presence() {
        return state == null
                ? null
                : new Presence(
                        state,
                        null,
                        text == null ? null : new String(text, UTF_8),
                        since,
                        lastActive == NEVER ? null : (Long) lastActive,
                        sequence);
    }
}
