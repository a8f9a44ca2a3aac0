package dev.rollcall.config;

import dev.rollcall.text.Printable;

/**
 * A setting that cannot be used. The message names the key, the error and the accepted values. It is safe to print whatever the
 * value was: see {@link Printable}.
 */
public final class ConfigException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public ConfigException(String message) {
        super(Printable.lines(message));
    }
}
