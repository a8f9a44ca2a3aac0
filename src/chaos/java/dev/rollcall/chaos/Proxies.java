package dev.rollcall.chaos;

import dev.rollcall.chaos.network.Holds;
import dev.rollcall.chaos.network.KafkaProxy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/** A proxy in front of each broker. */
final class Proxies implements AutoCloseable {
    private final Holds holds = new Holds();
    private final Map<Integer, KafkaProxy> proxies = new TreeMap<>();

    void add(int id, InetSocketAddress broker) {
        try {
            proxies.put(id, new KafkaProxy(broker, holds));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    int port(int id) {
        return proxy(id).port();
    }

    KafkaProxy proxy(int id) {
        return Objects.requireNonNull(proxies.get(id));
    }

    /** What all of them hold back. */
    Holds holds() {
        return holds;
    }

    @Override
    public void close() throws IOException {
        for (KafkaProxy proxy : proxies.values()) {
            proxy.close();
        }
    }
}
