package dev.rollcall.http.tokens;

import com.nimbusds.jose.Payload;
import dev.rollcall.text.Unicode;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The claims of a token, with their types. A claim of another type than RFC 7519 gives it is refused, and so is null: neither
 * says that there is no such claim, and neither is repaired.
 */
record Claims(Map<String, Object> all) {
    static final String ISSUER = "iss";
    static final String SUBJECT = "sub";
    static final String AUDIENCE = "aud";
    static final String EXPIRES_AT = "exp";
    static final String NOT_BEFORE = "nbf";
    static final String ISSUED_AT = "iat";
    static final String DEVICE_ID = "device_id";
    static final String SCOPE = "scope";

    /** The scope of a token that may act for all users. */
    static final String SERVICE = "service";

    /** The end of the year 9999, beyond which a time is a mistake; in seconds since the epoch. */
    private static final double MAX_SECONDS = 253_402_300_799.0;

    static Claims of(Payload payload) throws InvalidTokenException {
        byte[] json = payload.toBytes();
        Map<String, Object> claims = Unicode.isWellFormed(json, 0, json.length) ? payload.toJSONObject() : null;
        if (claims == null) {
            throw new InvalidTokenException("the claims are not one JSON object in UTF-8");
        }
        return new Claims(claims);
    }

    Optional<String> text(String name) throws InvalidTokenException {
        if (!all.containsKey(name)) {
            return Optional.empty();
        } else if (all.get(name) instanceof String text) {
            return Optional.of(text);
        }
        throw new InvalidTokenException(name + " must be a string");
    }

    /** A claim that is seconds since the epoch, and need not be whole. */
    Optional<Instant> time(String name) throws InvalidTokenException {
        if (!all.containsKey(name)) {
            return Optional.empty();
        } else if (all.get(name) instanceof Number number && Math.abs(number.doubleValue()) <= MAX_SECONDS) {
            return Optional.of(Instant.ofEpochMilli((long) (number.doubleValue() * 1_000)));
        }
        throw new InvalidTokenException(name + " must be a number, in seconds since 1970");
    }

    /** Whom the token is for; empty if it does not say. */
    List<String> audience() throws InvalidTokenException {
        if (all.containsKey(AUDIENCE) && all.get(AUDIENCE) instanceof List<?> list) {
            if (!list.isEmpty() && list.stream().allMatch(String.class::isInstance)) {
                return list.stream().map(String.class::cast).toList();
            }
            throw new InvalidTokenException("aud must be a string, or a list of strings");
        }
        return text(AUDIENCE).map(List::of).orElseGet(List::of);
    }

    /** Whether it is a service's. {@code scope} is a list between spaces (RFC 8693, 4.2). */
    boolean isService() throws InvalidTokenException {
        return text(SCOPE)
                .map(scope -> List.of(scope.split(" ", -1)).contains(SERVICE))
                .orElse(false);
    }
}
