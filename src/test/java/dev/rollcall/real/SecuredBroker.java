package dev.rollcall.real;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.metadata.storage.Formatter;
import org.apache.kafka.server.common.Feature;
import org.apache.kafka.server.common.MetadataVersion;

/** A broker as an operator has it: TLS with a certificate of its own, users with SCRAM-SHA-512, and an authorizer. */
final class SecuredBroker implements AutoCloseable {
    static final String ADMIN = "admin";
    private static final String STORE_PASSWORD = "of-the-store";

    private final Path trustStore;
    private final int port;
    private final KafkaRaftServer server;

    private SecuredBroker(Path trustStore, int port, KafkaRaftServer server) {
        this.trustStore = trustStore;
        this.port = port;
        this.server = server;
    }

    /** Starts one with these users beside the admin, who has all rights. The others have none. */
    static SecuredBroker start(Path dir, List<String> users) throws Exception {
        Path keyStore = dir.resolve("broker.p12");
        Path certificate = dir.resolve("broker.pem");
        Path trustStore = dir.resolve("clients.p12");
        keytool(
                        "-genkeypair",
                        "-alias",
                        "broker",
                        "-keyalg",
                        "EC",
                        "-dname",
                        "CN=localhost",
                        "-ext",
                        "SAN=dns:localhost")
                .store(keyStore);
        keytool("-exportcert", "-rfc", "-alias", "broker", "-file", certificate.toString())
                .store(keyStore);
        keytool("-importcert", "-noprompt", "-alias", "broker", "-file", certificate.toString())
                .store(trustStore);

        int port = freePort();
        int controllerPort = freePort();
        Path data = dir.resolve("secured");
        format(data, users);
        Map<String, String> settings = new HashMap<>(Map.of(
                "process.roles",
                "broker,controller",
                "node.id",
                "1",
                "log.dirs",
                data.toString(),
                "controller.quorum.voters",
                "1@localhost:" + controllerPort,
                "controller.listener.names",
                "CONTROLLER",
                "inter.broker.listener.name",
                "SASL_SSL",
                "listeners",
                "SASL_SSL://localhost:%d,CONTROLLER://localhost:%d".formatted(port, controllerPort),
                "listener.security.protocol.map",
                "SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT"));
        settings.putAll(Map.of(
                "ssl.keystore.location",
                keyStore.toString(),
                "ssl.keystore.password",
                STORE_PASSWORD,
                "ssl.truststore.location",
                trustStore.toString(),
                "ssl.truststore.password",
                STORE_PASSWORD,
                "sasl.enabled.mechanisms",
                "SCRAM-SHA-512",
                "sasl.mechanism.inter.broker.protocol",
                "SCRAM-SHA-512",
                "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config",
                jaas(ADMIN),
                "authorizer.class.name",
                "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                "super.users",
                "User:ANONYMOUS;User:" + ADMIN)); // the controller's listener is anonymous
        settings.putAll(Map.of(
                "auto.create.topics.enable",
                "false",
                "offsets.topic.replication.factor",
                "1",
                "offsets.topic.num.partitions",
                "4",
                "transaction.state.log.replication.factor",
                "1",
                "transaction.state.log.min.isr",
                "1",
                "transaction.state.log.num.partitions",
                "4",
                "group.initial.rebalance.delay.ms",
                "0"));
        KafkaRaftServer server = new KafkaRaftServer(new KafkaConfig(settings, false), Time.SYSTEM);
        server.startup();
        return new SecuredBroker(trustStore, port, server);
    }

    String bootstrapServers() {
        return "localhost:" + port;
    }

    /** The settings of a client who logs in as this user. */
    Map<String, String> client(String user) {
        return new HashMap<>(Map.of(
                "security.protocol",
                "SASL_SSL",
                "ssl.truststore.location",
                trustStore.toString(),
                "ssl.truststore.password",
                STORE_PASSWORD,
                "sasl.mechanism",
                "SCRAM-SHA-512",
                "sasl.jaas.config",
                jaas(user)));
    }

    @Override
    public void close() {
        server.shutdown();
        server.awaitShutdown();
    }

    private static String jaas(String user) {
        return "org.apache.kafka.common.security.scram.ScramLoginModule required username=\"%s\" password=\"%s-secret\";"
                .formatted(user, user);
    }

    private static void format(Path data, List<String> users) throws Exception {
        List<String> all = new java.util.ArrayList<>(users);
        all.add(ADMIN);
        Formatter formatter = new Formatter()
                .setClusterId("securedSecuredSecured0")
                .setNodeId(1)
                .addDirectory(data.toString())
                .setMetadataLogDirectory(data.toString())
                .setControllerListenerName("CONTROLLER")
                .setReleaseVersion(MetadataVersion.latestProduction())
                .setScramArguments(all.stream()
                        .map(user -> "SCRAM-SHA-512=[name=%s,password=%s-secret]".formatted(user, user))
                        .toList())
                .setPrintStream(new PrintStream(OutputStream.nullOutputStream(), false, UTF_8));
        for (Feature feature : Feature.PRODUCTION_FEATURES) {
            if (feature != Feature.KRAFT_VERSION) {
                formatter.setFeatureLevel(feature.featureName(), feature.latestProduction());
            }
        }
        formatter.run();
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private interface Keytool {
        void store(Path store) throws Exception;
    }

    /** The JDK's own. */
    private static Keytool keytool(String... arguments) {
        return store -> {
            List<String> command = new java.util.ArrayList<>(List.of(
                    Path.of(System.getProperty("java.home"), "bin", "keytool").toString()));
            command.addAll(List.of(arguments));
            command.addAll(
                    List.of("-keystore", store.toString(), "-storetype", "PKCS12", "-storepass", STORE_PASSWORD));
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            String output = new String(process.getInputStream().readAllBytes(), UTF_8);
            if (process.waitFor() != 0) {
                throw new IllegalStateException(output);
            }
        };
    }
}
