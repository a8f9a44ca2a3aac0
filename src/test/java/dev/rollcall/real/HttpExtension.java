package dev.rollcall.real;

import static java.util.Objects.requireNonNull;

import dev.rollcall.app.Rollcall;
import dev.rollcall.config.RollcallConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** One Rollcall with its HTTP edge, on a port of its own and ready, for all tests of a class. */
final class HttpExtension implements BeforeAllCallback, AfterAllCallback {
    private final String[] settings;
    private @Nullable Path dataDir;
    private @Nullable Rollcall rollcall;
    private @Nullable RealContext kafka;

    private HttpExtension(String... settings) {
        this.settings = settings;
    }

    /** With these keys and values, in turn. The clock ticks every 250 ms. */
    static HttpExtension with(String... settings) {
        return new HttpExtension(settings);
    }

    @Override
    public void beforeAll(ExtensionContext context) throws Exception {
        dataDir = Files.createTempDirectory("rollcall-http");
        var all = RealContext.settings(dataDir, "http.port", "0", "pulse.interval.ms", "250");
        for (int i = 0; i < settings.length; i += 2) {
            all.put(settings[i], settings[i + 1]);
        }
        rollcall = Rollcall.start(RollcallConfig.of(all));
        http().get("/health/live").isOk();
        rollcall.awaitReady();
        http().awaitReady();
        kafka = new RealContext(rollcall.bootstrapServers());
    }

    @Override
    public void afterAll(ExtensionContext context) throws IOException {
        if (kafka != null) {
            kafka.close();
        }
        if (rollcall != null) {
            rollcall.close();
        }
        if (dataDir != null) {
            try (Stream<Path> files = Files.walk(dataDir)) {
                for (Path file : files.sorted((a, b) -> b.compareTo(a)).toList()) {
                    Files.deleteIfExists(file);
                }
            }
        }
    }

    /** An address that a client on this machine can use, also where the edge listens on all interfaces. */
    String url() {
        return requireNonNull(rollcall).httpUrl().orElseThrow().replace("0.0.0.0", "127.0.0.1");
    }

    /** The address for health alone. */
    String healthUrl() {
        return requireNonNull(rollcall).healthUrl().orElseThrow();
    }

    /** A client without a token. */
    HttpContext http() {
        return HttpContext.withoutToken(url());
    }

    /** A client of Kafka. */
    RealContext kafka() {
        return requireNonNull(kafka);
    }
}
