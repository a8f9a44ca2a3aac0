package dev.rollcall.simulation.judge;

import dev.rollcall.simulation.judge.Decoded.Flag;
import dev.rollcall.simulation.judge.Decoded.Text;

/** What a text or a flag does to a user: rules 7 to 9. */
final class FactRules {
    private final Ground ground;

    FactRules(Ground ground) {
        this.ground = ground;
    }

    /** Rule 7: a misrouted text never undoes a newer one, also a cleared one; one that counts takes effect when it arrives. */
    void text(Variant variant, Text text, Moment moment, boolean maybeForgotten, Choices choices) {
        if (moment.misrouted() && isOlder(variant.textStamp, moment, maybeForgotten, choices)) {
            return;
        }
        variant.textStamp = moment.stamp();
        boolean expired = text.expiresAt() != Long.MAX_VALUE && isExpired(text, moment, choices);
        variant.text = text.text() == null || expired ? null : text.text();
        variant.textEnds = variant.text == null ? Long.MAX_VALUE : text.expiresAt();
    }

    /** Expired on arrival is a text by the later of its own stamp and the last clock tick that this processor has read. */
    private boolean isExpired(Text text, Moment moment, Choices choices) {
        if (text.text() == null || text.expiresAt() <= moment.arrivedStamp()) {
            return true;
        }
        return ground.lastTick != Long.MIN_VALUE
                && text.expiresAt() <= ground.time.laterStamp(ground.lastTick)
                && choices.either(true);
    }

    void flag(Variant variant, Flag flag, Moment moment, boolean maybeForgotten, Choices choices) {
        if (moment.misrouted() && isOlder(variant.flagStamp, moment, maybeForgotten, choices)) {
            return;
        }
        variant.flagStamp = moment.stamp();
        if (variant.hidden && !flag.hidden()) {
            // A text that is still there may have ended shortly before, which the next tick notices with its own
            // instant.
            variant.quiet(variant.text == null ? moment.arrivedStamp() : variant.quietLo, moment.arrivedStamp());
        }
        variant.hidden = flag.hidden();
    }

    private static boolean isOlder(long stamp, Moment moment, boolean maybeForgotten, Choices choices) {
        return choices.between(moment.stamp() < stamp && !maybeForgotten, moment.stamp() <= stamp);
    }
}
