package dev.rollcall.http.server;

import com.auth0.jwt.JWT;
import com.auth0.jwt.algorithms.Algorithm;
import com.auth0.jwt.exceptions.JWTVerificationException;
import com.auth0.jwt.interfaces.DecodedJWT;
import com.auth0.jwt.interfaces.JWTVerifier;
import dev.rollcall.config.Secret;
import dev.rollcall.domain.UserId;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Bearer tokens: JWT, HS256, with an expiry. A device's token has the claims {@code sub} (the user id) and {@code
 * device_id}, a service's has {@code scope: "service"}. Thread-safe.
 */
public final class Tokens {
    private static final String DEVICE_ID = "device_id";
    private static final String SCOPE = "scope";
    private static final String SERVICE = "service";
    private static final String BEARER = "Bearer ";
    private static final int MAX_LENGTH = 4_096;

    /** Allows for clocks that differ. */
    private static final long LEEWAY_SECONDS = 5;

    private final @Nullable Algorithm algorithm;
    private final @Nullable JWTVerifier verifier;

    /** Without a key there are no tokens, and every caller is {@link Caller.Local}. */
    public Tokens(Secret key) {
        algorithm = key.isSet() ? Algorithm.HMAC256(key.bytes()) : null;
        verifier = algorithm == null
                ? null
                : JWT.require(algorithm)
                        .withClaimPresence("exp")
                        .acceptLeeway(LEEWAY_SECONDS)
                        .build();
    }

    boolean areRequired() {
        return verifier != null;
    }

    /** The caller with this {@code Authorization} header, which is null if the request has none. */
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

    /** Makes a device's token. Throws an {@link IllegalStateException} if there is no key. */
    public String forDevice(UserId user, String device, Instant expiry) {
        return JWT.create()
                .withSubject(user.toString())
                .withClaim(DEVICE_ID, device)
                .withExpiresAt(expiry)
                .sign(key());
    }

    /** Makes a service's token. Throws an {@link IllegalStateException} if there is no key. */
    public String forService(Instant expiry) {
        return JWT.create().withClaim(SCOPE, SERVICE).withExpiresAt(expiry).sign(key());
    }

    private Algorithm key() {
        if (algorithm == null) {
            throw new IllegalStateException("http.jwt.key is not set");
        }
        return algorithm;
    }
}
