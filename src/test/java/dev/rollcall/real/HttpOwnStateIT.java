package dev.rollcall.real;

import static dev.rollcall.real.RealContext.await;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What only a user's own devices and services read: the flag, and the live devices. */
@Timeout(120)
class HttpOwnStateIT {
    private static final String ALICE = "@alice:example.org";

    @RegisterExtension
    static final HttpExtension WITH_DEVICES =
            HttpExtension.with("http.jwt.key", HttpContext.KEY, "routing.enabled", "true");

    @RegisterExtension
    static final HttpExtension WITHOUT_DEVICES = HttpExtension.with();

    private final HttpContext phone = HttpContext.ofDevice(WITH_DEVICES.url(), ALICE, "phone");
    private final HttpContext service = HttpContext.ofService(WITH_DEVICES.url());
    private final HttpContext bob = HttpContext.ofDevice(WITH_DEVICES.url(), "@bob:example.org", "phone");

    @Test
    void shouldGiveTheFlagAndTheDevicesWhenTheUserIsHidden() {
        phone.setState(ALICE, "phone", "online");
        service.setState(ALICE, "desktop", "idle");
        phone.setAppearOffline(ALICE, true);

        awaitFlag(phone, true);
        awaitFlag(service, true);
        await().untilAsserted(
                        () -> assertThat(devices(phone)).containsExactlyInAnyOrder("phone online", "desktop idle"));
        assertThat(devices(service)).hasSize(2);

        phone.setAppearOffline(ALICE, false);
        service.setState(ALICE, "desktop", "online");

        awaitFlag(phone, false);
        await().untilAsserted(() -> assertThat(devices(phone)).contains("desktop online"));
    }

    @Test
    void shouldRefuseWhenTheTokenIsAnotherUsers() {
        bob.get(HttpContext.user(ALICE) + "/appear-offline").isRefused(403, "M_FORBIDDEN");
        bob.get(HttpContext.user(ALICE) + "/devices").isRefused(403, "M_FORBIDDEN");
    }

    @Test
    void shouldSayThatDevicesAreNotListedWhenTheyAreNot() {
        HttpContext http = WITHOUT_DEVICES.http();
        http.get(HttpContext.user(ALICE) + "/devices").isRefused(404, "M_NOT_FOUND");

        awaitFlag(http, false);
        http.setAppearOffline(ALICE, true);
        awaitFlag(http, true);
    }

    private static void awaitFlag(HttpContext http, boolean flag) {
        await().alias("the flag is " + flag)
                .atMost(RealContext.TIMEOUT)
                .untilAsserted(() -> assertThat(http.get(HttpContext.user(ALICE) + "/appear-offline")
                                .body())
                        .isEqualTo("{\"appear_offline\":" + flag + "}"));
    }

    private static List<String> devices(HttpContext http) {
        JsonNode answer = http.get(HttpContext.user(ALICE) + "/devices").isOk().json();
        return answer.path("devices")
                .valueStream()
                .map(device -> {
                    assertThat(device.path("lease_until").asLong())
                            .isGreaterThan(device.path("since").asLong());
                    return device.path("device_id").asText() + " "
                            + device.path("state").asText();
                })
                .toList();
    }
}
