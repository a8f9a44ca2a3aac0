package dev.rollcall.http.tokens;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import dev.rollcall.config.TokenSettings;
import dev.rollcall.domain.UserId;
import java.time.Instant;
import java.util.Date;

/** Makes tokens, signed with {@code http.jwt.key}, for the issuer and the audience that are configured. Thread-safe. */
public final class TokenSigner {
    private static final JWSHeader HEADER =
            new JWSHeader.Builder(JWSAlgorithm.HS256).type(JOSEObjectType.JWT).build();

    private final TokenSettings settings;

    /** Signing throws an {@link IllegalArgumentException} if the key is not set. */
    public TokenSigner(TokenSettings settings) {
        this.settings = settings;
    }

    /** Makes a device's token. */
    public String forDevice(UserId user, String device, Instant expiry) {
        return sign(claims(expiry).subject(user.toString()).claim(Claims.DEVICE_ID, device));
    }

    /** Makes a service's token. */
    public String forService(Instant expiry) {
        return sign(claims(expiry).claim(Claims.SCOPE, Claims.SERVICE));
    }

    private JWTClaimsSet.Builder claims(Instant expiry) {
        JWTClaimsSet.Builder claims = new JWTClaimsSet.Builder().expirationTime(Date.from(expiry));
        settings.issuer().ifPresent(claims::issuer);
        settings.audience().ifPresent(claims::audience);
        return claims;
    }

    private String sign(JWTClaimsSet.Builder claims) {
        SignedJWT token = new SignedJWT(HEADER, claims.build());
        try {
            token.sign(new MACSigner(settings.key().bytes()));
        } catch (JOSEException e) {
            throw new IllegalArgumentException("http.jwt.key cannot sign: it must be at least 32 bytes", e);
        }
        return token.serialize();
    }
}
