package dev.rollcall.http.tokens;

import static dev.rollcall.http.tokens.RawTokens.HS256;
import static dev.rollcall.http.tokens.RawTokens.hmac;
import static dev.rollcall.http.tokens.RawTokens.signed;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.KeyUse;
import com.nimbusds.jose.jwk.OctetSequenceKey;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import dev.rollcall.config.ConfigException;
import dev.rollcall.config.RollcallConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The keys of tokens: several at once, public ones of an issuer, and how they are replaced. */
class TokenKeysTest {
    private static final String KEY = "a key that is for tests and for nothing else";
    private static final String CLAIMS = "{\"scope\":\"service\",\"exp\":9999999999}";
    private static final byte[] OLD = "the old secret, of at least 32 bytes".getBytes(UTF_8);
    private static final byte[] NEW = "the new secret, of at least 32 bytes".getBytes(UTF_8);

    private static RSAKey rsa;
    private static ECKey ec;

    @TempDir
    private Path dir;

    @BeforeAll
    static void makeKeys() throws Exception {
        rsa = new RSAKeyGenerator(2_048).keyID("r").generate();
        ec = new ECKeyGenerator(Curve.P_256).keyID("e").generate();
    }

    private TokenVerifier verifier(String... keysAndValues) {
        return new TokenVerifier(
                RollcallConfig.of(
                                keysAndValues.length == 0
                                        ? Map.of("http.jwt.jwks.file", file().toString())
                                        : Map.of(
                                                "http.jwt.jwks.file",
                                                file().toString(),
                                                keysAndValues[0],
                                                keysAndValues[1]))
                        .http()
                        .tokens(),
                InstantSource.system());
    }

    private Path file() {
        return dir.resolve("jwks.json");
    }

    private void write(JWK... keys) throws IOException {
        String all = Arrays.stream(keys).map(JWK::toJSONString).collect(Collectors.joining(","));
        Files.writeString(file(), "{\"keys\":[" + all + "]}");
    }

    private static JWK secret(String id, byte[] bytes) {
        return new OctetSequenceKey.Builder(bytes).keyID(id).build();
    }

    private static String named(String id, byte[] key) {
        return hmac("{\"alg\":\"HS256\",\"kid\":\"" + id + "\"}", CLAIMS, key);
    }

    private static void takes(TokenVerifier verifier, String token) {
        assertThatCode(() -> verifier.verify(token)).doesNotThrowAnyException();
    }

    private static void refuses(TokenVerifier verifier, String token) {
        assertThatThrownBy(() -> verifier.verify(token))
                .isInstanceOf(InvalidTokenException.class)
                .hasMessageContaining("no key here");
    }

    @Test
    void shouldTakeAnIssuersTokensWhenItsPublicKeysAreInTheFile() throws Exception {
        write(rsa.toPublicJWK(), ec.toPublicJWK());
        TokenVerifier verifier = verifier();
        takes(verifier, signed(rsa, CLAIMS));
        takes(verifier, signed(ec, CLAIMS));
        takes(verifier, signed(new RSAKey.Builder(rsa).keyID(null).build(), CLAIMS));
        refuses(verifier, signed(new RSAKeyGenerator(2_048).keyID("r").generate(), CLAIMS));
        refuses(verifier, signed(new RSAKey.Builder(rsa).keyID("e").build(), CLAIMS));
        refuses(verifier, signed(new RSAKey.Builder(rsa).keyID("unknown").build(), CLAIMS));
    }

    /** The attack takes the public key, which everybody has, for the secret of an HMAC. */
    @Test
    void shouldRefuseATokenWhenItIsAnHmacWithThePublicKey() throws Exception {
        write(rsa.toPublicJWK(), ec.toPublicJWK());
        TokenVerifier verifier = verifier("http.jwt.key", KEY);
        for (byte[] key : new byte[][] {
            rsa.toRSAPublicKey().getEncoded(),
            ec.toECPublicKey().getEncoded(),
            rsa.toPublicJWK().toJSONString().getBytes(UTF_8),
            rsa.getModulus().decode()
        }) {
            refuses(verifier, hmac(HS256, CLAIMS, key));
            refuses(verifier, named("r", key));
            refuses(verifier, named("e", key));
        }
    }

    @Test
    void shouldChooseByKidWhenThereAreSeveralSecrets() throws Exception {
        write(secret("old", OLD), secret("new", NEW));
        TokenVerifier verifier = verifier("http.jwt.key", KEY);
        takes(verifier, named("old", OLD));
        takes(verifier, named("new", NEW));
        refuses(verifier, named("old", NEW));
        refuses(verifier, named("old", KEY.getBytes(UTF_8)));
        takes(verifier, hmac(HS256, CLAIMS, OLD));
        takes(verifier, hmac(HS256, CLAIMS, NEW));
        takes(verifier, hmac(HS256, CLAIMS, KEY.getBytes(UTF_8)));
        takes(verifier, named("whatever", KEY.getBytes(UTF_8)));
        refuses(verifier, named("whatever", OLD));
    }

    @Test
    void shouldTakeTheNewKeysWhenTheFileIsReplaced() throws Exception {
        write(secret("old", OLD));
        TokenVerifier verifier = verifier();
        takes(verifier, named("old", OLD));

        write(secret("old", OLD), secret("new", NEW));
        await().atMost(Duration.ofSeconds(10)).untilAsserted(() -> takes(verifier, named("new", NEW)));
        takes(verifier, named("old", OLD));

        Path other = Files.writeString(
                dir.resolve("other"), "{\"keys\":[" + secret("new", NEW).toJSONString() + "]}");
        Files.move(other, file(), StandardCopyOption.REPLACE_EXISTING);
        await().atMost(Duration.ofSeconds(10)).untilAsserted(() -> refuses(verifier, named("old", OLD)));
        takes(verifier, named("new", NEW));
    }

    @Test
    void shouldKeepTheKeysWhenTheFileIsBrokenOrGoneAndReadTheNextOne() throws Exception {
        write(secret("old", OLD));
        TokenVerifier verifier = verifier();
        Files.writeString(file(), "{\"keys\":[{\"kty\":\"oct\",\"k\":");
        Thread.sleep(1_100);
        takes(verifier, named("old", OLD));
        Files.delete(file());
        Thread.sleep(1_100);
        takes(verifier, named("old", OLD));
        write(secret("new", NEW));
        await().atMost(Duration.ofSeconds(10)).untilAsserted(() -> takes(verifier, named("new", NEW)));
        refuses(verifier, named("old", OLD));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{}",
                "[]",
                "null",
                "{\"keys\":[]}",
                "{\"keys\":[7]}",
                "{\"keys\":[{\"kty\":\"oct\",\"k\":\"aHVzaA\"}]}",
                "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"hush\"}]}",
                "{\"keys\":[{\"kty\":\"XYZ\"}]}",
            })
    void shouldNotStartAndSayNothingOfItsContentsWhenTheFileHasNoKeys(String content) throws IOException {
        Files.writeString(file(), content);
        assertThatThrownBy(this::verifier)
                .isInstanceOf(ConfigException.class)
                .hasMessageStartingWith("http.jwt.jwks.file cannot be used")
                .hasMessageNotContainingAny("aHVzaA", "hush");
    }

    @Test
    void shouldNotStartWhenThereIsNoFileOrAKeyIsWeak() throws Exception {
        assertThatThrownBy(this::verifier)
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("it cannot be read");
        write(new RSAKeyGenerator(1_024, true).keyID("weak").generate().toPublicJWK());
        assertThatThrownBy(this::verifier)
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("\"weak\" must have at least 2048 bits");
    }

    @Test
    void shouldPassOverKeysWhenTheyAreForSomethingElse() throws Exception {
        JWK encrypts = new RSAKey.Builder(rsa).keyUse(KeyUse.ENCRYPTION).build();
        JWK another = new RSAKey.Builder(rsa).algorithm(JWSAlgorithm.PS256).build();
        JWK curve = new ECKeyGenerator(Curve.P_384).keyID("c").generate();
        write(encrypts.toPublicJWK(), another.toPublicJWK(), curve.toPublicJWK());
        assertThatThrownBy(this::verifier)
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("it has no key for signatures with RS256, ES256 (P-256) or HS256");
        write(encrypts.toPublicJWK(), another.toPublicJWK(), curve.toPublicJWK(), ec.toPublicJWK());
        takes(verifier(), signed(ec, CLAIMS));
        refuses(verifier(), signed(rsa, CLAIMS));
    }
}
