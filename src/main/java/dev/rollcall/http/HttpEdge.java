package dev.rollcall.http;

import dev.rollcall.config.ConfigException;
import dev.rollcall.config.HttpSettings;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.StandardSocketOptions;
import java.net.UnknownHostException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import jdk.net.ExtendedSocketOptions;
import org.eclipse.jetty.http.UriCompliance;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.NetworkConnectionLimit;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The HTTP edge. It listens from the start, so that it can be asked how it is; all else it answers once it is opened. */
public final class HttpEdge implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(HttpEdge.class);

    private static final int MAX_THREADS = 64;

    /** What is not an event stream comes and goes. */
    private static final int OTHER_CONNECTIONS = 1_000;

    /** A thousand user ids in an address. */
    private static final int MAX_HEADER_BYTES = 65_536;

    private static final long IDLE_MS = 30_000;

    // So long a connection on which nothing is under way may be dead before it is cut: 10 s + 3 times 5 s.
    private static final int KEEP_ALIVE_IDLE_S = 10;
    private static final int KEEP_ALIVE_INTERVAL_S = 5;
    private static final int KEEP_ALIVE_COUNT = 3;

    private final Server server;
    private final Connector connector;
    private final EventStreams streams;
    private final HttpSettings settings;
    private volatile @Nullable Backend backend;

    /**
     * Listens.
     *
     * @throws ConfigException if it may not, or cannot
     */
    public static HttpEdge start(HttpSettings settings, int port) {
        InetAddress address = address(settings.host());
        if (!settings.key().isSet() && !address.isLoopbackAddress()) {
            throw new ConfigException(
                    "http.host is %s, where others can reach it, and http.jwt.key is empty: set a key, or http.host=127.0.0.1"
                            .formatted(settings.host()));
        }
        HttpEdge edge = new HttpEdge(settings, address, port);
        try {
            edge.listen();
        } catch (Exception e) {
            edge.close();
            throw new ConfigException(
                    "cannot listen on %s:%d, http.host and http.port: %s".formatted(settings.host(), port, reason(e)));
        }
        if (!settings.key().isSet()) {
            LOG.warn("http.jwt.key is empty: HTTP is for this machine alone, and whoever is on it may do everything");
        }
        return edge;
    }

    HttpEdge(HttpSettings settings, InetAddress address, int port) {
        this.settings = settings;
        QueuedThreadPool threads = new QueuedThreadPool(MAX_THREADS, 8);
        threads.setName("http");
        threads.setDaemon(true);
        server = new Server(threads);
        connector = new Connector(server, configuration());
        connector.setHost(address.getHostAddress());
        connector.setPort(port);
        connector.setIdleTimeout(IDLE_MS);
        server.addConnector(connector);
        server.addBean(new NetworkConnectionLimit(settings.maxStreams() + OTHER_CONNECTIONS, connector));
        server.setErrorHandler(new JsonErrors());
        streams = new EventStreams(settings, threads);
        server.setHandler(new Router(routes(), new Tokens(settings.key()), settings));
    }

    private void listen() throws Exception {
        try {
            connector.open();
        } catch (IOException e) {
            if (settings.portChosen()) {
                throw e;
            }
            LOG.info("port {} is taken, and http.port is not set: any other will do", connector.getPort());
            connector.setPort(0);
        }
        server.start();
    }

    /** Begins to answer. */
    public void open(Backend newBackend) {
        backend = newBackend;
    }

    /** The port that it listens on. */
    public int port() {
        return connector.getLocalPort();
    }

    /** Where a browser on this machine finds it. */
    public String url() {
        return "http://%s:%d".formatted(forUrl(settings.host()), port());
    }

    /** The {@code host:port} at which other instances reach this one. */
    public String advertised() {
        if (!settings.advertised().isEmpty()) {
            return settings.advertised();
        }
        String host = settings.host();
        try {
            if (address(host).isAnyLocalAddress()) {
                host = InetAddress.getLocalHost().getHostName();
            }
        } catch (UnknownHostException e) {
            throw new ConfigException("http.advertised must be set: this machine does not know its own name");
        }
        return forUrl(host) + ":" + port();
    }

    /** Ends all event streams, and stops listening. May be called again. */
    @Override
    public void close() {
        streams.close();
        try {
            server.stop();
        } catch (Exception e) {
            LOG.warn("the HTTP server did not stop cleanly", e);
        }
    }

    List<Route> routes() {
        InstantSource clock = InstantSource.system();
        Supplier<Backend> opened =
                () -> Optional.ofNullable(backend).orElseThrow(() -> ApiException.unavailable("starting"));
        List<Route> all = new ArrayList<>();
        all.addAll(new HealthRoutes(() -> Optional.ofNullable(backend)).routes());
        all.addAll(new PresenceRoutes(opened, streams, clock).routes());
        all.addAll(new EventRoutes(opened, streams, settings).routes());
        all.addAll(new MatrixRoutes(opened, clock).routes());
        all.addAll(new SimulationRoutes(opened).routes());
        all.addAll(new StaticRoutes().routes());
        return all;
    }

    private static HttpConfiguration configuration() {
        HttpConfiguration http = new HttpConfiguration();
        http.setSendServerVersion(false);
        http.setRequestHeaderSize(MAX_HEADER_BYTES);
        // Ids may have any character, percent-encoded. Paths are compared segment by segment as they come, and lead to
        // no files, so that nothing in them can be taken for something else.
        http.setUriCompliance(UriCompliance.UNSAFE);
        return http;
    }

    private static InetAddress address(String host) {
        try {
            return InetAddress.getByName(host);
        } catch (UnknownHostException e) {
            throw new ConfigException("http.host must be an address of this machine: it is \"%s\"".formatted(host));
        }
    }

    private static String forUrl(String host) {
        return host.contains(":") && !host.startsWith("[") ? "[" + host + "]" : host;
    }

    private static String reason(Throwable failure) {
        Throwable cause = failure.getCause() == null ? failure : failure.getCause();
        return String.valueOf(cause.getMessage());
    }

    /** Asks the system to look after connections on which nothing is said. */
    private static final class Connector extends ServerConnector {
        Connector(Server server, HttpConfiguration http) {
            super(server, 1, 2, new HttpConnectionFactory(http));
        }

        @Override
        protected void configure(Socket socket) {
            super.configure(socket);
            try {
                socket.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
                socket.setOption(ExtendedSocketOptions.TCP_KEEPIDLE, KEEP_ALIVE_IDLE_S);
                socket.setOption(ExtendedSocketOptions.TCP_KEEPINTERVAL, KEEP_ALIVE_INTERVAL_S);
                socket.setOption(ExtendedSocketOptions.TCP_KEEPCOUNT, KEEP_ALIVE_COUNT);
            } catch (IOException | UnsupportedOperationException e) {
                LOG.debug("this system does not look after idle connections", e);
            }
        }
    }
}
