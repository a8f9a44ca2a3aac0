package dev.rollcall.chaos;

import dev.rollcall.chaos.network.Namespaces;
import dev.rollcall.chaos.network.Network;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where a campaign runs, and what lies between its processes.
 *
 * @param proxies what stands in front of the brokers; null: nothing
 * @param processorSettings over the campaign's own
 * @param clockDifference how far the brokers' clocks are apart at most, but for one that leaps and returns
 */
record Site(
        Path directory,
        Clocks clocks,
        Network network,
        @Nullable Proxies proxies,
        Map<String, String> processorSettings,
        Duration clockDifference)
        implements AutoCloseable {
    /** After that, a processor takes a request that is held as lost. */
    static final Duration HELD_REQUEST = Duration.ofSeconds(3);

    /** On the loopback interface, with nothing in between. */
    static Site plain(Path directory) throws IOException {
        return new Site(directory, clocks(directory), Network.LOOPBACK, null, Map.of(), Timing.CLOCK_DIFFERENCE);
    }

    /** Each process in a network namespace of its own. */
    static Site namespaces(Path directory) throws IOException {
        List<String> nodes = List.of(
                Brokers.node(1),
                Brokers.node(2),
                Brokers.node(3),
                Processors.node("one"),
                Processors.node("two"),
                Processors.node(Faults.GUEST));
        return new Site(directory, clocks(directory), new Namespaces(nodes), null, Map.of(), Timing.FAR_CLOCK_DIFFERENCE);
    }

    /** All behind proxies. */
    static Site proxies(Path directory) throws IOException {
        return new Site(
                directory,
                clocks(directory),
                Network.LOOPBACK,
                new Proxies(),
                Map.of("kafka.request.timeout.ms", String.valueOf(HELD_REQUEST.toMillis())),
                Timing.CLOCK_DIFFERENCE);
    }

    private static Clocks clocks(Path directory) throws IOException {
        return new Clocks(directory.resolve("clocks"));
    }

    @Override
    public void close() throws IOException {
        if (proxies != null) {
            proxies.close();
        }
        network.close();
    }
}
