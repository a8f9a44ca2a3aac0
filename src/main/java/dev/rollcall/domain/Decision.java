package dev.rollcall.domain;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What should happen to one user, as a value: the domain decides, the shell around it acts.
 *
 * @param updates what to publish to everyone, in this order; mostly nothing
 * @param routing what to publish to the operator's own services, in this order; mostly nothing
 * @param write what to do with the stored user
 * @param rejection why the input was refused; null: it was not
 */
public record Decision(
        List<PresenceUpdate> updates,
        List<RoutingUpdate> routing,
        StoreWrite write,
        @Nullable Rejection rejection) {

    /** The usual answer to a heartbeat. */
    public static final Decision NOTHING = new Decision(List.of(), List.of(), new StoreWrite.None(), null);

    public boolean isNothing() {
        return updates.isEmpty() && routing.isEmpty() && rejection == null && write instanceof StoreWrite.None;
    }

    public Decision with(StoreWrite otherWrite) {
        return new Decision(updates, routing, otherWrite, rejection);
    }

    /** A write to the store of users. */
    public sealed interface StoreWrite {
        /** Nothing that has to survive a crash has changed. */
        record None() implements StoreWrite {}

        record Put(UserSnapshot snapshot) implements StoreWrite {}

        /** Nothing is left of the user that is worth storing. */
        record Delete() implements StoreWrite {}
    }
}
