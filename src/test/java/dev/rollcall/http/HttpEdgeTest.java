package dev.rollcall.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rollcall.config.ConfigException;
import dev.rollcall.config.HttpSettings;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.metrics.Meters;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HttpEdgeTest {
    @Test
    void shouldTakeAnotherPortWhenItsOwnIsTakenAndNobodyChoseIt() throws Exception {
        HttpSettings settings = RollcallConfig.defaults().http();
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                HttpEdge edge = HttpEdge.start(settings, taken.getLocalPort(), Meters.none())) {
            assertThat(edge.port()).isPositive().isNotEqualTo(taken.getLocalPort());
        }
    }

    @Test
    void shouldRefuseToListenElsewhereWhenItsPortWasChosen() throws Exception {
        HttpSettings settings = RollcallConfig.of(Map.of("http.port", "8080")).http();
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            assertThatThrownBy(() -> HttpEdge.start(settings, taken.getLocalPort(), Meters.none()))
                    .isInstanceOf(ConfigException.class)
                    .hasMessageContaining("cannot listen on 127.0.0.1:" + taken.getLocalPort());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.2", "127.1.2.3", "::1", "[::1]", "localhost"})
    void shouldServeThisMachineWhateverLoopbackAddressItListensOn(String host) throws Exception {
        try (HttpEdge edge = HttpEdge.start(settings("http.host", host), 0, Meters.none())) {
            HttpResponse<String> answer = HttpClient.newHttpClient()
                    .send(
                            HttpRequest.newBuilder(URI.create(edge.url() + "/v2/users/a/presence"))
                                    .build(),
                            HttpResponse.BodyHandlers.ofString());
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(503); // and not 403: it is starting
        }
    }

    @Test
    void shouldRefuseToStartWhenItsHostIsAnotherNameForThisMachine() {
        assertThatThrownBy(() -> HttpEdge.start(settings("http.host", "127.1"), 0, Meters.none()))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("http.host is 127.1")
                .hasMessageContaining("must be localhost, 127.x.x.x or ::1");
    }

    @Test
    void shouldRefuseToStartWhenTheFileOfKeysCannotBeUsed() {
        assertThatThrownBy(() -> HttpEdge.start(settings("http.jwt.jwks.file", "nowhere.json"), 0, Meters.none()))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("http.jwt.jwks.file cannot be used, nowhere.json");
    }

    private static HttpSettings settings(String key, String value) {
        return RollcallConfig.of(Map.of(key, value)).http();
    }
}
