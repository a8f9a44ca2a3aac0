package dev.rollcall.domain;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What should happen to one user, as a value: the domain decides, the shell around it does.
 *
 * @param updates what to say, in this order; mostly nothing
 * @param routing what to tell the operator's own services, in this order; mostly nothing
 * @param durable what to do with what is stored of the user
 * @param refusal why the input was not taken; null: it was
 */
public record Decision(
        List<PresenceUpdate> updates,
        List<RoutingView> routing,
        Durable durable,
        @Nullable Refusal refusal) {

    /** The usual answer to a heartbeat: nothing to say, nothing to store. */
    public static final Decision NOTHING = new Decision(List.of(), List.of(), new Keep(), null);

    public boolean isNothing() {
        return updates.isEmpty() && routing.isEmpty() && refusal == null && durable instanceof Keep;
    }

    /** What to do with the stored snapshot. */
    public sealed interface Durable {}

    /** Nothing that has to survive a crash has changed. */
    public record Keep() implements Durable {}

    /** Store these snapshot. */
    public record Save(UserSnapshot snapshot) implements Durable {}

    /** There is nothing left that is worth storing. */
    public record Erase() implements Durable {}
}
