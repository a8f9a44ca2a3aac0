package dev.rollcall.wire;

import dev.rollcall.domain.Rejection;

/** Bytes that are not a value of the schemas in question; carries what is wrong with them. */
public final class UnreadableException extends Exception {
    private static final long serialVersionUID = 1L;

    private final transient Rejection rejection;

    UnreadableException(Rejection.Reason reason, String detail) {
        this(new Rejection(reason, detail));
    }

    private UnreadableException(Rejection rejection) {
        super(rejection.detail(), null, false, false); // bad input is an everyday thing: no stack trace
        this.rejection = rejection;
    }

    Rejection rejection() {
        return rejection;
    }
}
