package dev.rollcall.chaos;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.OutputStream;
import java.io.PrintStream;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import org.apache.kafka.common.utils.Exit;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.metadata.storage.Formatter;
import org.apache.kafka.server.common.Feature;
import org.apache.kafka.server.common.MetadataVersion;

/** One broker of the cluster, controller as well, in a process of its own. */
public final class BrokerNode {
    static final String UP = "the broker is up";

    /** Any 16 bytes in URL-safe base 64. */
    private static final String CLUSTER_ID = "Q2hhb3NDYW1wYWlnbg";

    /** Among the settings: the level of this feature; missing: the latest. Kafka takes it with its format alone. */
    static final String TRANSACTION_VERSION = Feature.TRANSACTION_VERSION.featureName();

    private BrokerNode() {}

    /** {@code arguments} is the path of a {@code server.properties}. Formats the log directory if it is new. */
    public static void main(String[] arguments) throws Exception {
        Lifeline.hold();
        Properties settings = new Properties();
        try (Reader in = Files.newBufferedReader(Path.of(arguments[0]))) {
            settings.load(in);
        }
        Object transactionVersion = settings.remove(TRANSACTION_VERSION);
        Path directory = Path.of(settings.getProperty("log.dirs"));
        if (!Files.exists(directory.resolve("meta.properties"))) {
            short level = transactionVersion == null
                    ? Feature.TRANSACTION_VERSION.latestProduction()
                    : Short.parseShort(transactionVersion.toString());
            format(directory, Integer.parseInt(settings.getProperty("node.id")), level);
        }
        KafkaRaftServer server = new KafkaRaftServer(new KafkaConfig(settings, false), Time.SYSTEM);
        Exit.addShutdownHook("broker-stop", server::shutdown);
        server.startup();
        System.out.println(UP);
        server.awaitShutdown();
    }

    private static void format(Path directory, int id, short transactionVersion) throws Exception {
        Formatter formatter = new Formatter()
                .setClusterId(CLUSTER_ID)
                .setNodeId(id)
                .addDirectory(directory.toString())
                .setMetadataLogDirectory(directory.toString())
                .setControllerListenerName(Brokers.CONTROLLER_LISTENER)
                .setReleaseVersion(MetadataVersion.latestProduction())
                .setPrintStream(new PrintStream(OutputStream.nullOutputStream(), false, UTF_8));
        for (Feature feature : Feature.PRODUCTION_FEATURES) {
            if (feature != Feature.KRAFT_VERSION) { // the three voters are given, and stay
                formatter.setFeatureLevel(feature.featureName(), feature.latestProduction());
            }
        }
        formatter.setFeatureLevel(TRANSACTION_VERSION, transactionVersion);
        formatter.run();
    }
}
