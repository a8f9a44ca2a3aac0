package dev.rollcall.http;

import com.auth0.jwt.JWT;
import com.auth0.jwt.algorithms.Algorithm;
import com.auth0.jwt.exceptions.JWTVerificationException;
import com.auth0.jwt.interfaces.DecodedJWT;
import com.auth0.jwt.interfaces.JWTVerifier;
import dev.rollcall.config.Secret;
import dev.rollcall.domain.UserId;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Bearer tokens: JWT, HS256, with an expiry. A device's has {@code sub} (the user id) and {@code device_id}; a service's has
 * {@code scope: "service"}. Thread-safe.
 */
public final class Tokens {
    private static final String DEVICE_ID = "device_id";
    private static final String SCOPE = "scope";
    private static final String SERVICE = "service";
    private static final String BEARER = "Bearer ";
    private static final int MAX_LENGTH = 4_096;
    private static final Duration BETWEEN_INSTANCES = Duration.ofMinutes(1);

    /** Machines' clocks differ a little. */
    private static final long LEEWAY_SECONDS = 5;

    private final @Nullable Algorithm algorithm;
    private final @Nullable JWTVerifier verifier;

    /** Of this key; not set: there are no tokens, and everybody is {@link Caller.Local}. */
    public Tokens(Secret key) {
        algorithm = key.isSet() ? Algorithm.HMAC256(key.bytes()) : null;
        verifier = algorithm == null
                ? null
                : JWT.require(algorithm)
                        .withClaimPresence("exp")
                        .acceptLeeway(LEEWAY_SECONDS)
                        .build();
    }

    boolean areNeeded() {
        return verifier != null;
    }

    /** Who has this {@code Authorization} header; null: there is none. */
    Caller caller(@Nullable String authorization) {
        if (verifier == null) {
            return new Caller.Local();
        }
        if (authorization == null || !authorization.regionMatches(true, 0, BEARER, 0, BEARER.length())) {
            throw ApiException.missingToken();
        }
        String token = authorization.substring(BEARER.length()).strip();
        if (token.length() > MAX_LENGTH) {
            throw ApiException.unknownToken();
        }
        DecodedJWT decoded;
        try {
            decoded = verifier.verify(token);
        } catch (JWTVerificationException e) {
            throw ApiException.unknownToken();
        }
        if (SERVICE.equals(decoded.getClaim(SCOPE).asString())) {
            return new Caller.Service();
        }
        String user = decoded.getSubject();
        String device = decoded.getClaim(DEVICE_ID).asString();
        if (user == null || device == null) {
            throw ApiException.unknownToken();
        }
        try {
            return new Caller.Device(Ids.user(user), Ids.device(device));
        } catch (ApiException e) {
            throw ApiException.unknownToken();
        }
    }

    /** A device's token. Throws an {@link IllegalStateException} where there are none. */
    public String forDevice(UserId user, String device, Instant expiry) {
        return JWT.create()
                .withSubject(user.toString())
                .withClaim(DEVICE_ID, device)
                .withExpiresAt(expiry)
                .sign(key());
    }

    /** A service's token. Throws an {@link IllegalStateException} where there are none. */
    public String forService(Instant expiry) {
        return JWT.create().withClaim(SCOPE, SERVICE).withExpiresAt(expiry).sign(key());
    }

    /** The header with which one instance asks another; empty: none is needed. */
    public String betweenInstances() {
        return algorithm == null ? "" : BEARER + forService(Instant.now().plus(BETWEEN_INSTANCES));
    }

    private Algorithm key() {
        if (algorithm == null) {
            throw new IllegalStateException("http.jwt.key is not set");
        }
        return algorithm;
    }
}
