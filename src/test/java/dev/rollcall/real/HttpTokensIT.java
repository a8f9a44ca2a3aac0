package dev.rollcall.real;

import static dev.rollcall.real.HttpContext.device;
import static dev.rollcall.real.HttpContext.user;
import static org.assertj.core.api.Assertions.assertThat;

import com.auth0.jwt.JWT;
import com.auth0.jwt.algorithms.Algorithm;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The HTTP edge with tokens: who may do what. */
@Timeout(120)
class HttpTokensIT {
    private static final String ALICE = "@alice:example.org";
    private static final String BOB = "@bob:example.org";
    private static final String ONLINE = "{\"state\":\"online\"}";
    private static final Algorithm RIGHT = Algorithm.HMAC256(HttpContext.KEY);

    @RegisterExtension
    static final HttpExtension EDGE = HttpExtension.with(
            "http.host",
            "0.0.0.0", // which is allowed with a key
            "http.jwt.key",
            HttpContext.KEY,
            "http.cors.origins",
            "https://chat.example.org");

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
    void shouldRefuseWhenThereIsNoValidToken() {
        long soon = Instant.now().getEpochSecond() + 600;
        String signed = JWT.create()
                .withSubject(ALICE)
                .withClaim("device_id", "phone")
                .withExpiresAt(Instant.ofEpochSecond(soon))
                .sign(RIGHT);
        List<String> invalid = List.of(
                "nonsense",
                "a.b.c",
                signed + "x",
                signed.substring(0, signed.lastIndexOf('.') + 1),
                JWT.create().withSubject(ALICE).withClaim("device_id", "phone").sign(RIGHT),
                JWT.create()
                        .withSubject(ALICE)
                        .withClaim("device_id", "phone")
                        .withExpiresAt(Instant.ofEpochSecond(1))
                        .sign(RIGHT),
                JWT.create()
                        .withSubject(ALICE)
                        .withClaim("device_id", "phone")
                        .withExpiresAt(Instant.ofEpochSecond(soon))
                        .sign(Algorithm.none()),
                JWT.create()
                        .withSubject(ALICE)
                        .withClaim("device_id", "phone")
                        .withExpiresAt(Instant.ofEpochSecond(soon))
                        .sign(Algorithm.HMAC256("another key that nobody knows here, either")),
                JWT.create()
                        .withSubject(ALICE)
                        .withExpiresAt(Instant.ofEpochSecond(soon))
                        .sign(RIGHT),
                JWT.create()
                        .withClaim("device_id", "phone")
                        .withExpiresAt(Instant.ofEpochSecond(soon))
                        .sign(RIGHT),
                JWT.create()
                        .withSubject("x".repeat(256))
                        .withClaim("device_id", "phone")
                        .withExpiresAt(Instant.ofEpochSecond(soon))
                        .sign(RIGHT),
                "x".repeat(5_000));
        for (String token : invalid) {
            HttpContext.Answer answer = HttpContext.withToken(url, token)
                    .get(user(ALICE) + "/presence")
                    .isRefused(401, "M_UNKNOWN_TOKEN");
            assertThat(answer.response().headers().firstValue("WWW-Authenticate"))
                    .hasValue("Bearer");
        }
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
