package dev.rollcall.gateway;

import org.jspecify.annotations.Nullable;

/** A request that may succeed when it is tried again: Kafka cannot be reached, or the topic of presence is still being read. */
public final class UnavailableException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public UnavailableException(String message) {
        this(message, null);
    }

    public UnavailableException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
