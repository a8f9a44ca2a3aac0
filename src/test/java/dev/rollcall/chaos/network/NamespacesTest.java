package dev.rollcall.chaos.network;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class NamespacesTest {
    /** What a cut link is made of: an address that nobody has. */
    private static final String NOBODY = "02:00:00:00:00:01";

    @Test
    void shouldCutOneWayAndBeWholeAgainWhenMended() throws Exception {
        Optional<String> missing = Namespaces.missing();
        if (missing.isPresent()) {
            assertThat(missing.get()).contains("namespaces"); // the campaign says so, and does not pass
            return;
        }
        try (Namespaces network = new Namespaces(List.of("one", "two"))) {
            network.cut("one", "two");

            assertThat(neighbours(network, "one")).contains(network.host("two") + " dev eth0 lladdr " + NOBODY);
            assertThat(neighbours(network, "two")).doesNotContain(NOBODY);

            network.mend();

            assertThat(neighbours(network, "one")).doesNotContain(NOBODY);
        }
    }

    private static String neighbours(Namespaces network, String node) throws Exception {
        List<String> command = new ArrayList<>(network.enter(node));
        command.addAll(List.of("ip", "neigh", "show"));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        return new String(process.getInputStream().readAllBytes(), UTF_8);
    }
}
