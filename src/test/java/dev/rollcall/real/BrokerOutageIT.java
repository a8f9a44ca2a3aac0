package dev.rollcall.real;

import static dev.rollcall.domain.PresenceState.OFFLINE;
import static dev.rollcall.domain.PresenceState.ONLINE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.app.Rollcall;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.embedded.EmbeddedBroker;
import dev.rollcall.real.RealContext.Beating;
import dev.rollcall.real.RealContext.Emitted;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The log is away, and the processor is not: time stands still until the log is back. */
@Timeout(180)
class BrokerOutageIT {
    private static final Duration LEASE = Duration.ofSeconds(5);

    private static final Duration BEAT = Duration.ofSeconds(1);

    /** More than twice the lease, and longer than the 10 s after which Streams' open transactions are given up. */
    private static final Duration OUTAGE = Duration.ofSeconds(11);

    /** Until everybody has found the broker again. */
    private static final long RECONNECTED_WITHIN_MS = 10_000;

    @TempDir
    private Path dataDir;

    private EmbeddedBroker broker;
    private Rollcall rollcall;
    private RealContext context;

    @BeforeEach
    void start() throws Exception {
        broker = EmbeddedBroker.start(dataDir.resolve("broker"), RealContext.freePort());
        rollcall = Rollcall.start(RollcallConfig.of(RealContext.settings(
                dataDir.resolve("processor"),
                "bootstrap.servers",
                broker.bootstrapServers(),
                "device.lease.ms",
                String.valueOf(LEASE.toMillis()),
                "pulse.interval.ms",
                "250")));
        rollcall.awaitReady();
        context = new RealContext(broker.bootstrapServers());
    }

    @AfterEach
    void stop() {
        context.close();
        rollcall.close();
        broker.close();
    }

    @Test
    void shouldBlameNobodyWhenTheBrokerWasAwayForLongerThanTheLease() throws Exception {
        List<String> staying = RealContext.users("staying", 10_000);
        List<String> leaving = RealContext.users("leaving", 20);
        List<String> all = new ArrayList<>(staying);
        all.addAll(leaving);
        Beating beating = context.keepBeating(all, BEAT);
        context.awaitState(all, ONLINE);
        RealContext.sleep(Duration.ofSeconds(1));
        beating.stop();

        broker.close();
        RealContext.sleep(OUTAGE);
        broker = EmbeddedBroker.start(dataDir.resolve("broker"), broker.port());
        long returned = System.currentTimeMillis();
        // Not at once: clock ticks come before the first heartbeat.
        RealContext.sleep(LEASE.dividedBy(2));
        context.keepBeating(staying, BEAT);
        context.awaitState(leaving, OFFLINE);
        RealContext.sleep(Duration.ofSeconds(2));

        assertThat(context.everOffline(staying)).as("flapped").isEmpty();
        assertThat(staying).allSatisfy(user -> assertThat(context.emitted(user)).hasSize(1));
        assertThat(leaving).allSatisfy(user -> {
            Emitted offline = context.awaitEmitted(user, 2);
            // One lease from the end of the silence on, for the silence was longer.
            assertThat(offline.presence().since() - returned - LEASE.toMillis())
                    .isBetween(-1_000L, RECONNECTED_WITHIN_MS);
            assertThat(offline.receivedAt() - offline.presence().since()).isBetween(0L, 10_000L);
        });
        context.assertHistoriesAreWhole();
    }
}
