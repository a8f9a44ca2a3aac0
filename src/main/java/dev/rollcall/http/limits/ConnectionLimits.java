package dev.rollcall.http.limits;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.server.NetworkConnectionLimit;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.component.AbstractLifeCycle;
import org.eclipse.jetty.util.thread.Scheduler;

/**
 * Bounds the connections of one connector: how many there are, how many of them one address has, and how long each may ask
 * nothing. Jetty's own idle time-out does not bound the last, since a byte every few seconds is enough for it.
 */
public final class ConnectionLimits extends AbstractLifeCycle implements Connection.Listener {
    private static final long SWEEP_MS = 250;

    /** While the connector is nearly full. A request in one piece needs no more on any network. */
    private static final long NEARLY_FULL_MS = 2_000;

    private static final int NEARLY_FULL_FIFTHS = 4;
    private static final long ASKS = Long.MAX_VALUE;

    private final Settings settings;
    private final ServerConnector connector;
    private final Map<Connection, Waiting> open = new ConcurrentHashMap<>();
    private final Map<Object, Integer> perAddress = new ConcurrentHashMap<>();

    /**
     * The bounds.
     *
     * @param connections how many there may be; when so many are open, no more are accepted
     * @param perAddress how many of them one address may have, or one network of 64 bits of IPv6; one more is closed
     * @param unbounded addresses for which {@code perAddress} does not count
     * @param headersMs from the connection to the end of the first request's headers
     * @param idleMs from the end of a response to the end of the next request's headers
     */
    public record Settings(int connections, int perAddress, Set<InetAddress> unbounded, long headersMs, long idleMs) {}

    /** A connection that is counted for its address. */
    private static final class Waiting {
        private final Object address;

        /** By {@link System#nanoTime}; ASKS while a request is answered. */
        private volatile long since = System.nanoTime();

        private volatile boolean isFirst = true;

        Waiting(Object address) {
            this.address = address;
        }
    }

    private ConnectionLimits(Settings settings, ServerConnector connector) {
        this.settings = settings;
        this.connector = connector;
    }

    /** Bounds the connections of this connector from when it is started. */
    public static ConnectionLimits bound(ServerConnector connector, Settings settings) {
        ConnectionLimits limits = new ConnectionLimits(settings, connector);
        connector.addBean(limits);
        connector.addEventListener(limits);
        connector.addBean(new NetworkConnectionLimit(settings.connections(), connector));
        return limits;
    }

    @Override
    public void onOpened(Connection connection) {
        InetAddress address = address(connection.getEndPoint());
        Object counted = network(address);
        int count = perAddress.merge(counted, 1, Integer::sum);
        if (count > settings.perAddress() && !settings.unbounded().contains(address)) {
            leave(counted);
            connection.getEndPoint().close();
            return;
        }
        open.put(connection, new Waiting(counted));
        if (!connection.getEndPoint().isOpen()) {
            onClosed(connection); // it may have been told of the end already
        }
    }

    @Override
    public void onClosed(Connection connection) {
        Waiting closed = open.remove(connection);
        if (closed != null) {
            leave(closed.address);
        }
    }

    /** The headers of a request are complete. */
    void asks(Connection connection) {
        Waiting waiting = open.get(connection);
        if (waiting != null) {
            waiting.isFirst = false;
            waiting.since = ASKS;
        }
    }

    /** Its response is complete. */
    void isAnswered(Connection connection) {
        Waiting waiting = open.get(connection);
        if (waiting != null) {
            waiting.since = System.nanoTime();
        }
    }

    @Override
    protected void doStart() throws Exception {
        super.doStart();
        Scheduler scheduler = connector.getScheduler();
        schedule(scheduler);
    }

    private void schedule(Scheduler scheduler) {
        var unused = scheduler.schedule(
                () -> {
                    if (isRunning() || isStarting()) {
                        try {
                            closeSilent(System.nanoTime());
                        } finally {
                            schedule(scheduler);
                        }
                    }
                },
                SWEEP_MS,
                TimeUnit.MILLISECONDS);
    }

    private void closeSilent(long now) {
        boolean nearlyFull = 5L * open.size() > (long) NEARLY_FULL_FIFTHS * settings.connections();
        long headers = nanos(settings.headersMs(), nearlyFull);
        long idle = nanos(settings.idleMs(), nearlyFull);
        open.forEach((connection, waiting) -> {
            long since = waiting.since;
            if (since != ASKS && now - since > (waiting.isFirst ? headers : idle)) {
                connection.getEndPoint().close();
            }
        });
    }

    private static long nanos(long ms, boolean nearlyFull) {
        return TimeUnit.MILLISECONDS.toNanos(nearlyFull ? Math.min(ms, NEARLY_FULL_MS) : ms);
    }

    private void leave(Object address) {
        perAddress.computeIfPresent(address, (key, count) -> count > 1 ? (Integer) (count - 1) : null);
    }

    private static InetAddress address(EndPoint endPoint) {
        return endPoint.getRemoteSocketAddress() instanceof InetSocketAddress inet && inet.getAddress() != null
                ? inet.getAddress()
                : InetAddress.getLoopbackAddress();
    }

    /** Whoever has one address of IPv6 usually has all of its network. */
    private static Object network(InetAddress address) {
        if (!(address instanceof Inet6Address)) {
            return address;
        }
        long network = 0;
        for (int i = 0; i < Long.BYTES; i++) {
            network = (network << Byte.SIZE) | (address.getAddress()[i] & 0xff);
        }
        return network;
    }
}
