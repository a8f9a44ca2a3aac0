package dev.rollcall.http.server;

import dev.rollcall.config.ConfigException;
import dev.rollcall.config.HttpLimits;
import dev.rollcall.config.HttpSettings;
import dev.rollcall.http.limits.ConnectionLimits;
import dev.rollcall.http.limits.Requests;
import dev.rollcall.metrics.RequestMeters;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.StandardSocketOptions;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;
import jdk.net.ExtendedSocketOptions;
import org.eclipse.jetty.http.UriCompliance;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Jetty, set up for many connections that are open for long, on few threads. */
public final class HttpServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(HttpServer.class);

    /**
     * No request holds a thread while it waits, so more would only take the cores from each other, and from the compiler of a
     * process that all clients come back to at once.
     */
    private static final int MAX_THREADS = Math.max(12, 4 * Runtime.getRuntime().availableProcessors());

    private static final int MIN_THREADS = 8;

    /** The connections that are allowed beside those of event streams. */
    private static final int OTHER_CONNECTIONS = 1_000;

    /** Room for a thousand user ids in a query. */
    private static final int MAX_HEADER_BYTES = 65_536;

    private static final long IDLE_MS = 30_000;
    private static final long ANSWERED_WITHIN_MS = 2_000;

    /** Room for all who reconnect at once; Linux allows 4096 unless net.core.somaxconn says otherwise. The default is 50. */
    private static final int BACKLOG = 4_096;

    private static final String HEALTH = "health";
    private static final int HEALTH_CONNECTIONS = 100;
    private static final int HEALTH_THREADS = 5;

    // TCP keep-alive: a dead connection without traffic is closed after 10 s + 3 times 5 s.
    private static final int KEEP_ALIVE_IDLE_S = 10;
    private static final int KEEP_ALIVE_INTERVAL_S = 5;
    private static final int KEEP_ALIVE_COUNT = 3;

    private final HttpSettings settings;
    private final String keys;
    private final InetAddress address;
    private final QueuedThreadPool threads = new QueuedThreadPool(MAX_THREADS, MIN_THREADS);
    private final Server server;
    private final Connector connector;
    private final @Nullable Connector healthConnector;
    private @Nullable Requests requests;

    /**
     * Prepares a server, which does not listen yet.
     *
     * @param keys what its own settings' names begin with, as {@code http}
     * @throws ConfigException if the host is no address of this machine
     */
    public HttpServer(HttpSettings settings, int port, String keys) {
        this.keys = keys;
        this.address = address(settings.host());
        this.settings = settings;
        threads.setName("http");
        threads.setDaemon(true);
        server = new Server(threads);
        connector = new Connector(server, threads, 2);
        connector.listenOn(address, port);
        server.addConnector(connector);
        healthConnector = settings.limits().healthPort().isPresent()
                ? healthConnector(address, settings.limits().healthPort().getAsInt())
                : null;
        server.setErrorHandler(new JsonErrors());
    }

    /** Throws a {@link ConfigException} if others than this machine could reach it. */
    public void requireThisMachine() {
        if (!address.isLoopbackAddress()) {
            throw new ConfigException(
                    "http.host is %s, where others can reach it, and http.jwt.key is empty: set a key, or http.host=127.0.0.1"
                            .formatted(settings.host()));
        } else if (!Loopback.isNamed(
                forUrl(settings.host()))) { // requests are told from other sites' by their Host header
            throw new ConfigException(
                    "http.host is %s: while http.jwt.key is empty it must be localhost, 127.x.x.x or ::1, and no other name for them"
                            .formatted(settings.host()));
        }
    }

    /** Sets the routes. To be called before {@link #listen}. */
    public void serve(List<Route> routes, RequestMeters meters) {
        HttpLimits limits = settings.limits();
        Requests all = new Requests(new Router(routes, new Authenticator(settings.tokens()), settings, meters));
        bound(
                connector,
                all,
                new ConnectionLimits.Settings(
                        settings.maxStreams() + OTHER_CONNECTIONS,
                        limits.connectionsPerAddress(),
                        limits.proxies(),
                        limits.headersMs(),
                        IDLE_MS));
        if (healthConnector != null) {
            bound(
                    healthConnector,
                    all,
                    new ConnectionLimits.Settings(
                            HEALTH_CONNECTIONS, HEALTH_CONNECTIONS, Set.of(), limits.headersMs(), IDLE_MS));
        }
        requests = all;
        server.setHandler(all);
    }

    private static void bound(ServerConnector connector, Requests requests, ConnectionLimits.Settings bounds) {
        requests.tell(connector, ConnectionLimits.bound(connector, bounds));
    }

    /** With threads of its own, so that probes are answered while all others are busy. */
    private Connector healthConnector(InetAddress address, int port) {
        QueuedThreadPool own = new QueuedThreadPool(HEALTH_THREADS, HEALTH_THREADS);
        own.setName("http-health");
        own.setDaemon(true);
        server.addBean(own);
        Connector health = new Connector(server, own, 1);
        health.setName(HEALTH);
        health.listenOn(address, port);
        server.addConnector(health);
        return health;
    }

    /** Whether the request has come to the port that is for health alone. */
    static boolean isForHealth(Request request) {
        return HEALTH.equals(request.getConnectionMetaData().getConnector().getName());
    }

    /** The server's threads, for work that does not block. */
    public Executor executor() {
        return threads;
    }

    /**
     * Starts listening.
     *
     * @throws ConfigException if it cannot
     */
    public void listen() {
        try {
            bind();
            server.start();
        } catch (Exception e) {
            boolean isOpen = connector.isOpen(); // so it was the other one
            int port = isOpen ? settings.limits().healthPort().orElse(0) : connector.getPort();
            throw new ConfigException("cannot listen on %s:%d, %s.host and %s: %s"
                    .formatted(settings.host(), port, keys, isOpen ? "http.health.port" : keys + ".port", reason(e)));
        }
    }

    private void bind() throws IOException {
        try {
            connector.open();
        } catch (IOException e) {
            if (settings.portChosen()) {
                throw e;
            }
            LOG.info("port {} is taken, and http.port is not set: using any free port", connector.getPort());
            connector.setPort(0);
        }
    }

    /** The port that it listens on. */
    public int port() {
        return connector.getLocalPort();
    }

    /** The address for health alone; empty: there is none. */
    public Optional<String> healthUrl() {
        return Optional.ofNullable(healthConnector).map(health -> url(health.getLocalPort()));
    }

    /** The address for a browser on this machine. */
    public String url() {
        return url(port());
    }

    private String url(int port) {
        return "http://%s:%d".formatted(forUrl(settings.host()), port);
    }

    /** From now on each connection ends with its next response. */
    public void closeConnections() {
        if (requests != null) {
            requests.closeConnections();
        }
    }

    /** Stops listening, and waits up to 2 s for requests that are being answered. May be called again. */
    @Override
    public void close() {
        try {
            connector.close();
            if (requests != null && server.isStarted()) {
                requests.awaitAnswers(ANSWERED_WITHIN_MS);
            }
            server.stop();
        } catch (Exception e) {
            LOG.warn("the HTTP server did not stop cleanly", e);
        }
    }

    private static HttpConfiguration configuration() {
        HttpConfiguration http = new HttpConfiguration();
        http.setSendServerVersion(false);
        http.setRequestHeaderSize(MAX_HEADER_BYTES);
        // Ids may have any character, percent-encoded. That is safe: the router compares the segments of a path before
        // decoding, and no path names a file.
        http.setUriCompliance(UriCompliance.UNSAFE);
        return http;
    }

    private InetAddress address(String host) {
        try {
            return InetAddress.getByName(host);
        } catch (UnknownHostException e) {
            throw new ConfigException("%s.host must be an address of this machine: it is \"%s\"".formatted(keys, host));
        }
    }

    private static String forUrl(String host) {
        return host.contains(":") && !host.startsWith("[") ? "[" + host + "]" : host;
    }

    private static String reason(Throwable failure) {
        Throwable cause = failure.getCause() == null ? failure : failure.getCause();
        return String.valueOf(cause.getMessage());
    }

    /** Turns on TCP keep-alive, so that the system notices dead connections. */
    private static final class Connector extends ServerConnector {
        Connector(Server server, Executor executor, int selectors) {
            super(server, executor, null, null, 1, selectors, new HttpConnectionFactory(configuration()));
        }

        void listenOn(InetAddress address, int port) {
            setHost(address.getHostAddress());
            setPort(port);
            setIdleTimeout(IDLE_MS);
            setAcceptQueueSize(BACKLOG);
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
                LOG.debug("this system has no TCP keep-alive with these times", e);
            }
        }
    }
}
