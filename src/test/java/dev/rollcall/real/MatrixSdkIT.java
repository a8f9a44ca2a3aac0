package dev.rollcall.real;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.app.Rollcall;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.domain.UserId;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** matrix-js-sdk, as it comes from its registry, sets and gets presence. */
@Tag("other-language")
@Timeout(180)
class MatrixSdkIT {
    @Test
    void shouldSetAndGetPresenceWithAnUnmodifiedMatrixClient(@TempDir Path dir) throws Exception {
        for (String file : new String[] {"package.json", "package-lock.json", "presence.mjs"}) {
            Files.copy(Path.of("examples", "matrix", file), dir.resolve(file));
        }
        assertThat(run(dir, "npm", "ci", "--no-audit", "--no-fund")).doesNotContain("npm error");
        try (Rollcall rollcall = Rollcall.start(RollcallConfig.of(RealContext.settings(
                dir.resolve("data"), "http.port", "0", "http.jwt.key", HttpContext.KEY, "pulse.interval.ms", "250")))) {
            rollcall.awaitReady();
            String url = rollcall.httpUrl().orElseThrow();
            HttpContext.withoutToken(url).awaitReady();
            String user = "@sdk:example.org";
            String token = HttpContext.TOKENS.forDevice(
                    UserId.of(user), "sdk", Instant.now().plusSeconds(600));

            String emitted = run(dir, "node", "presence.mjs", url, user, token);

            assertThat(emitted.lines())
                    .hasSize(4)
                    .anySatisfy(
                            line -> assertThat(line)
                                    .startsWith(
                                            "{\"presence\":\"online\",\"currently_active\":true,\"status_msg\":\"here\",\"last_active_ago\":"))
                    .anySatisfy(
                            line -> assertThat(line)
                                    .startsWith(
                                            "{\"presence\":\"unavailable\",\"currently_active\":false,\"status_msg\":\"making tea\""))
                    .anySatisfy(line -> assertThat(line).startsWith("{\"presence\":\"offline\""))
                    .anySatisfy(line -> assertThat(line).contains("busy"));
        }
    }

    private static String run(Path dir, String... command) throws Exception {
        Path out = dir.resolve(command[0] + ".log");
        Process process = new ProcessBuilder(command)
                .directory(dir.toFile())
                .redirectErrorStream(true)
                .redirectOutput(out.toFile())
                .start();
        if (!process.waitFor(90, TimeUnit.SECONDS)) {
            process.destroyForcibly();
        }
        assertThat(process.waitFor()).as(Files.readString(out)).isZero();
        return Files.readString(out);
    }
}
