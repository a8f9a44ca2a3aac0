package dev.rollcall.http.tokens;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.KeyOperation;
import com.nimbusds.jose.jwk.KeyUse;
import com.nimbusds.jose.jwk.OctetSequenceKey;
import com.nimbusds.jose.jwk.RSAKey;
import dev.rollcall.config.ConfigException;
import dev.rollcall.config.Secret;
import dev.rollcall.config.TokenSettings;
import java.security.Key;
import java.util.Optional;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * A key that verifies tokens. It has one algorithm, whatever a token's header asks for, so that a public key is never taken for
 * the secret of an HMAC.
 *
 * @param id the {@code kid} by which a token names it; null: it has none
 */
record VerificationKey(JWSAlgorithm algorithm, @Nullable String id, Key key) {
    /** RFC 7518, 3.3. */
    private static final int MIN_RSA_BITS = 2_048;

    private static final int MIN_SECRET_BITS = TokenSettings.MIN_KEY_BYTES * 8;

    static VerificationKey of(Secret secret) {
        return new VerificationKey(JWSAlgorithm.HS256, null, new SecretKeySpec(secret.bytes(), "HmacSHA256"));
    }

    /**
     * Empty if it is a key for something else, which a set of keys may have too.
     *
     * @throws ConfigException if it is too short to be safe
     */
    static Optional<VerificationKey> of(JWK jwk) throws JOSEException {
        if (!isForSignatures(jwk)) {
            return Optional.empty();
        } else if (jwk instanceof RSAKey rsa) {
            requireBits(jwk, MIN_RSA_BITS);
            return of(jwk, JWSAlgorithm.RS256, rsa.toRSAPublicKey());
        } else if (jwk instanceof ECKey ec && ec.getCurve().equals(Curve.P_256)) {
            return of(jwk, JWSAlgorithm.ES256, ec.toECPublicKey());
        } else if (jwk instanceof OctetSequenceKey secret) {
            requireBits(jwk, MIN_SECRET_BITS);
            return of(jwk, JWSAlgorithm.HS256, secret.toSecretKey("HmacSHA256"));
        }
        return Optional.empty();
    }

    private static Optional<VerificationKey> of(JWK jwk, JWSAlgorithm algorithm, Key key) {
        boolean isForAnother = jwk.getAlgorithm() != null && !jwk.getAlgorithm().equals(algorithm);
        return isForAnother ? Optional.empty() : Optional.of(new VerificationKey(algorithm, jwk.getKeyID(), key));
    }

    private static boolean isForSignatures(JWK jwk) {
        return (jwk.getKeyUse() == null || jwk.getKeyUse().equals(KeyUse.SIGNATURE))
                && (jwk.getKeyOperations() == null || jwk.getKeyOperations().contains(KeyOperation.VERIFY));
    }

    private static void requireBits(JWK jwk, int least) {
        if (jwk.size() < least) {
            throw new ConfigException("the key \"%s\" must have at least %d bits: it has %d"
                    .formatted(jwk.getKeyID(), least, jwk.size()));
        }
    }
}
