package dev.rollcall.admin;

import dev.rollcall.config.ConfigException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.Locale;
import java.util.Map;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.common.utils.Utils;

/**
 * Refuses to speak without TLS to a broker that wants it. Kafka's clients take the first bytes of its answer for a length of some
 * 350 MB: they run out of memory, or wait for a minute and say that no node was assigned.
 */
public final class PlainConnection {
    private static final int TIMEOUT_MS = 2_000;

    /** A request for the versions that the broker speaks, the first one of each connection. */
    private static final byte[] REQUEST = ByteBuffer.allocate(14)
            .putInt(10)
            .putShort((short) 18)
            .putShort((short) 0)
            .putInt(0)
            .putShort((short) -1)
            .array();

    /** An alert of TLS, of any version. */
    private static final int ALERT = 0x15;

    private static final int TLS = 0x03;

    private PlainConnection() {}

    /**
     * Asks the first broker that answers, if the settings are for connections without TLS.
     *
     * @param kafka the settings of all Kafka clients
     * @throws ConfigException if it wants TLS; that none answers is left to Kafka's clients
     */
    public static void require(String bootstrapServers, Map<String, String> kafka) {
        String protocol = kafka.getOrDefault(CommonClientConfigs.SECURITY_PROTOCOL_CONFIG, "PLAINTEXT")
                .toUpperCase(Locale.ROOT);
        if (!protocol.endsWith("PLAINTEXT")) {
            return;
        }
        for (String server : bootstrapServers.split(",", -1)) {
            int first = firstBytes(server.strip());
            if (first == ((ALERT << Byte.SIZE) | TLS)) {
                throw new ConfigException(
                        "%s wants TLS, and kafka.security.protocol is %s: set it to %s, and kafka.ssl.truststore.* to who signed the brokers' certificates"
                                .formatted(
                                        server.strip(),
                                        protocol,
                                        protocol.startsWith("SASL") ? "SASL_SSL" : "SSL or SASL_SSL"));
            } else if (first >= 0) {
                return;
            }
        }
    }

    /** Two bytes of what is answered; -1: nothing. */
    private static int firstBytes(String server) {
        String host = Utils.getHost(server);
        Integer port = Utils.getPort(server);
        if (host == null || port == null) {
            return -1; // Kafka's clients say what is wrong with it
        }
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(host, port), TIMEOUT_MS);
            socket.setSoTimeout(TIMEOUT_MS);
            socket.getOutputStream().write(REQUEST);
            int first = socket.getInputStream().read();
            int second = socket.getInputStream().read();
            return second < 0 ? -1 : (first << Byte.SIZE) | second;
        } catch (IOException e) {
            return -1;
        }
    }
}
