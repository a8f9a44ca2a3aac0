package dev.rollcall.http.tokens;

import static dev.rollcall.http.tokens.RawTokens.HS256;
import static dev.rollcall.http.tokens.RawTokens.encode;
import static dev.rollcall.http.tokens.RawTokens.hmac;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.config.TokenSettings;
import dev.rollcall.domain.UserId;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a token must be, with one secret key. It is the second 1000. */
class TokenVerifierTest {
    private static final String KEY = "a key that is for tests and for nothing else";
    private static final byte[] BYTES = KEY.getBytes(UTF_8);
    private static final InstantSource NOW = InstantSource.fixed(Instant.ofEpochSecond(1_000));
    private static final String VALID = "{\"sub\":\"@a:b\",\"device_id\":\"d\",\"exp\":2000}";

    private final TokenVerifier verifier = new TokenVerifier(settings(), NOW);

    private static TokenSettings settings(String... keysAndValues) {
        Map<String, String> all = new HashMap<>(Map.of("http.jwt.key", KEY));
        for (int i = 0; i < keysAndValues.length; i += 2) {
            all.put(keysAndValues[i], keysAndValues[i + 1]);
        }
        return RollcallConfig.of(all).http().tokens();
    }

    private Token verify(String claims) throws InvalidTokenException {
        return verifier.verify(hmac(HS256, claims, BYTES));
    }

    private void refuses(String token, String why) {
        assertThatThrownBy(() -> verifier.verify(token))
                .as(token)
                .isInstanceOf(InvalidTokenException.class)
                .hasMessageContaining(why)
                .hasMessageMatching("[\\x20-\\x7e&&[^\"\\\\]]+"); // or it could not be quoted in a header
    }

    @Test
    void shouldSayWhoCallsAndForHowLongWhenATokenIsValid() throws InvalidTokenException {
        assertThat(verify(VALID)).isEqualTo(new Token.OfDevice("@a:b", "d", Instant.ofEpochSecond(2_005)));
        assertThat(verify("{\"scope\":\"service\",\"exp\":1e3}"))
                .isInstanceOf(Token.OfService.class)
                .extracting(Token::validUntil)
                .isEqualTo(Instant.ofEpochSecond(1_005));
        assertThat(verify("{\"scope\":\"openid service\",\"exp\":2000.5}"))
                .isInstanceOf(Token.OfService.class)
                .extracting(Token::validUntil)
                .isEqualTo(Instant.ofEpochMilli(2_005_500));
    }

    @Test
    void shouldTakeWhatItMakes() throws InvalidTokenException {
        TokenSettings settings = settings("http.jwt.issuer", "https://issuer.example", "http.jwt.audience", "rollcall");
        TokenVerifier strict = new TokenVerifier(settings, NOW);
        TokenSigner signer = new TokenSigner(settings);
        Instant expiry = Instant.ofEpochSecond(2_000);
        assertThat(strict.verify(signer.forDevice(UserId.of("@a:b"), "d", expiry)))
                .isEqualTo(new Token.OfDevice("@a:b", "d", expiry.plusSeconds(5)));
        assertThat(strict.verify(signer.forService(expiry)))
                .isInstanceOf(Token.OfService.class)
                .extracting(Token::validUntil)
                .isEqualTo(expiry.plusSeconds(5));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "'sub':'u','device_id':'d' | exp is missing",
                "'sub':'u','device_id':'d','exp':null | exp must be a number",
                "'sub':'u','device_id':'d','exp':'2000' | exp must be a number",
                "'sub':'u','device_id':'d','exp':true | exp must be a number",
                "'sub':'u','device_id':'d','exp':[2000] | exp must be a number",
                "'sub':'u','device_id':'d','exp':1e300 | exp must be a number",
                "'sub':'u','device_id':'d','exp':99999999999999999999 | exp must be a number",
                "'sub':'u','device_id':'d','exp':995 | has expired (exp)",
                "'sub':'u','device_id':'d','exp':-1 | has expired (exp)",
                "'sub':'u','device_id':'d','exp':2000,'iat':1006 | iat is in the future",
                "'sub':'u','device_id':'d','exp':2000,'nbf':1006 | nbf is in the future",
                "'sub':'u','device_id':'d','exp':2000,'iat':null | iat must be a number",
                "'sub':'u','device_id':'d','exp':2000,'nbf':'1' | nbf must be a number",
                "'sub':7,'device_id':'d','exp':2000 | sub must be a string",
                "'sub':null,'device_id':'d','exp':2000 | sub must be a string",
                "'sub':['u'],'device_id':'d','exp':2000 | sub must be a string",
                "'device_id':'d','exp':2000 | sub is missing",
                "'sub':'u','device_id':7,'exp':2000 | device_id must be a string",
                "'sub':'u','device_id':{},'exp':2000 | device_id must be a string",
                "'sub':'u','exp':2000 | device_id is missing",
                "'sub':'u','device_id':'d','exp':2000,'scope':['service'] | scope must be a string",
                "'sub':'u','device_id':'d','exp':2000,'iss':7 | iss must be a string",
                "'sub':'u','device_id':'d','exp':2000,'aud':'other' | aud says that the token is for somebody else",
                "'sub':'u','device_id':'d','exp':2000,'aud':[7] | aud must be a string",
                "'sub':'u','device_id':'d','exp':2000,'aud':null | aud must be a string",
                "'sub':'u','device_id':'d','exp':1,'exp':2000 | not one JSON object",
            })
    void shouldSayWhyWhenAClaimIsNotWhatItMustBe(String claims, String why) {
        refuses(hmac(HS256, "{" + claims.replace('\'', '"') + "}", BYTES), why);
    }

    @ParameterizedTest
    @ValueSource(strings = {"[]", "null", "7", "", "{", "{} {}"})
    void shouldRefuseClaimsWhenTheyAreNoObject(String claims) {
        refuses(hmac(HS256, claims, BYTES), "");
    }

    @Test
    void shouldTellServicesTokensApartAndNotTheWaysToWriteOneDown() throws InvalidTokenException {
        String token = hmac(HS256, "{\"scope\":\"service\",\"exp\":2000}", BYTES);
        String otherBits = token.substring(0, token.length() - 1) + (char) (token.charAt(token.length() - 1) + 1);
        for (String written : new String[] {otherBits, token + "=", token + "==", token + "!", " " + token}) {
            assertThat(verifier.verify(written)).as(written).isEqualTo(verifier.verify(token));
        }
        assertThat(verify("{\"scope\":\"service\",\"exp\":2000,\"sub\":\"other\"}"))
                .isNotEqualTo(verifier.verify(token));
    }

    @Test
    void shouldAllowForClocksThatDiffer() throws InvalidTokenException {
        assertThat(verify("{\"scope\":\"service\",\"exp\":996,\"iat\":1005,\"nbf\":1005}"))
                .extracting(Token::validUntil)
                .isEqualTo(Instant.ofEpochSecond(1_001));
    }

    @Test
    void shouldBeForUsWhenIssuerAndAudienceAreConfigured() throws InvalidTokenException {
        TokenVerifier strict =
                new TokenVerifier(settings("http.jwt.issuer", "https://i", "http.jwt.audience", "rollcall"), NOW);
        String right = "{\"scope\":\"service\",\"exp\":2000,\"iss\":\"https://i\",\"aud\":[\"x\",\"rollcall\"]}";
        assertThat(strict.verify(hmac(HS256, right, BYTES))).isInstanceOf(Token.OfService.class);
        for (String wrong : new String[] {
            right.replace("https://i", "https://i/"),
            right.replace("\"iss\"", "\"is\""),
            right.replace("rollcall", "rollcal"),
            right.replace("\"aud\"", "\"au\"")
        }) {
            assertThatThrownBy(() -> strict.verify(hmac(HS256, wrong, BYTES)))
                    .as(wrong)
                    .isInstanceOf(InvalidTokenException.class)
                    .hasMessageContaining("expected here");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"[\"exp\"]", "[\"b64\"],\"b64\":false", "[\"b64\"],\"b64\":true", "[\"x\"],\"x\":1", "[]"})
    void shouldRefuseATokenWhenItNeedsAnExtension(String crit) {
        refuses(hmac("{\"alg\":\"HS256\",\"crit\":" + crit + "}", VALID, BYTES), "");
    }

    @ParameterizedTest
    @ValueSource(strings = {"none", "None", "HS384", "HS512", "RS256", "ES256", "PS256", "dir", "", "hs256"})
    void shouldRefuseATokenWhenItsAlgorithmIsNotTheKeys(String algorithm) {
        String header = "{\"alg\":\"" + algorithm + "\"}";
        refuses(hmac(header, VALID, BYTES), "");
        refuses(encode(header.getBytes(UTF_8)) + "." + encode(VALID.getBytes(UTF_8)) + ".", "");
    }

    @Test
    void shouldRefuseATokenWhenItBringsItsOwnKey() throws Exception {
        var own = new ECKeyGenerator(Curve.P_256).keyID("mine").generate();
        String header = "{\"alg\":\"ES256\",\"jwk\":" + own.toPublicJWK().toJSONString() + "}";
        String signed = RawTokens.signed(own, VALID);
        refuses(signed, "no key here");
        refuses(encode(header.getBytes(UTF_8)) + signed.substring(signed.indexOf('.')), "no key here");
    }

    @Test
    void shouldRefuseATokenWhenItIsNotSignedWithTheKey() {
        refuses(hmac(HS256, VALID, "another key that nobody knows here, either".getBytes(UTF_8)), "no key here");
        String right = hmac(HS256, VALID, BYTES);
        refuses(right.substring(0, right.lastIndexOf('.') + 1), "");
        refuses(right.replaceFirst("\\.", ".e30"), "");
        refuses(right + ".", "");
        refuses("a.b.c", "not a signed JWT");
        refuses("", "not a signed JWT");
        refuses("x".repeat(8_193), "longer than 8192 characters");
    }

    @Test
    void shouldRefuseATokenWhenItIsOfAnotherType() throws InvalidTokenException {
        refuses(hmac("{\"alg\":\"HS256\",\"typ\":\"secevent+jwt\"}", VALID, BYTES), "typ");
        for (String type : new String[] {"JWT", "jwt", "at+jwt"}) {
            String token = hmac("{\"alg\":\"HS256\",\"typ\":\"" + type + "\"}", VALID, BYTES);
            assertThat(verifier.verify(token)).isInstanceOf(Token.OfDevice.class);
        }
    }

    @Test
    void shouldRefuseClaimsWhenTheyAreNotUtf8AndRepairNone() {
        refuses(hmac(HS256.getBytes(UTF_8), VALID.replace("@a", "\u00e9").getBytes(ISO_8859_1), BYTES), "in UTF-8");
    }

    @Test
    void shouldRefuseAndNotFailWhenAHeaderIsHostile() {
        for (String header : new String[] {
            "null",
            "[]",
            "7",
            "{\"alg\":null}",
            "{\"alg\":7}",
            "{\"alg\":\"HS256\",\"kid\":7}",
            "{\"alg\":\"HS256\",\"jwk\":{}}",
            "{\"alg\":\"HS256\",\"jwk\":null,\"x5c\":[null]}",
            "{\"alg\":\"HS256\",\"x5u\":\"::\"}",
            "{\"alg\":\"HS256\",\"b64\":\"x\"}",
            "{\"alg\":\"HS256\",\"crit\":7}",
            "{\"alg\":\"HS256\",\"a\":" + "[".repeat(2_900)
        }) {
            refuses(hmac(header, VALID, BYTES), "");
        }
    }

    @Test
    void shouldRefuseAndNotFailWhateverATokenIs() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        for (int i = 0; i < 20_000; i++) {
            String right = hmac("{\"alg\":\"HS256\",\"kid\":\"a\",\"typ\":\"JWT\"}", VALID, BYTES);
            StringBuilder token = new StringBuilder(right.substring(0, right.lastIndexOf('.')));
            token.setCharAt(random.nextInt(token.length()), (char) random.nextInt(33, 127));
            if (random.nextBoolean()) {
                token.insert(random.nextInt(token.length()), (char) random.nextInt(0x3000));
            }
            String text = token + right.substring(right.lastIndexOf('.'));
            if (!text.equals(right)) {
                assertThatThrownBy(() -> verifier.verify(text))
                        .as("seed %d: %s", seed, text)
                        .isInstanceOf(InvalidTokenException.class);
            }
        }
    }
}
