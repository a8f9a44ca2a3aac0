package dev.rollcall.real;

import static dev.rollcall.domain.PresenceState.IDLE;
import static dev.rollcall.domain.PresenceState.OFFLINE;
import static dev.rollcall.domain.PresenceState.ONLINE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.app.Rollcall;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.domain.Presence;
import dev.rollcall.real.RealContext.Beating;
import dev.rollcall.real.RealContext.Emitted;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** Everything stops in the middle, broker and processor, and starts again on the same data. */
@Execution(ExecutionMode.CONCURRENT)
@Timeout(180)
class RestartIT {
    /** A few seconds; three times that on a busy machine. But not the 45 of a group's session. */
    private static final long READY_AGAIN_WITHIN_MS = 20_000;

    /** What a transition may be late: a log that stood still on a busy machine gives everybody a new lease (rule 7). */
    private static final long LATE_MS = 20_000;

    private static final String HIDDEN = "@hidden:example.org";
    private static final String TEXTED = "@texted:example.org";

    @TempDir
    private Path dataDir;

    @TempDir
    private Path logs;

    private int port;

    @BeforeEach
    void choosePort() throws Exception {
        port = RealContext.freePort();
    }

    @Test
    void shouldGoOnWhereItWasWhenItIsClosedAndStartedAgain() throws Exception {
        Duration lease = Duration.ofSeconds(8);
        Rollcall first = start(lease);

        shouldGoOn(first::close, lease, Duration.ZERO);
    }

    @Test
    void shouldGoOnWhereItWasWhenItIsKilled() throws Exception {
        Duration lease = Duration.ofSeconds(12);
        RollcallProcess first = RollcallProcess.ready(settings(lease), logs.resolve("killed.log"));

        shouldGoOn(first::close, lease, Duration.ZERO);
    }

    @Test
    void shouldBlameNobodyWhenEverythingWasDownForLongerThanTheLease() throws Exception {
        Duration lease = Duration.ofSeconds(3);
        Rollcall first = start(lease);

        shouldGoOn(first::close, lease, Duration.ofSeconds(4));
    }

    private void shouldGoOn(Runnable stopFirst, Duration lease, Duration pause) throws Exception {
        List<String> staying = RealContext.users("staying", 50);
        List<String> leaving = RealContext.users("leaving", 20);
        List<String> all = new ArrayList<>(staying);
        all.addAll(leaving);
        all.addAll(List.of(HIDDEN, TEXTED));
        try (RealContext context = new RealContext("localhost:" + port)) {
            long lastBeat;
            Long seen;
            try {
                Beating beating = context.keepBeating(all, Duration.ofMillis(200));
                context.awaitState(all, ONLINE);
                context.hide(HIDDEN);
                context.text(TEXTED, "Back soon");
                context.awaitEmitted(TEXTED, 2);
                seen = context.awaitEmitted(HIDDEN, 2).presence().lastActive();
                RealContext.sleep(Duration.ofMillis(500));
                beating.stop(); // every heartbeat is on the log now, but the last ones have not been read
                lastBeat = System.currentTimeMillis();
            } finally {
                stopFirst.run();
            }
            RealContext.sleep(pause);

            long startedAgain = System.currentTimeMillis();
            try (Rollcall second = start(lease)) {
                long returned = System.currentTimeMillis();
                assertThat(second.bootstrapServers()).isEqualTo("localhost:" + port);
                assertThat(returned - startedAgain)
                        .as("it does not wait for the one that is gone (ms)")
                        .isLessThan(READY_AGAIN_WITHIN_MS);
                // Not at once: the processor's first clock ticks come before the first heartbeat. But well within a
                // lease of the first one, which a busy machine may see some seconds before it is ready.
                RealContext.sleep(Duration.ofSeconds(1));
                List<String> back = new ArrayList<>(staying);
                back.addAll(List.of(HIDDEN, TEXTED));
                context.keepBeating(back, Duration.ofMillis(200));
                context.awaitState(leaving, OFFLINE);
                RealContext.sleep(Duration.ofSeconds(1));

                assertThat(context.everOffline(staying)).as("flapped").isEmpty();
                assertThat(staying)
                        .allSatisfy(user -> assertThat(context.emitted(user)).hasSize(1));
                assertThat(leaving).allSatisfy(user -> {
                    Emitted offline = context.awaitEmitted(user, 2);
                    assertThat(offline.presence().since())
                            .isBetween(lastBeat - 1_000 + lease.toMillis(), returned + lease.toMillis() + LATE_MS);
                    assertThat(offline.receivedAt() - returned).isLessThan(lease.toMillis() + LATE_MS);
                });

                // The text and the flag are what they were, and numbers go on.
                context.heartbeat(TEXTED, "phone", IDLE);
                Presence texted = context.awaitEmitted(TEXTED, 3).presence();
                assertThat(texted.state()).isEqualTo(IDLE);
                assertThat(texted.status()).isEqualTo("Back soon");
                assertThat(context.emitted(HIDDEN)).as("still hidden").hasSize(2);
                context.unhide(HIDDEN);
                Presence shown = context.awaitEmitted(HIDDEN, 3).presence();
                assertThat(shown.state()).isEqualTo(ONLINE);
                assertThat(shown.lastActive()).isEqualTo(seen);
                context.assertHistoriesAreWhole();
            }
        }
    }

    private Rollcall start(Duration lease) throws Exception {
        Rollcall rollcall = Rollcall.start(RollcallConfig.of(settings(lease)));
        rollcall.awaitReady();
        return rollcall;
    }

    private Map<String, String> settings(Duration lease) {
        return RealContext.settings(
                dataDir,
                "embedded.kafka.port",
                String.valueOf(port),
                "device.lease.ms",
                String.valueOf(lease.toMillis()),
                "pulse.interval.ms",
                "250");
    }
}
