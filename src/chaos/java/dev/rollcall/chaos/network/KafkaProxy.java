package dev.rollcall.chaos.network;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A proxy in front of one broker, which advertises the proxy's address, so that its clients stay behind it. It passes
 * whole requests and responses on as they are, each after a delay if one is set, and holds back what a {@link Hold} takes.
 */
public final class KafkaProxy implements AutoCloseable {
    private static final int BACKLOG = 200;

    private final ServerSocket server;
    private final Holds holds;
    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
    private final InetSocketAddress broker;
    private volatile boolean isCut;
    private volatile long requestDelayMs;
    private volatile long responseDelayMs;

    /** Listens on any free port, for a broker that need not run yet. */
    public KafkaProxy(InetSocketAddress broker, Holds holds) throws IOException {
        this.broker = broker;
        this.holds = holds;
        server = new ServerSocket(0, BACKLOG, InetAddress.getLoopbackAddress());
        start("accept", this::accept);
    }

    public int port() {
        return server.getLocalPort();
    }

    /** Every request and response takes that long to get through; the two may differ. */
    public void delay(Duration requests, Duration responses) {
        requestDelayMs = requests.toMillis();
        responseDelayMs = responses.toMillis();
    }

    /** Ends all connections, and every new one at once. */
    public void cut() {
        isCut = true;
        sockets.forEach(KafkaProxy::end);
    }

    public void mend() {
        isCut = false;
    }

    @Override
    public void close() throws IOException {
        server.close();
        cut();
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                Socket client = server.accept();
                start("connection", () -> serve(client));
            } catch (IOException e) {
                // closed, or the client has gone already
            }
        }
    }

    private void serve(Socket client) {
        InetSocketAddress to = broker;
        try (client;
                Socket up = new Socket(to.getHostString(), to.getPort())) {
            sockets.add(client);
            sockets.add(up);
            if (isCut) {
                return;
            }
            client.setTcpNoDelay(true);
            up.setTcpNoDelay(true);
            start("responses", () -> {
                try {
                    passResponses(up, client);
                } catch (IOException | InterruptedException e) {
                    // one of the two has gone
                } finally {
                    end(client);
                    end(up);
                }
            });
            passRequests(client, up, to);
        } catch (IOException | InterruptedException e) {
            // one of the two has gone: the client will try again
        } finally {
            sockets.remove(client);
        }
    }

    private void passRequests(Socket client, Socket up, InetSocketAddress to) throws IOException, InterruptedException {
        DataInputStream in = new DataInputStream(new BufferedInputStream(client.getInputStream()));
        OutputStream out = up.getOutputStream();
        boolean isStuck = false;
        while (true) {
            Frame frame = Frame.read(in);
            isStuck |= holds.take(frame, to);
            if (isStuck) {
                continue; // what comes behind it on the connection does not arrive either
            }
            if (requestDelayMs > 0) {
                Thread.sleep(requestDelayMs);
            }
            out.write(frame.withLength());
        }
    }

    private void passResponses(Socket up, Socket client) throws IOException, InterruptedException {
        DataInputStream in = new DataInputStream(new BufferedInputStream(up.getInputStream()));
        OutputStream out = client.getOutputStream();
        try {
            while (true) {
                Frame frame = Frame.read(in);
                if (responseDelayMs > 0) {
                    Thread.sleep(responseDelayMs);
                }
                out.write(frame.withLength());
            }
        } finally {
            sockets.remove(up);
        }
    }

    private static void end(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            // it is of no use any more either way
        }
    }

    private static void start(String name, Runnable task) {
        Thread thread = new Thread(task, "kafka-proxy-" + name);
        thread.setDaemon(true);
        thread.start();
    }
}
