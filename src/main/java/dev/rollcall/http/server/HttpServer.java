package dev.rollcall.http.server;

import dev.rollcall.config.ConfigException;
import dev.rollcall.config.HttpSettings;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.StandardSocketOptions;
import java.net.UnknownHostException;
import java.util.List;
import java.util.concurrent.Executor;
import jdk.net.ExtendedSocketOptions;
import org.eclipse.jetty.http.UriCompliance;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.NetworkConnectionLimit;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Jetty, set up for many connections that are open for long, on few threads. */
public final class HttpServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(HttpServer.class);

    private static final int MAX_THREADS = 64;
    private static final int MIN_THREADS = 8;

    /** The connections that are allowed beside those of event streams. */
    private static final int OTHER_CONNECTIONS = 1_000;

    /** Room for a thousand user ids in a query. */
    private static final int MAX_HEADER_BYTES = 65_536;

    private static final long IDLE_MS = 30_000;

    // TCP keep-alive: a dead connection without traffic is closed after 10 s + 3 times 5 s.
    private static final int KEEP_ALIVE_IDLE_S = 10;
    private static final int KEEP_ALIVE_INTERVAL_S = 5;
    private static final int KEEP_ALIVE_COUNT = 3;

    private final HttpSettings settings;
    private final QueuedThreadPool threads = new QueuedThreadPool(MAX_THREADS, MIN_THREADS);
    private final Server server;
    private final Connector connector;

    /**
     * Prepares a server, which does not listen yet.
     *
     * @throws ConfigException if the host is no address of this machine, or can be reached from others without a key
     */
    public HttpServer(HttpSettings settings, int port) {
        InetAddress address = address(settings.host());
        if (!settings.tokens().areRequired() && !address.isLoopbackAddress()) {
            throw new ConfigException(
                    "http.host is %s, where others can reach it, and http.jwt.key is empty: set a key, or http.host=127.0.0.1"
                            .formatted(settings.host()));
        } else if (!settings.tokens().areRequired() && !Loopback.isNamed(forUrl(settings.host()))) {
            // Requests to it are told from those of other sites by their Host header.
            throw new ConfigException(
                    "http.host is %s: while http.jwt.key is empty it must be localhost, 127.x.x.x or ::1, and no other name for them"
                            .formatted(settings.host()));
        }
        this.settings = settings;
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
    }

    /** Sets the routes. To be called before {@link #listen}. */
    public void serve(List<Route> routes) {
        server.setHandler(new Router(routes, new Authenticator(settings.tokens()), settings));
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
            throw new ConfigException("cannot listen on %s:%d, http.host and http.port: %s"
                    .formatted(settings.host(), connector.getPort(), reason(e)));
        }
        if (!settings.tokens().areRequired()) {
            LOG.warn("http.jwt.key is empty: HTTP is for this machine alone, and whoever is on it may do everything");
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

    /** The address for a browser on this machine. */
    public String url() {
        return "http://%s:%d".formatted(forUrl(settings.host()), port());
    }

    /** Stops listening. May be called again. */
    @Override
    public void close() {
        try {
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

    /** Turns on TCP keep-alive, so that the system notices dead connections. */
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
                LOG.debug("this system has no TCP keep-alive with these times", e);
            }
        }
    }
}
