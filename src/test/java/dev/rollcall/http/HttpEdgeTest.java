package dev.rollcall.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rollcall.config.ConfigException;
import dev.rollcall.config.HttpSettings;
import dev.rollcall.config.RollcallConfig;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.Map;
import org.junit.jupiter.api.Test;

class HttpEdgeTest {
    @Test
    void shouldTakeAnotherPortWhenItsOwnIsTakenAndNobodyChoseIt() throws Exception {
        HttpSettings settings = RollcallConfig.defaults().http();
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                HttpEdge edge = HttpEdge.start(settings, taken.getLocalPort())) {
            assertThat(edge.port()).isPositive().isNotEqualTo(taken.getLocalPort());
        }
    }

    @Test
    void shouldRefuseToListenElsewhereWhenItsPortWasChosen() throws Exception {
        HttpSettings settings = RollcallConfig.of(Map.of("http.port", "8080")).http();
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            assertThatThrownBy(() -> HttpEdge.start(settings, taken.getLocalPort()))
                    .isInstanceOf(ConfigException.class)
                    .hasMessageContaining("cannot listen on 127.0.0.1:" + taken.getLocalPort());
        }
    }
}
