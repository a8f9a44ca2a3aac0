package dev.rollcall.real;

import static dev.rollcall.domain.PresenceState.IDLE;
import static dev.rollcall.domain.PresenceState.ONLINE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.app.Rollcall;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.Presence;
import dev.rollcall.domain.PresenceState;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Goes on with the data directory of an earlier version: topics, offsets, changelog and local state. The fixture is from
 * before RocksDB left the path of a transition (ADR 18), and was written by {@link #main} with that version's classes.
 */
@Timeout(180)
class EarlierVersionIT {
    private static final String FIXTURE = "/data-of-an-earlier-version.zip";
    private static final String HIDDEN = "@hidden:example.org";
    private static final String TEXTED = "@texted:example.org";
    private static final List<String> STAYING = RealContext.users("staying", 20);
    private static final List<String> IDLING = RealContext.users("idling", 5);

    /** However old the fixture is: a device whose lease was over before the log fell silent would be gone. */
    private static final long LEASE_MS = 86_400_000;

    @TempDir
    private Path dataDir;

    /** Writes a data directory with the classes that it runs with, to be packed as the fixture. */
    public static void main(String[] args) throws Exception {
        Path directory = Path.of(args[0]);
        try (Rollcall rollcall = start(directory);
                RealContext context = new RealContext(rollcall.bootstrapServers())) {
            List<String> all = new ArrayList<>(STAYING);
            all.addAll(List.of(HIDDEN, TEXTED));
            beat(context, all, null);
            IDLING.forEach(user -> context.heartbeat(user, heartbeat(IDLE)));
            context.awaitState(all, ONLINE);
            context.awaitState(IDLING, IDLE);
            context.text(TEXTED, "Back soon");
            context.hide(HIDDEN);
            context.awaitEmitted(TEXTED, 2);
            context.awaitEmitted(HIDDEN, 2);
        }
    }

    @Test
    void shouldGoOnWithItsLocalStateWhenAnEarlierVersionWroteIt() throws Exception {
        unpack();

        shouldGoOn();
    }

    @Test
    void shouldGoOnWithItsChangelogWhenTheLocalStateIsGone() throws Exception {
        unpack();
        Path state = dataDir.resolve("streams");
        assertThat(state).isDirectory();
        try (Stream<Path> all = Files.walk(state)) {
            for (Path path : all.sorted((one, other) -> other.compareTo(one)).toList()) {
                Files.delete(path);
            }
        }

        shouldGoOn();
    }

    private void shouldGoOn() throws Exception {
        try (Rollcall rollcall = start(dataDir);
                RealContext context = new RealContext(rollcall.bootstrapServers())) {
            List<String> online = new ArrayList<>(STAYING);
            online.addAll(List.of(HIDDEN, TEXTED));
            List<String> all = new ArrayList<>(online);
            all.addAll(IDLING);
            beat(context, all, null); // keeps the state that is stored, or makes a device that is not known ONLINE
            context.awaitEmitted(TEXTED, 2);
            List<String> latest = RealContext.users("latest", 8);
            context.heartbeats(latest, ONLINE);
            context.awaitState(latest, ONLINE); // so what was written before has been handled, on all partitions
            assertThat(STAYING)
                    .allSatisfy(user -> assertThat(context.emitted(user)).hasSize(1));
            assertThat(IDLING)
                    .allSatisfy(user ->
                            assertThat(context.lastEmitted(user).state()).isEqualTo(IDLE));
            assertThat(context.emitted(TEXTED)).hasSize(2);
            assertThat(context.emitted(HIDDEN)).as("still hidden").hasSize(2);

            online.forEach(user -> context.heartbeat(user, heartbeat(IDLE)));
            for (String user : STAYING) {
                assertThat(context.awaitEmitted(user, 2).presence().sequence()).isEqualTo(2);
            }
            Presence texted = context.awaitEmitted(TEXTED, 3).presence();
            assertThat(texted.status()).isEqualTo("Back soon");
            context.unhide(HIDDEN);
            assertThat(context.awaitEmitted(HIDDEN, 3).presence().state()).isEqualTo(IDLE);
            context.assertHistoriesAreWhole();
        }
    }

    private void unpack() throws IOException {
        try (InputStream fixture = Objects.requireNonNull(EarlierVersionIT.class.getResourceAsStream(FIXTURE));
                ZipInputStream zip = new ZipInputStream(fixture)) {
            for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
                Path path = dataDir.resolve(entry.getName()).normalize();
                assertThat(path.startsWith(dataDir)).isTrue();
                if (entry.isDirectory()) {
                    Files.createDirectories(path);
                } else {
                    Files.createDirectories(path.getParent());
                    Files.copy(zip, path);
                }
            }
        }
    }

    private static void beat(RealContext context, List<String> users, @Nullable PresenceState state) {
        users.forEach(user -> context.heartbeat(user, heartbeat(state)));
    }

    private static Heartbeat heartbeat(@Nullable PresenceState state) {
        return new Heartbeat("phone", state, false, OptionalLong.of(LEASE_MS), null);
    }

    private static Rollcall start(Path directory) throws Exception {
        Map<String, String> settings = RealContext.settings(
                directory, "embedded.kafka.port", String.valueOf(RealContext.freePort()), "topic.partitions", "2");
        Rollcall rollcall = Rollcall.start(RollcallConfig.of(settings));
        rollcall.awaitReady();
        return rollcall;
    }
}
