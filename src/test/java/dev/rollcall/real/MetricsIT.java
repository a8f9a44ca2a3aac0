package dev.rollcall.real;

import static dev.rollcall.domain.PresenceState.OFFLINE;
import static dev.rollcall.domain.PresenceState.ONLINE;
import static dev.rollcall.real.RealContext.await;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.domain.Rejection.Reason;
import dev.rollcall.real.HttpContext.Answer;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What Prometheus reads: the values follow what happens, and every metric is there from the start. */
@Timeout(180)
class MetricsIT {
    @RegisterExtension
    static final HttpExtension ROLLCALL = HttpExtension.with(
            "http.jwt.key",
            HttpContext.KEY,
            "http.health.port",
            "0",
            "http.service.writes.per.s",
            "1",
            "device.lease.ms", // nobody leaves meanwhile
            "3600000");

    private static final List<String> FROM_THE_START = List.of(
            "rollcall_build_info",
            "rollcall_ready",
            "rollcall_running",
            "rollcall_commit_age_seconds",
            "rollcall_restore_remaining",
            "rollcall_restore_rate",
            "rollcall_thread_failures_total",
            "rollcall_producer_errors_total",
            "rollcall_feed_up",
            "rollcall_feed_lag",
            "rollcall_feed_stalled_seconds",
            "rollcall_input_records_total",
            "rollcall_records_rerouted_total",
            "rollcall_stamp_steps_back_total",
            "rollcall_sessions_earlier_total",
            "rollcall_users_hidden",
            "rollcall_users_in_memory",
            "rollcall_devices_live",
            "rollcall_sessions_open",
            "rollcall_shards_held",
            "rollcall_expiry_behind_seconds",
            "rollcall_expiry_lateness_seconds_count",
            "rollcall_http_streams",
            "rollcall_http_limited_total{of=\"writes\"}",
            "rollcall_http_limited_total{of=\"ids\"}",
            "rollcall_clock_lag_seconds{partition=\"0\"}",
            "rollcall_presence_transitions_total{from=\"online\",to=\"offline\"}",
            "jvm_memory_used_bytes");

    @Test
    void shouldShowWhatHappens() throws Exception {
        RealContext kafka = ROLLCALL.kafka();
        kafka.heartbeat("@counted:example.org", "phone");
        kafka.heartbeat("@hiding:example.org", "phone");
        kafka.awaitState(List.of("@counted:example.org", "@hiding:example.org"), ONLINE);
        kafka.hide("@hiding:example.org");
        kafka.awaitState(List.of("@hiding:example.org"), OFFLINE);

        await().untilAsserted(() -> {
            Map<String, Double> now = metrics();
            assertThat(now)
                    .containsEntry("rollcall_presence_transitions_total{from=\"none\",to=\"online\"}", 2.0)
                    .containsEntry("rollcall_presence_transitions_total{from=\"online\",to=\"offline\"}", 1.0)
                    .containsEntry("rollcall_users{state=\"online\"}", 1.0)
                    .containsEntry("rollcall_users{state=\"offline\"}", 1.0)
                    .containsEntry("rollcall_users{state=\"idle\"}", 0.0)
                    .containsEntry("rollcall_users_hidden", 1.0)
                    .containsEntry("rollcall_devices_live", 2.0)
                    .containsEntry("rollcall_users_in_memory", 2.0)
                    .containsEntry("rollcall_ready", 1.0)
                    .containsEntry("rollcall_feed_up", 1.0);
            assertThat(now.get("rollcall_clock_lag_seconds{partition=\"0\"}")).isLessThan(10);
            assertThat(now.get("rollcall_commit_age_seconds")).isLessThan(10);
        });
        Map<String, Double> all = metrics();
        for (Reason reason : Reason.values()) {
            assertThat(all)
                    .containsEntry(
                            "rollcall_records_refused_total{reason=\"%s\"}"
                                    .formatted(reason.name().toLowerCase(Locale.ROOT)),
                            0.0);
        }
        assertThat(FROM_THE_START)
                .allSatisfy(name -> assertThat(all.keySet())
                        .as(name)
                        .anyMatch(found -> found.equals(name) || found.startsWith(name + "{")));

        HttpContext device = HttpContext.ofDevice(ROLLCALL.url(), "@leaving:example.org", "phone");
        String own = "/v2/users/@leaving:example.org/devices/phone/presence";
        device.put(own, "{\"state\": \"online\", \"lease_ms\": 1000}").isOk();
        kafka.awaitState(List.of("@leaving:example.org"), OFFLINE);
        await().untilAsserted(() -> {
            assertThat(metrics().get("rollcall_expiry_lateness_seconds_count")).isEqualTo(1);
            assertThat(metrics().get("rollcall_expiry_lateness_seconds_bucket{le=\"10.0\"}"))
                    .isEqualTo(1);
        });
        assertThat(metrics().keySet())
                .anyMatch(name -> name.startsWith("rollcall_http_requests_seconds_count{code=\"200\",method=\"PUT\","
                        + "route=\"/v2/users/{user_id}/devices/{device_id}/presence\"}"));
    }

    @Test
    void shouldCountWhatIsRefusedForBeingTooMuch() throws Exception {
        HttpContext service = HttpContext.ofService(ROLLCALL.url());
        double before = metrics().get("rollcall_http_limited_total{of=\"writes\"}");
        long refused = 0;
        for (int i = 0; i < 30; i++) {
            refused += service.put("/v2/users/@written:example.org/status", "{\"text\": \"\"}") // nothing to publish
                                    .status()
                            == 429
                    ? 1
                    : 0;
        }

        assertThat(refused).isPositive();
        assertThat(metrics().get("rollcall_http_limited_total{of=\"writes\"}") - before)
                .isEqualTo((double) refused);
    }

    @Test
    void shouldBeForServicesOrForTheOtherPort() {
        ROLLCALL.http().get("/metrics").isRefused(401, "M_MISSING_TOKEN");
        HttpContext.ofDevice(ROLLCALL.url(), "@a:example.org", "phone")
                .get("/metrics")
                .isRefused(403, "M_FORBIDDEN");
        Answer answer = HttpContext.ofService(ROLLCALL.url()).get("/metrics").isOk();
        assertThat(answer.response().headers().firstValue("Content-Type"))
                .hasValue("text/plain; version=0.0.4; charset=utf-8");
        HttpContext.withoutToken(ROLLCALL.healthUrl()).get("/metrics").isOk();
    }

    private static Map<String, Double> metrics() {
        String text = HttpContext.withoutToken(ROLLCALL.healthUrl())
                .get("/metrics")
                .isOk()
                .body();
        return Arrays.stream(text.split("\\n"))
                .filter(line -> !line.startsWith("#"))
                .collect(Collectors.toMap(
                        line -> line.substring(0, line.lastIndexOf(' ')),
                        line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1))));
    }
}
