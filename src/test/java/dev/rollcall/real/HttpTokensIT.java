package dev.rollcall.real;

import static dev.rollcall.real.HttpContext.device;
import static dev.rollcall.real.HttpContext.user;
import static dev.rollcall.real.RealContext.await;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import dev.rollcall.domain.UserId;
import dev.rollcall.http.tokens.RawTokens;
import java.nio.file.Files;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The HTTP edge with tokens: who may do what. */
@Timeout(120)
class HttpTokensIT {
    private static final String ALICE = "@alice:example.org";
    private static final String BOB = "@bob:example.org";
    private static final String ONLINE = "{\"state\":\"online\"}";
    private static final byte[] KEY_BYTES = HttpContext.KEY.getBytes(UTF_8);
    private static final RSAKey RSA =
            make(() -> new RSAKeyGenerator(2_048).keyID("r").generate());
    private static final ECKey EC =
            make(() -> new ECKeyGenerator(Curve.P_256).keyID("e").generate());

    @RegisterExtension
    static final HttpExtension EDGE = HttpExtension.with(
            "http.host",
            "0.0.0.0", // which is allowed with a key
            "http.jwt.key",
            HttpContext.KEY,
            "http.cors.origins",
            "https://chat.example.org",
            "http.jwt.jwks.file",
            make(() -> Files.writeString(
                            Files.createTempFile("jwks", ".json"), new JWKSet(List.of(RSA, EC)).toString(true)))
                    .toString(),
            "http.simulation.enabled",
            "false");

    private static <T> T make(Callable<T> something) {
        try {
            return something.call();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private final String url = EDGE.url();

    @Test
    void shouldActForItselfOnlyWhenADeviceHasAToken() {
        HttpContext phone = HttpContext.ofDevice(url, ALICE, "phone");
        phone.put(device(ALICE, "phone") + "/presence", ONLINE).isOk();
        phone.put(user(ALICE) + "/status", "{\"text\":\"hello\"}").isOk();
        phone.awaitState(ALICE, "online");
        phone.put(device(ALICE, "laptop") + "/presence", ONLINE).isRefused(403, "M_FORBIDDEN");
        phone.put(device(BOB, "phone") + "/presence", ONLINE).isRefused(403, "M_FORBIDDEN");
        phone.delete(device(BOB, "phone") + "/presence").isRefused(403, "M_FORBIDDEN");
        phone.delete(device(ALICE, "laptop") + "/presence").isRefused(403, "M_FORBIDDEN");
        phone.get(device(BOB, "phone") + "/events").isRefused(403, "M_FORBIDDEN");
        phone.get(device(ALICE, "laptop") + "/events").isRefused(403, "M_FORBIDDEN");
        phone.put(user(BOB) + "/status", "{\"text\":\"hello\"}").isRefused(403, "M_FORBIDDEN");
        phone.put(user(BOB) + "/appear-offline", "{\"appear_offline\":true}").isRefused(403, "M_FORBIDDEN");
        phone.put("/v2/simulation", "{\"users\":1}").isRefused(403, "M_FORBIDDEN");
        phone.delete("/v2/simulation").isRefused(403, "M_FORBIDDEN");
        phone.put("/_matrix/client/v3/presence/" + HttpContext.encode(BOB) + "/status", "{\"presence\":\"online\"}")
                .isRefused(403, "M_FORBIDDEN");
    }

    @Test
    void shouldReadEverybodyWhenATokenIsValid() {
        HttpContext phone = HttpContext.ofDevice(url, ALICE, "phone");
        assertThat(phone.presence("@x:example.org").path("state").asText()).isEqualTo("unknown");
        phone.post("/v2/presence/query", "{\"user_ids\":[\"@bob:example.org\"]}")
                .isOk();
    }

    @Test
    void shouldActForEverybodyWhenAServiceHasAToken() {
        HttpContext service = HttpContext.ofService(url);
        service.put(device(BOB, "phone") + "/presence", ONLINE).isOk();
        service.awaitState(BOB, "online");
    }

    @Test
    void shouldRefuseAndSayWhyWhenATokenIsNotValid() {
        String device = "\"device_id\":\"phone\",";
        Map<String, String> reasons = new LinkedHashMap<>();
        reasons.put("nonsense", "the token is not a signed JWT");
        reasons.put("a.b.c", "the token is not a signed JWT");
        reasons.put("x".repeat(9_000), "the token is longer than 8192 characters");
        reasons.put(token("\"sub\":\"u\"," + device + "\"exp\":null"), "exp must be a number, in seconds since 1970");
        reasons.put(token("\"sub\":\"u\"," + device + "\"exp\":1"), "the token has expired (exp)");
        reasons.put(token("\"sub\":7," + device + "\"exp\":" + soon()), "sub must be a string");
        reasons.put(
                token("\"sub\":\"u\"," + device + "\"exp\":" + soon() + ",\"iat\":" + soon()),
                "the token is not valid yet: iat is in the future by the clock of this server");
        reasons.put(
                token("\"sub\":\"" + "x".repeat(256) + "\"," + device + "\"exp\":" + soon()),
                "sub or device_id cannot be used: a user id must be 1 to 255 bytes of UTF-8: it has 256");
        reasons.put(
                token("\"sub\":\"a\\u0000b\"," + device + "\"exp\":" + soon()),
                "sub or device_id cannot be used: a user id must not have a NUL in it");
        reasons.put(
                token("\"sub\":\"a\\ud800b\"," + device + "\"exp\":" + soon()),
                "sub or device_id cannot be used: a user id is not well-formed Unicode");
        reasons.put(
                token("\"sub\":\"u\",\"device_id\":\"\",\"exp\":" + soon()),
                "sub or device_id cannot be used: a device id must be 1 to 255 bytes of UTF-8: it has 0");
        reasons.put(
                RawTokens.hmac("{\"alg\":\"HS256\",\"crit\":[\"x\"],\"x\":1}", "{\"exp\":" + soon() + "}", KEY_BYTES),
                "the token needs an extension that is not understood here (crit)");
        reasons.put(
                RawTokens.hmac(
                        RawTokens.HS256,
                        "{\"exp\":" + soon() + "}",
                        "x".repeat(40).getBytes(UTF_8)),
                "no key here verifies the token: its algorithm, kid, typ or signature");
        reasons.forEach((token, why) -> {
            HttpContext.Answer answer = HttpContext.withToken(url, token)
                    .get(user(ALICE) + "/presence")
                    .isRefused(401, "M_UNKNOWN_TOKEN");
            assertThat(answer.json().path("error").asText()).isEqualTo(why);
            assertThat(challenge(answer))
                    .isEqualTo("Bearer realm=\"rollcall\", error=\"invalid_token\", error_description=\"%s\""
                            .formatted(why));
        });
    }

    private static String token(String claims) {
        return RawTokens.hmac(RawTokens.HS256, "{" + claims + "}", KEY_BYTES);
    }

    private static long soon() {
        return Instant.now().getEpochSecond() + 600;
    }

    private static String challenge(HttpContext.Answer answer) {
        List<String> all = answer.response().headers().allValues("WWW-Authenticate");
        assertThat(all).hasSize(1);
        return all.get(0);
    }

    @Test
    void shouldTakeAnIssuersTokenWhenItsPublicKeyIsInTheFile() {
        String claims = "{\"sub\":\"%s\",\"device_id\":\"phone\",\"exp\":%d}".formatted(ALICE, soon());
        for (JWK key : List.of(RSA, EC)) {
            HttpContext phone = HttpContext.withToken(url, RawTokens.signed(key, claims));
            phone.put(user(ALICE) + "/status", "{\"text\":\"hello\"}").isOk();
            phone.put(user(BOB) + "/status", "{\"text\":\"hello\"}").isRefused(403, "M_FORBIDDEN");
        }
    }

    @Test
    void shouldSayThatAnotherTokenIsNeededWhenOneDoesNotAllowIt() {
        HttpContext phone = HttpContext.ofDevice(url, ALICE, "phone");
        assertThat(challenge(phone.put(user(BOB) + "/status", "{\"text\":\"hello\"}")))
                .isEqualTo("Bearer realm=\"rollcall\", error=\"insufficient_scope\","
                        + " error_description=\"this token is another user's\"");
        assertThat(challenge(EDGE.http().get(user(ALICE) + "/presence")))
                .as("no error where there was no token")
                .isEqualTo("Bearer realm=\"rollcall\"");
    }

    @Test
    void shouldRefuseARequestWhenItsTokenIsInTheUrlOrThereAreTwo() {
        HttpContext phone = HttpContext.ofDevice(url, ALICE, "phone");
        for (String query : List.of("?access_token=x", "?a=b&access_token=")) {
            for (HttpContext caller : List.of(EDGE.http(), phone)) {
                HttpContext.Answer answer =
                        caller.get(user(ALICE) + "/presence" + query).isRefused(400, "M_INVALID_PARAM");
                assertThat(challenge(answer)).contains("error=\"invalid_request\"", "not in the URL");
            }
        }
        HttpContext.Answer two = phone.get(user(ALICE) + "/presence", "Authorization", "Bearer x")
                .isRefused(400, "M_INVALID_PARAM");
        assertThat(challenge(two)).contains("error=\"invalid_request\"", "one Authorization header");
    }

    @Test
    void shouldEndAStreamAndSayWhyWhenItsTokenExpires() {
        HttpContext tab = HttpContext.withToken(
                url,
                HttpContext.TOKENS.forDevice(
                        UserId.of(ALICE), "tab", Instant.now().minusSeconds(2)));
        try (var stream = tab.open(device(ALICE, "tab") + "/events?users=")) { // within the leeway of 5 s
            RealContext.sleep(Duration.ofSeconds(1));
            assertThat(stream.hasEnded()).isFalse();
            await().atMost(Duration.ofSeconds(6)).until(stream::hasEnded);
            JsonNode last = stream.events().get(stream.events().size() - 1);
            assertThat(last.path("errcode").asText()).isEqualTo("M_UNKNOWN_TOKEN");
            assertThat(last.path("error").asText()).contains("expired");
            assertThat(stream.lastEvent()).isEqualTo("end");
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        tab.get(device(ALICE, "tab") + "/events?users=").isRefused(401, "M_UNKNOWN_TOKEN");
    }

    @Test
    void shouldEndAStreamAtItsTimeAndSayNothingWhenItsTokenLastsLonger() {
        HttpContext tab = HttpContext.ofDevice(url, ALICE, "short");
        try (var stream = tab.open(device(ALICE, "short") + "/events?users=&timeout=1000")) {
            await().atMost(Duration.ofSeconds(6)).until(stream::hasEnded);
            assertThat(stream.lastEvent()).isEqualTo("presence");
        }
    }

    @Test
    void shouldRefuseALongPollWhenItsTokenExpiresMeanwhile() {
        HttpContext app = HttpContext.withToken(
                url,
                HttpContext.TOKENS.forDevice(
                        UserId.of(ALICE), "app", Instant.now().minusSeconds(2)));
        String path = device(ALICE, "app") + "/events?timeout=30000&users=" + HttpContext.encode("@none:example.org");
        String token = app.poll(path).path("next_batch").asText();
        HttpContext.Answer answer = app.get(
                        path + "&next_batch=" + HttpContext.encode(token), "Accept", "application/json")
                .isRefused(401, "M_UNKNOWN_TOKEN");
        assertThat(challenge(answer)).contains("error=\"invalid_token\"", "come back with a new one");
    }

    @Test
    void shouldNotSimulateWhenItIsSwitchedOff() {
        HttpContext service = HttpContext.ofService(url);
        for (String method : List.of("GET", "PUT", "DELETE")) {
            HttpContext.Answer answer = service.send(
                            method, "/v2/simulation", method.equals("PUT") ? "{\"users\":1}" : null)
                    .isRefused(403, "M_FORBIDDEN");
            assertThat(answer.body()).contains("http.simulation.enabled=true");
        }
    }

    @Test
    void shouldRefuseWhenThereIsNoToken() {
        HttpContext nobody = EDGE.http();
        nobody.get(user(ALICE) + "/presence").isRefused(401, "M_MISSING_TOKEN");
        nobody.get(user(ALICE) + "/presence", "Authorization", "Basic eDp5").isRefused(401, "M_MISSING_TOKEN");
        nobody.put(device(ALICE, "phone") + "/presence", ONLINE).isRefused(401, "M_MISSING_TOKEN");
        nobody.delete(device(ALICE, "phone") + "/presence").isRefused(401, "M_MISSING_TOKEN");
        nobody.get(device(ALICE, "phone") + "/events").isRefused(401, "M_MISSING_TOKEN");
        nobody.put(user(ALICE) + "/status", "{}").isRefused(401, "M_MISSING_TOKEN");
        nobody.put(user(ALICE) + "/appear-offline", "{}").isRefused(401, "M_MISSING_TOKEN");
        nobody.post("/v2/presence/query", "{}").isRefused(401, "M_MISSING_TOKEN");
        nobody.get("/_matrix/client/v3/presence/a/status").isRefused(401, "M_MISSING_TOKEN");
    }

    @Test
    void shouldAllowThePagesThatAreNamedAndNoOthers() {
        HttpContext phone = HttpContext.ofDevice(url, ALICE, "phone");
        HttpContext.Answer named = phone.get(user(ALICE) + "/presence", "Origin", "https://chat.example.org")
                .isOk();
        assertThat(named.response().headers().firstValue("Access-Control-Allow-Origin"))
                .hasValue("https://chat.example.org");
        HttpContext.Answer preflight =
                EDGE.http().send("OPTIONS", user(ALICE) + "/status", null, "Origin", "https://chat.example.org");
        assertThat(preflight.status()).isEqualTo(204);
        assertThat(preflight.response().headers().firstValue("Access-Control-Allow-Methods"))
                .hasValue("PUT");
        HttpContext.Answer other = phone.get(user(ALICE) + "/presence", "Origin", "https://evil.example")
                .isOk();
        assertThat(other.response().headers().firstValue("Access-Control-Allow-Origin"))
                .isEmpty();
    }
}
