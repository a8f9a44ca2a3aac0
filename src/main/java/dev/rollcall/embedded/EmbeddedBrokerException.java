package dev.rollcall.embedded;

import org.jspecify.annotations.Nullable;

/** The embedded broker cannot run. The message tells what is wrong and what to do. */
public final class EmbeddedBrokerException extends RuntimeException {

    EmbeddedBrokerException(String message) {
        super(message);
    }

    EmbeddedBrokerException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
