package dev.rollcall.config;

import java.nio.file.Path;
import java.util.Optional;

/**
 * Which bearer tokens the HTTP edge takes.
 *
 * @param key verifies tokens, and signs those of the command {@code token}; may be not set
 * @param jwksFile a JWKS with more keys
 * @param issuer what {@code iss} must be; empty: anything
 * @param audience what {@code aud} must have; empty: a token must not have {@code aud}
 */
public record TokenSettings(Secret key, Optional<Path> jwksFile, Optional<String> issuer, Optional<String> audience) {
    /** HS256 needs a key of at least its hash's size (RFC 7518, 3.2). */
    public static final int MIN_KEY_BYTES = 32;

    /** Whether callers need a token. If not, the host must be a loopback address. */
    public boolean areRequired() {
        return key.isSet() || jwksFile.isPresent();
    }
}
