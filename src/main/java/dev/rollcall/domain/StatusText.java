package dev.rollcall.domain;

import dev.rollcall.text.Unicode;
import org.jspecify.annotations.Nullable;

/**
 * What a user says of themselves (rule 8).
 *
 * @param text null: there is none; never empty; an {@link IllegalArgumentException} if it is not well-formed
 * @param expiresAt when the text goes by itself, in ms since the epoch; null: never
 */
public record StatusText(@Nullable String text, @Nullable Long expiresAt) {
    public static final StatusText NONE = new StatusText(null, null);

    public StatusText {
        if (text == null || text.isEmpty()) {
            text = null;
            expiresAt = null;
        } else {
            Unicode.requireWellFormed("the text", text);
        }
    }

    public boolean isExpired(long now) {
        return expiresAt != null && expiresAt <= now;
    }
}
