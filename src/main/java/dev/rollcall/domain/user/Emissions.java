package dev.rollcall.domain.user;

import static dev.rollcall.domain.UserSnapshot.NEVER;

import dev.rollcall.domain.Presence;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.PresenceUpdate;
import dev.rollcall.domain.UserSnapshot.Emitted;
import org.jspecify.annotations.Nullable;

/**
 * What others know of one user: decides whether there is something new for them (rule 10), and since when all of it could be
 * forgotten (rule 11). Times are stamps, in ms.
 */
final class Emissions {
    private @Nullable Emitted last;
    private long lastActive;
    private long forgettableSince;

    Emissions(@Nullable Emitted last, long lastActive, long forgettableSince) {
        this.last = last;
        this.lastActive = lastActive;
        this.forgettableSince = forgettableSince;
    }

    @Nullable
    Emitted last() {
        return last;
    }

    long lastActive() {
        return lastActive;
    }

    long forgettableSince() {
        return forgettableSince;
    }

    /** An ONLINE device was heard from, and others may see it. */
    void active(long stamp) {
        lastActive = Math.max(lastActive, stamp);
    }

    /**
     * What to emit, now that something may have changed.
     *
     * @param text the text that others see now
     * @param isNewText whether it is another one than before
     * @param at when what may have changed did so
     * @param stateChangedAt since when the state is what it is, if it is another one than before
     * @return null: others see what they saw before
     */
    @Nullable
    PresenceUpdate emit(PresenceState state, @Nullable String text, boolean isNewText, long at, long stateChangedAt) {
        Emitted before = last;
        boolean isNewState = before == null || before.state() != state;
        boolean isBlank = before == null && state == PresenceState.OFFLINE && text == null;
        if (isBlank || !(isNewState || isNewText)) {
            return null;
        }
        long since = before == null
                ? stateChangedAt
                : isNewState ? Math.max(stateChangedAt, before.since()) : before.since();
        long instant = Math.max(isNewState ? since : NEVER, isNewText ? at : NEVER);
        Emitted now = before == null
                ? new Emitted(state, since, instant, 1)
                : new Emitted(state, since, Math.max(instant, before.at()), before.sequence() + 1);
        last = now;
        return new PresenceUpdate(
                now.at(),
                new Presence(
                        state,
                        before == null ? null : before.state(),
                        text,
                        since,
                        lastActive == NEVER ? null : (Long) lastActive,
                        now.sequence()));
    }

    /** When everything is forgotten if nothing happens; {@link Long#MAX_VALUE}: there is something to see. */
    long forgottenAt(long retentionMs) {
        return forgettableSince == NEVER ? Long.MAX_VALUE : forgettableSince + retentionMs;
    }

    /** Nobody has anything to see, and something is remembered: it can be forgotten, counted from then. */
    void startForgetting(long at) {
        if (forgettableSince == NEVER) {
            forgettableSince = Math.max(at, last == null ? NEVER : last.at());
        }
    }

    void stopForgetting() {
        forgettableSince = NEVER;
    }

    /** Forgets everything; returns what tells others so, null if they know of nothing. */
    @Nullable
    PresenceUpdate forget(long at) {
        PresenceUpdate update = last == null ? null : new PresenceUpdate(at, null);
        last = null;
        lastActive = NEVER;
        forgettableSince = NEVER;
        return update;
    }
}
