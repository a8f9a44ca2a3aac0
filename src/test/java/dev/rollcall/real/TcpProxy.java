package dev.rollcall.real;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** A wire to a broker that can be slow, and cut. */
final class TcpProxy implements AutoCloseable {
    private final ServerSocket server;
    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();

    private volatile int brokerPort;
    private volatile boolean cut;
    private volatile long delayMs;

    TcpProxy() throws IOException {
        server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        start("accept", this::accept);
    }

    int port() {
        return server.getLocalPort();
    }

    void leadTo(int port) {
        brokerPort = port;
    }

    /** Ends all connections, and every new one at once. */
    void cut() {
        cut = true;
        sockets.forEach(TcpProxy::end);
    }

    void mend() {
        cut = false;
    }

    /** Holds up every chunk of bytes for so long. */
    void delay(long ms) {
        delayMs = ms;
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
                if (cut) {
                    end(client);
                    continue;
                }
                Socket broker = new Socket(InetAddress.getLoopbackAddress(), brokerPort);
                client.setTcpNoDelay(true);
                broker.setTcpNoDelay(true);
                sockets.add(client);
                sockets.add(broker);
                start("to-broker", () -> copy(client, broker));
                start("to-client", () -> copy(broker, client));
                if (cut) {
                    end(client);
                }
            } catch (IOException e) {
                // closed, or nobody there: the client will try again
            }
        }
    }

    private void copy(Socket from, Socket to) {
        byte[] buffer = new byte[64 * 1024];
        try {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                if (delayMs > 0) {
                    Thread.sleep(delayMs);
                }
                out.write(buffer, 0, n);
            }
        } catch (IOException | InterruptedException e) {
            // cut
        } finally {
            sockets.remove(from);
            end(from);
            end(to);
        }
    }

    private static void end(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void start(String name, Runnable task) {
        Thread thread = new Thread(task, "tcp-proxy-" + name);
        thread.setDaemon(true);
        thread.start();
    }
}
