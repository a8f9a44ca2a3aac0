package dev.rollcall.admin;

import dev.rollcall.text.Printable;

/** The cluster does not answer, or not with what was asked for. It may later. The message is safe to print. */
public final class ClusterException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public ClusterException(String message) {
        super(Printable.lines(message));
    }
}
