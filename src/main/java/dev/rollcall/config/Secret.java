package dev.rollcall.config;

import java.nio.charset.StandardCharsets;

/** A setting that must not be printed: {@link #toString} only tells whether it is set. */
public final class Secret {
    private final byte[] utf8;

    private Secret(byte[] utf8) {
        this.utf8 = utf8;
    }

    /** An empty text means that the secret is not set. */
    public static Secret of(String text) {
        return new Secret(text.getBytes(StandardCharsets.UTF_8));
    }

    public boolean isSet() {
        return utf8.length > 0;
    }

    /** A copy. */
    public byte[] bytes() {
        return utf8.clone();
    }

    @Override
    public String toString() {
        return isSet() ? "(set)" : "(not set)";
    }
}
