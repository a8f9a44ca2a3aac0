package dev.rollcall.topology;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.config.RollcallConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import org.apache.kafka.streams.Topology;
import org.junit.jupiter.api.Test;

/** A renamed store, a new internal topic or a lost arrow shows in the diff of a golden file. */
class PresenceTopologyTest {
    private static final Path GOLDEN = Path.of("src/test/resources/topology.txt");
    private static final Path GOLDEN_MERMAID = Path.of("src/test/resources/topology.mmd");

    private final Topology topology =
            PresenceTopology.build(RollcallConfig.defaults(), Clock.systemUTC(), 12, "somebody");

    @Test
    void shouldBeTheOneInTheGoldenFile() throws IOException {
        assertThat(topology.describe().toString().strip())
                .isEqualTo(Files.readString(GOLDEN).strip());
    }

    @Test
    void shouldBeDrawnAsInTheGoldenFile() throws IOException {
        assertThat(Mermaid.of(topology.describe()).strip())
                .isEqualTo(Files.readString(GOLDEN_MERMAID).strip());
    }
}
