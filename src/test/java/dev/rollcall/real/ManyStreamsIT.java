package dev.rollcall.real;

import static dev.rollcall.real.HttpContext.device;
import static dev.rollcall.real.RealContext.await;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.domain.PresenceState;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Two thousand open event streams with changes flowing: what they cost, and how late they hear. Also the death of a client. */
@Tag("load")
@Timeout(240)
class ManyStreamsIT {
    private static final int STREAMS = 2_000;
    private static final int CHANGES = 100;
    private static final Duration BETWEEN_CHANGES = Duration.ofMillis(100);

    /** A machine of two cores runs the broker, the processor, the edge and all two thousand readers. */
    private static final long LATE_MS = 5_000;

    @Test
    void shouldDeliverInTimeWhenTwoThousandStreamsAreOpen(@TempDir Path dataDir) throws Exception {
        int port = RealContext.freePort();
        Map<String, String> settings = settings(dataDir, port);
        try (RollcallProcess rollcall = RollcallProcess.ready(settings, dataDir.resolve("output.log"));
                RealContext context = new RealContext("localhost:" + settings.get("embedded.kafka.port"))) {
            String url = "http://127.0.0.1:" + port;
            HttpContext.withoutToken(url).awaitReady();
            long before = residentKb(rollcall.pid());
            try (Readers readers = new Readers(URI.create(url))) {
                for (int i = 0; i < STREAMS; i++) {
                    readers.open(device("@reader%d:example.org".formatted(i), "tab")
                            + "/events?users=%40star%3Aexample.org");
                }
                readers.awaitEach("unknown", Duration.ofSeconds(60));
                long open = residentKb(rollcall.pid());
                for (int i = 0; i < CHANGES; i++) {
                    // The text is the time, so that each reader can tell how old the news is.
                    context.text("@star:example.org", "t" + System.currentTimeMillis() + "t");
                    readers.read(BETWEEN_CHANGES);
                }
                context.text("@star:example.org", "last");
                readers.awaitEach("\"last\"", Duration.ofSeconds(30));
                long[] delays = readers.delays();
                Arrays.sort(delays);
                System.out.printf(
                        "%,d streams: %,d KB resident before, %,d KB with them open, %,d KB after %d changes to each;"
                                + " %,d deliveries, delay p50 %d ms, p99 %d ms, most %d ms%n",
                        STREAMS,
                        before,
                        open,
                        residentKb(rollcall.pid()),
                        CHANGES,
                        delays.length,
                        delays[delays.length / 2],
                        delays[delays.length * 99 / 100],
                        delays[delays.length - 1]);
                assertThat(delays.length).isGreaterThan(STREAMS * CHANGES / 10);
                assertThat(delays[delays.length * 99 / 100]).isLessThan(LATE_MS);
                assertThat(readers.ended).isZero();
            }
        }
    }

    @Test
    void shouldBeOfflineAfterTheGraceWhenTheClientIsKilled(@TempDir Path dataDir) throws Exception {
        int port = RealContext.freePort();
        Map<String, String> settings = settings(dataDir, port);
        try (RollcallProcess rollcall = RollcallProcess.ready(settings, dataDir.resolve("output.log"));
                RealContext context = new RealContext("localhost:" + settings.get("embedded.kafka.port"))) {
            String url = "http://127.0.0.1:" + port;
            HttpContext.withoutToken(url).awaitReady();
            String user = "@victim:example.org";
            Process client = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-XX:TieredStopAtLevel=1",
                            "-cp",
                            System.getProperty("java.class.path"),
                            Client.class.getName(),
                            url + device(user, "tab") + "/events")
                    .redirectErrorStream(true)
                    .redirectOutput(dataDir.resolve("client.log").toFile())
                    .start();
            try {
                context.awaitState(List.of(user), PresenceState.ONLINE);
                RealContext.sleep(Duration.ofSeconds(2));
                assertThat(context.emitted(user)).hasSize(1);
            } finally {
                client.destroyForcibly(); // SIGKILL
            }
            long killed = System.currentTimeMillis();
            context.awaitState(List.of(user), PresenceState.OFFLINE);
            assertThat(context.awaitEmitted(user, 2).presence().since() - killed)
                    .isBetween(1_500L, 4_000L);
            assertThat(rollcall.emitted()).contains("HTTP on " + url);
        }
    }

    private static Map<String, String> settings(Path dataDir, int port) throws IOException {
        return RealContext.settings(
                dataDir.resolve("rollcall"),
                "embedded.kafka.port",
                String.valueOf(RealContext.freePort()),
                "http.port",
                String.valueOf(port),
                "pulse.interval.ms",
                "250",
                "disconnect.grace.ms",
                "2000");
    }

    private static long residentKb(long pid) throws IOException {
        Path status = Path.of("/proc", String.valueOf(pid), "status");
        if (!Files.exists(status)) {
            return 0; // not on this system
        }
        try (Stream<String> lines = Files.lines(status)) {
            return lines.filter(line -> line.startsWith("VmRSS:"))
                    .map(line -> line.replaceAll("\\D", ""))
                    .mapToLong(Long::parseLong)
                    .findFirst()
                    .orElse(0);
        }
    }

    /** A client in a process of its own. */
    static final class Client {
        private Client() {}

        public static void main(String[] arguments) throws IOException {
            try (var in = URI.create(arguments[0]).toURL().openStream()) {
                while (in.read() >= 0) {
                    // until it is killed
                }
            }
        }
    }

    /** Many clients on one thread. */
    private static final class Readers implements AutoCloseable {
        private final URI url;
        private final Selector selector = Selector.open();
        private final List<StringBuilder> texts = new ArrayList<>();
        private final List<Long> delays = new ArrayList<>();
        private final ByteBuffer buffer = ByteBuffer.allocate(65_536);
        private int ended;

        Readers(URI url) throws IOException {
            this.url = url;
        }

        void open(String path) throws IOException {
            SocketChannel channel = SocketChannel.open(new InetSocketAddress(url.getHost(), url.getPort()));
            String request = "GET %s HTTP/1.1\r\nHost: %s\r\nAccept: text/event-stream\r\n\r\n"
                    .formatted(path, url.getAuthority());
            channel.write(ByteBuffer.wrap(request.getBytes(StandardCharsets.US_ASCII)));
            channel.configureBlocking(false);
            StringBuilder text = new StringBuilder();
            texts.add(text);
            channel.register(selector, SelectionKey.OP_READ, text);
        }

        void read(Duration time) throws IOException {
            long end = System.nanoTime() + time.toNanos();
            for (long left = time.toMillis(); left > 0; left = (end - System.nanoTime()) / 1_000_000) {
                selector.select(this::read, left);
            }
        }

        private void read(SelectionKey key) {
            try {
                buffer.clear();
                int read = ((SocketChannel) key.channel()).read(buffer);
                if (read < 0) {
                    ended++;
                    key.cancel();
                    return;
                }
                StringBuilder text = (StringBuilder) key.attachment();
                int from = text.length();
                text.append(new String(buffer.array(), 0, read, StandardCharsets.UTF_8));
                int begin = text.indexOf("\"status\":\"t", from);
                int finish = begin < 0 ? -1 : text.indexOf("t\"", begin + 11);
                if (finish > 0) {
                    delays.add(System.currentTimeMillis() - Long.parseLong(text, begin + 11, finish, 10));
                }
            } catch (IOException e) {
                ended++;
                key.cancel();
            }
        }

        void awaitEach(String what, Duration timeout) {
            await().alias("each reader has " + what)
                    .atMost(timeout)
                    .pollInSameThread()
                    .until(() -> {
                        read(Duration.ofMillis(50));
                        return texts.stream().allMatch(text -> text.indexOf(what) >= 0);
                    });
        }

        long[] delays() {
            return delays.stream().mapToLong(Long::longValue).toArray();
        }

        @Override
        public void close() throws IOException {
            for (SelectionKey key : selector.keys()) {
                key.channel().close();
            }
            selector.close();
        }
    }
}
