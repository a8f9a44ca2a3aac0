package dev.rollcall.http.tokens;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSObject;
import com.nimbusds.jose.Payload;
import com.nimbusds.jose.proc.BadJOSEException;
import com.nimbusds.jose.proc.DefaultJOSEObjectTypeVerifier;
import com.nimbusds.jose.proc.DefaultJOSEProcessor;
import com.nimbusds.jose.proc.SecurityContext;
import dev.rollcall.config.ConfigException;
import dev.rollcall.config.TokenSettings;
import java.security.Key;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.text.ParseException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Verifies bearer tokens: JWT (RFC 7519), signed with HS256, RS256 or ES256, with an expiry. A device's has the claims {@code
 * sub} (the user id) and {@code device_id}, a service's has the scope {@code service}. Thread-safe.
 */
public final class TokenVerifier {
    /** Far more than a token has, and little enough to be parsed for anybody. */
    private static final int MAX_LENGTH = 8_192;

    /** Allows for clocks that differ. */
    private static final Duration LEEWAY = Duration.ofSeconds(5);

    private final TokenSettings settings;
    private final InstantSource clock;
    private final @Nullable VerificationKey ownKey;
    private final @Nullable JwksFile jwks;
    private final DefaultJOSEProcessor<SecurityContext> signatures = new DefaultJOSEProcessor<>();

    /**
     * Reads the keys.
     *
     * @throws ConfigException if the JWKS file cannot be used
     */
    public TokenVerifier(TokenSettings settings, InstantSource clock) {
        this.settings = settings;
        this.clock = clock;
        ownKey = settings.key().isSet() ? VerificationKey.of(settings.key()) : null;
        jwks = settings.jwksFile().map(JwksFile::new).orElse(null);
        // at+jwt: access tokens by RFC 9068. Other types are of other use, and must not be taken for one.
        signatures.setJWSTypeVerifier(
                new DefaultJOSEObjectTypeVerifier<>(JOSEObjectType.JWT, new JOSEObjectType("at+jwt"), null));
        signatures.setJWSKeySelector((header, context) -> keysFor(header));
    }

    /**
     * What a token says, if it is valid.
     *
     * @throws InvalidTokenException with the reason; of the claims it says something only if the signature is right
     */
    public Token verify(String token) throws InvalidTokenException {
        if (token.length() > MAX_LENGTH) {
            throw new InvalidTokenException("the token is longer than %d characters".formatted(MAX_LENGTH));
        }
        JWSObject jws = parse(token);
        Claims claims = Claims.of(verifySignature(jws));
        Instant validUntil = verifyTimes(claims);
        verifyParties(claims);
        if (claims.isService()) {
            return new Token.OfService(digest(jws.getSigningInput()), validUntil);
        }
        return new Token.OfDevice(required(claims, Claims.SUBJECT), required(claims, Claims.DEVICE_ID), validUntil);
    }

    private static JWSObject parse(String token) throws InvalidTokenException {
        try {
            return JWSObject.parse(token);
        } catch (ParseException | RuntimeException e) { // RuntimeException: a hostile header
            throw new InvalidTokenException("the token is not a signed JWT");
        }
    }

    private Payload verifySignature(JWSObject jws) throws InvalidTokenException {
        if (jws.getHeader().getCriticalParams() != null) {
            throw new InvalidTokenException("the token needs an extension that is not understood here (crit)");
        }
        try {
            return signatures.process(jws, null);
        } catch (BadJOSEException | JOSEException e) {
            throw new InvalidTokenException("no key here verifies the token: its algorithm, kid, typ or signature");
        }
    }

    /** Of what is signed, of which no bit can vary; the signature itself can be written in many ways. */
    private static String digest(byte[] signed) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(signed));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    /** The keys with this id; those without an id if there is none, or all if the token does not say. */
    private List<Key> keysFor(JWSHeader header) {
        List<VerificationKey> all = new ArrayList<>(jwks == null ? List.of() : jwks.keys());
        if (ownKey != null) {
            all.add(ownKey);
        }
        String named = header.getKeyID();
        String id = all.stream().anyMatch(key -> Objects.equals(key.id(), named)) ? named : null;
        return all.stream()
                .filter(key -> named == null || Objects.equals(key.id(), id))
                .filter(key -> key.algorithm().equals(header.getAlgorithm()))
                .map(VerificationKey::key)
                .toList();
    }

    /** The first instant at which the token is refused. */
    private Instant verifyTimes(Claims claims) throws InvalidTokenException {
        Instant now = clock.instant();
        Instant validUntil = claims.time(Claims.EXPIRES_AT)
                .orElseThrow(() -> new InvalidTokenException("exp is missing: a token must expire"))
                .plus(LEEWAY);
        if (!now.isBefore(validUntil)) {
            throw new InvalidTokenException("the token has expired (exp)");
        }
        for (String begin : List.of(Claims.NOT_BEFORE, Claims.ISSUED_AT)) {
            Instant from = claims.time(begin).orElse(Instant.MIN);
            if (from.isAfter(now.plus(LEEWAY))) {
                throw new InvalidTokenException(
                        "the token is not valid yet: %s is in the future by the clock of this server".formatted(begin));
            }
        }
        return validUntil;
    }

    private void verifyParties(Claims claims) throws InvalidTokenException {
        String issuer = claims.text(Claims.ISSUER).orElse("");
        if (settings.issuer().isPresent() && !settings.issuer().get().equals(issuer)) {
            throw new InvalidTokenException("iss is not the issuer that is expected here");
        }
        // A token that says whom it is for is for nobody else (RFC 7519, 4.1.3).
        List<String> audience = claims.audience();
        boolean isForUs = settings.audience().map(audience::contains).orElse(audience.isEmpty());
        if (!isForUs) {
            throw new InvalidTokenException(
                    settings.audience().isPresent()
                            ? "aud does not have the audience that is expected here"
                            : "aud says that the token is for somebody else: http.jwt.audience is not set here");
        }
    }

    private static String required(Claims claims, String name) throws InvalidTokenException {
        return claims.text(name)
                .orElseThrow(() -> new InvalidTokenException(
                        "%s is missing: a token has sub and device_id, or the scope service".formatted(name)));
    }
}
