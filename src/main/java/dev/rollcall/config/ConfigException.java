package dev.rollcall.config;

/** A setting that cannot be used. The message names the key, what is wrong with it, and what would be right. */
public final class ConfigException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public ConfigException(String message) {
        super(message);
    }
}
