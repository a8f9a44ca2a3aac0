package dev.rollcall.real;

import static dev.rollcall.domain.PresenceState.OFFLINE;
import static dev.rollcall.domain.PresenceState.ONLINE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.chaos.check.Checker;
import dev.rollcall.chaos.check.LogReader;
import dev.rollcall.chaos.check.Logs;
import dev.rollcall.chaos.check.Settings;
import dev.rollcall.chaos.check.Verdict;
import dev.rollcall.chaos.check.Window;
import dev.rollcall.real.RealContext.Beating;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The checker reads real topics, on which somebody has been killed in the middle. */
@Timeout(180)
class CheckerIT {
    private static final Duration LEASE = Duration.ofSeconds(6);
    private static final Settings SETTINGS = new Settings(
            RealContext.PARTITIONS,
            LEASE.toMillis(),
            5_000,
            500,
            15_000,
            60_000,
            30_000,
            15_000,
            0,
            64,
            2_592_000_000L,
            3_000);
    private static final String HIDDEN = "@hidden:example.org";

    @TempDir
    private Path dataDir;

    @TempDir
    private Path logs;

    @Test
    void shouldFindNothingUntilSomethingIsMissing() throws Exception {
        int port = RealContext.freePort();
        Map<String, String> settings = RealContext.settings(
                dataDir,
                "embedded.kafka.port",
                String.valueOf(port),
                "device.lease.ms",
                String.valueOf(LEASE.toMillis()),
                "pulse.interval.ms",
                "500");
        List<String> staying = RealContext.users("staying", 50);
        List<String> leaving = RealContext.users("leaving", 20);
        List<String> all = new ArrayList<>(staying);
        all.addAll(leaving);
        all.add(HIDDEN);
        RollcallProcess first = RollcallProcess.ready(settings, logs.resolve("first.log"));
        try (RealContext context = new RealContext("localhost:" + port)) {
            long killed;
            Beating beating;
            try {
                beating = context.keepBeating(all, Duration.ofMillis(500));
                context.awaitState(all, ONLINE);
                context.hide(HIDDEN);
                context.text(staying.get(0), "Back soon");
                context.text(staying.get(1), "For a while", System.currentTimeMillis() + 1_500);
                context.awaitEmitted(staying.get(1), 3);
                context.awaitEmitted(HIDDEN, 2);
                beating.silence(leaving);
                RealContext.sleep(Duration.ofSeconds(2));
            } finally {
                killed = System.currentTimeMillis();
                first.close();
            }
            try (RollcallProcess second = RollcallProcess.ready(settings, logs.resolve("second.log"))) {
                context.awaitState(leaving, OFFLINE);
                context.end(staying.get(2), "phone");
                Window down = new Window(killed - 2_000, System.currentTimeMillis());
                context.unhide(HIDDEN);
                context.awaitEmitted(HIDDEN, 3);
                beating.stop();
                context.awaitState(all, OFFLINE);
                RealContext.sleep(Duration.ofMillis(SETTINGS.slackMs() + 1_000));

                Logs read = LogReader.read("localhost:" + port, Duration.ofSeconds(30));
                Verdict verdict = Checker.check(read, SETTINGS, List.of(down));

                System.out.println("CheckerIT: " + verdict);
                assertThat(second).isNotNull();
                assertThat(verdict.violations()).isEmpty();
                assertThat(verdict.undecided()).isEmpty();
                assertThat(verdict.users()).isEqualTo(all.size());
                assertThat(verdict.expiries()).hasSizeGreaterThanOrEqualTo(leaving.size());
                assertThat(Checker.check(
                                        read.withPresence(read.presence()
                                                .subList(0, read.presence().size() - 1)),
                                        SETTINGS,
                                        List.of(down))
                                .violations())
                        .hasSize(1);
            }
        }
    }
}
