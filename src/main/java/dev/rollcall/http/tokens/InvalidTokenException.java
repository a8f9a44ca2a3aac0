package dev.rollcall.http.tokens;

/**
 * A token that is refused. The message is for the client, and a sentence of our own: it repeats nothing of the token, and has
 * only characters that the header {@code WWW-Authenticate} may quote.
 */
public final class InvalidTokenException extends Exception {
    private static final long serialVersionUID = 1L;

    InvalidTokenException(String message) {
        super(message, null, false, false); // no stack trace: refusals are many, and expected
    }
}
