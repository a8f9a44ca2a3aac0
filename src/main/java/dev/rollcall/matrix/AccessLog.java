package dev.rollcall.matrix;

import dev.rollcall.config.ConfigException;
import dev.rollcall.config.MatrixSettings;
import dev.rollcall.matrix.polls.LogLine;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Takes nginx's access log, as syslog over UDP, from this machine and the proxies; what others send is not looked at. */
final class AccessLog implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(AccessLog.class);
    private static final int MAX_BYTES = 2_048;

    /** For bursts: the system may allow less. */
    private static final int BUFFER_BYTES = 4 << 20;

    private final DatagramSocket socket;
    private final Set<InetAddress> proxies;
    private final Consumer<LogLine> lines;
    private final Thread thread;

    /**
     * Starts listening.
     *
     * @param lines must not throw
     * @throws ConfigException if it cannot
     */
    AccessLog(MatrixSettings settings, Set<InetAddress> proxies, Consumer<LogLine> lines) {
        this.proxies = proxies;
        this.lines = lines;
        try {
            socket = new DatagramSocket(new InetSocketAddress(settings.host(), settings.syslogPort()));
            socket.setReceiveBufferSize(BUFFER_BYTES);
        } catch (IOException e) {
            throw new ConfigException("cannot listen on %s:%d (UDP), matrix.host and matrix.syslog.port: %s"
                    .formatted(settings.host(), settings.syslogPort(), e.getMessage()));
        }
        thread = new Thread(this::run, "matrix-log");
        thread.setDaemon(true);
        thread.start();
    }

    int port() {
        return socket.getLocalPort();
    }

    @Override
    public void close() {
        socket.close();
    }

    private void run() {
        DatagramPacket packet = new DatagramPacket(new byte[MAX_BYTES], MAX_BYTES);
        while (!socket.isClosed()) {
            try {
                packet.setLength(MAX_BYTES);
                socket.receive(packet);
                InetAddress from = packet.getAddress();
                if (from.isLoopbackAddress() || proxies.contains(from)) {
                    LogLine.parse(new String(packet.getData(), 0, packet.getLength(), StandardCharsets.ISO_8859_1))
                            .ifPresent(lines);
                }
            } catch (Throwable e) {
                if (!socket.isClosed()) {
                    LOG.error("a line of the access log has failed, and the next one follows", e);
                }
            }
        }
    }
}
