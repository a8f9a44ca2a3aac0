package dev.rollcall.config;

import dev.rollcall.text.Printable;

/**
 * A setting that cannot be used. The message names the key, what is wrong with it, and what would be right, and can be printed
 * whatever the setting was: see {@link Printable}.
 */
public final class ConfigException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public ConfigException(String message) {
        super(Printable.lines(message));
    }
}
