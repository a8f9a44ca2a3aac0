package dev.rollcall.gateway;

import org.jspecify.annotations.Nullable;

/** It cannot be done now, but may be soon: Kafka is away, or whoever owns the user is restoring. */
public final class UnavailableException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public UnavailableException(String message) {
        this(message, null);
    }

    public UnavailableException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
