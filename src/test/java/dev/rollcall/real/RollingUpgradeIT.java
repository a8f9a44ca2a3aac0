package dev.rollcall.real;

import static dev.rollcall.domain.PresenceState.IDLE;
import static dev.rollcall.domain.PresenceState.ONLINE;
import static dev.rollcall.real.RealContext.await;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.embedded.EmbeddedBroker;
import dev.rollcall.real.RealContext.Beating;
import dev.rollcall.real.RealContext.Emitted;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Three instances are replaced one after the other, as docs/operations.md says, while users come and go: how long a transition
 * waits until it is published.
 */
@Tag("load")
@Timeout(300)
@SuppressWarnings("try") // that they run is all, and a test is not interrupted
class RollingUpgradeIT {
    private static final int INSTANCES = 3;
    private static final String PARTITIONS = "12";
    private static final List<String> LIVING = RealContext.users("living", 500);
    private static final List<String> CHANGING = RealContext.users("changing", 60);

    /** The longest that is promised; on a machine that is so busy that an instance takes longer to start, as long as that. */
    private static final Duration LONGEST_WAIT = Duration.ofSeconds(5);

    /** Far longer than that: whoever leaves has to say so. */
    private static final String SESSION_TIMEOUT_MS = "90000";

    @TempDir
    private Path dir;

    @Test
    void shouldPublishEachTransitionOnceAndSoonWhileInstancesAreReplaced() throws Exception {
        List<RollcallProcess> running = new ArrayList<>();
        try (EmbeddedBroker broker = EmbeddedBroker.start(dir.resolve("broker"), 0)) {
            try {
                for (int number = 0; number < INSTANCES; number++) {
                    running.add(started(broker, number, "before"));
                }
                try (RealContext context = new RealContext(broker.bootstrapServers());
                        Changes changes = new Changes(context)) {
                    Beating beating = context.keepBeating(LIVING, Duration.ofMillis(250));
                    context.awaitState(LIVING, ONLINE);
                    List<Long> begins = new ArrayList<>();
                    long longestStart = 0;
                    begins.add(System.currentTimeMillis());
                    RealContext.sleep(Duration.ofSeconds(5));
                    for (int number = 0; number < INSTANCES; number++) {
                        begins.add(System.currentTimeMillis());
                        running.get(number).terminate();
                        running.get(number).awaitEnd();
                        long ended = System.currentTimeMillis();
                        running.set(number, started(broker, number, "after"));
                        longestStart = Math.max(longestStart, System.currentTimeMillis() - ended);
                        RealContext.sleep(Duration.ofSeconds(3)); // until it has its share of the partitions
                    }
                    begins.add(System.currentTimeMillis());
                    beating.stop();
                    changes.close();
                    List<Long> waits = changes.longestWaits(begins);
                    System.out.printf(
                            "the longest that a transition waited: %d ms at rest, %s ms while one of three was replaced,"
                                    + " which took up to %d ms to start%n",
                            waits.get(0), waits.subList(1, waits.size()), longestStart);
                    long bound = Math.max(LONGEST_WAIT.toMillis(), longestStart);
                    assertThat(waits).allSatisfy(wait -> assertThat(wait).isLessThan(bound));
                    assertThat(LIVING)
                            .allSatisfy(
                                    user -> assertThat(context.emitted(user)).hasSize(1));
                    context.assertHistoriesAreWhole();
                }
            } finally {
                running.forEach(RollcallProcess::close);
            }
        }
    }

    private RollcallProcess started(EmbeddedBroker broker, int number, String log) throws IOException {
        Map<String, String> settings = RealContext.settings(
                dir.resolve("instance-" + number),
                "bootstrap.servers",
                broker.bootstrapServers(),
                "topic.partitions",
                PARTITIONS,
                "kafka.session.timeout.ms",
                SESSION_TIMEOUT_MS);
        return RollcallProcess.ready(settings, dir.resolve("instance-%d-%s.log".formatted(number, log)), "-Xmx256m");
    }

    /** Users who go back and forth between ONLINE and IDLE, ten times a second. */
    private static final class Changes implements AutoCloseable {
        private final RealContext context;
        private final List<Long> sentAt = new CopyOnWriteArrayList<>();
        private final Thread thread = new Thread(this::run, "changes");
        private volatile boolean stopped;
        private volatile @Nullable Throwable failure;

        Changes(RealContext context) {
            this.context = context;
            thread.start();
        }

        private void run() {
            try {
                while (!stopped) {
                    sentAt.add(System.currentTimeMillis());
                    context.heartbeats(CHANGING, sentAt.size() % 2 == 0 ? IDLE : ONLINE);
                    RealContext.sleep(Duration.ofMillis(100));
                }
            } catch (InterruptedException | AssertionError e) {
                failure = e;
            }
        }

        /** The longest that a change of anybody waited, of those that were sent from one of these times to the next. */
        List<Long> longestWaits(List<Long> begins) {
            await().untilAsserted(() -> assertThat(CHANGING)
                    .allSatisfy(user -> assertThat(context.emitted(user)).hasSize(sentAt.size())));
            List<Long> longest = new ArrayList<>();
            for (int phase = 0; phase < begins.size() - 1; phase++) {
                long wait = 0;
                for (String user : CHANGING) {
                    List<Emitted> emitted = context.emitted(user);
                    for (int i = 0; i < sentAt.size(); i++) {
                        boolean isOfPhase = sentAt.get(i) >= begins.get(phase) && sentAt.get(i) < begins.get(phase + 1);
                        if (isOfPhase) {
                            wait = Math.max(wait, emitted.get(i).receivedAt() - sentAt.get(i));
                        }
                    }
                }
                longest.add(wait);
            }
            return longest;
        }

        @Override
        public void close() throws InterruptedException {
            stopped = true;
            thread.join();
            assertThat(failure).isNull();
        }
    }
}
