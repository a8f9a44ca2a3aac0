package dev.rollcall.real;

import static dev.rollcall.real.RealContext.await;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.domain.StatusText;
import dev.rollcall.embedded.EmbeddedBroker;
import dev.rollcall.wire.Inbound;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Whoever may write a record writes no line of the log, and steers nobody's terminal. */
@Timeout(120)
class HostileTextIT {
    private static final String FORGED = "10:00:00.000 ERROR Rollcall - forged";
    private static final String HOSTILE = "@a\n" + FORGED + "\u001b[2J\u009b2J\u202e:example.org";

    @TempDir
    private Path brokerDir;

    @TempDir
    private Path dataDir;

    private EmbeddedBroker broker;

    @BeforeEach
    void startBroker() {
        broker = EmbeddedBroker.start(brokerDir.resolve("kafka"), 0);
    }

    @AfterEach
    void stopBroker() {
        broker.close();
    }

    @Test
    void shouldWriteNoLineOfTheLogWhenAnIdIsLoggedOrQuoted() throws Exception {
        int port = RealContext.freePort();
        try (RollcallProcess rollcall = start("http.port", String.valueOf(port))) {
            rollcall.awaitReady();
            try (KafkaProducer<byte[], byte[]> producer = producer()) {
                byte[] text =
                        RealContext.bytes(RealContext.TOPICS.statuses(), new Inbound.Status(new StatusText("x", null)));
                for (int partition = 0; partition < RealContext.PARTITIONS; partition++) { // three of them misrouted
                    send(producer, partition, text);
                    send(producer, partition, HOSTILE.getBytes(UTF_8));
                }
            }
            for (String request : List.of(
                    "GET /" + HOSTILE + " HTTP/1.1\r\nHost: a\r\n\r\n",
                    HOSTILE + " / HTTP/1.1\r\nHost: a\r\n\r\n",
                    "GET / HTTP/1.1\r\nHost: " + HOSTILE + "\r\n" + HOSTILE + ": x\r\n\r\n",
                    "GET / " + HOSTILE + "\r\n\r\n")) {
                ask(port, request);
            }
            await().until(() -> rollcall.emitted().contains("where murmur2 of the key does not put it")
                    && rollcall.emitted().contains("dead letter"));

            assertNothingIsForged(rollcall.emitted());
            assertThat(rollcall.emitted()).contains("@a\\u000a" + FORGED);
        }
    }

    @Test
    void shouldWriteNoLineOfTheLogWhenAnIdIsInTheReasonForTheEnd() throws Exception {
        String changelog = "rollcall-users-changelog";
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrapServers()))) {
            admin.createTopics(List.of(new NewTopic(changelog, RealContext.PARTITIONS, (short) 1)
                            .configs(Map.of("cleanup.policy", "compact"))))
                    .all()
                    .get();
        }
        try (KafkaProducer<byte[], byte[]> poisoner = producer()) {
            poisoner.send(new ProducerRecord<>(changelog, 0, HOSTILE.getBytes(UTF_8), HOSTILE.getBytes(UTF_8)))
                    .get();
        }
        try (RollcallProcess rollcall = start()) {
            assertThat(rollcall.awaitEnd()).isEqualTo(70);
            assertThat(rollcall.emitted()).contains("Rollcall has stopped").contains("@a\\u000a" + FORGED);
            assertNothingIsForged(rollcall.emitted());
        }
    }

    private static void assertNothingIsForged(String emitted) {
        assertThat(emitted.lines()).noneMatch(line -> line.startsWith(FORGED));
        assertThat(emitted).doesNotContain("\u001b", "\u009b", "\u202e");
    }

    private static void ask(int port, String request) throws Exception {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(5_000);
            OutputStream out = socket.getOutputStream();
            out.write(request.getBytes(UTF_8));
            out.flush();
            socket.shutdownOutput();
            socket.getInputStream().readAllBytes();
        }
    }

    private static void send(KafkaProducer<byte[], byte[]> producer, int partition, byte[] value) throws Exception {
        producer.send(new ProducerRecord<>("status", partition, HOSTILE.getBytes(UTF_8), value))
                .get();
    }

    private KafkaProducer<byte[], byte[]> producer() {
        return RealContext.producer(broker.bootstrapServers(), Map.of());
    }

    private RollcallProcess start(String... keysAndValues) throws Exception {
        Map<String, String> settings = RealContext.settings(dataDir, keysAndValues);
        settings.put("bootstrap.servers", broker.bootstrapServers());
        return new RollcallProcess(
                settings, dataDir.resolve("output.log"), "-Dorg.slf4j.simpleLogger.defaultLogLevel=info");
    }
}
