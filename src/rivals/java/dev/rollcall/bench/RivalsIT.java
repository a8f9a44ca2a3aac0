package dev.rollcall.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.config.RollcallConfig;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.UserId;
import java.nio.file.Path;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.NullUnmarked;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The benchmark's logs end no lease and give each user one device. That the rivals know the rest of their work is shown here. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@NullUnmarked // set in start, which JUnit calls first
final class RivalsIT {
    private static final long START = 1_700_000_000_000L;
    private static final long LEASE_MS = 30_000;

    /** As many users who never fall silent as are sure to be on every partition, so that time goes on there. */
    private static final int LIVING = 64;

    private static final int SILENT = LIVING;
    private static final int WITH_TWO_DEVICES = LIVING + 1;
    private static final int WHO_RETURNS = LIVING + 2;

    private BrokerFixture broker;

    @BeforeAll
    void start(@TempDir Path directory) {
        broker = new BrokerFixture(directory);
    }

    @AfterAll
    void stop() {
        broker.close();
    }

    @ParameterizedTest
    @EnumSource(names = {"FLINK_HEAP", "FLINK_ROCKSDB", "FLINK_HEAP_DISCARD", "REDIS"})
    void shouldEndLeasesAndMergeDevices(Contestant contestant) throws Exception {
        Options options = new Options();
        String id = contestant.id();
        String log = id + "-log";
        broker.createLog(log);
        broker.createOutputs(id);
        // Who returns in a backlog is taken for never away by Redis, where leases end once a second of real time.
        boolean withReturn = contestant != Contestant.REDIS;
        long records = write(log, withReturn);
        try (WorkerProcess worker = WorkerProcess.of(contestant, options)) {
            Work work = new Work(id, broker.settings(options, id, log), records, broker.ends(log));
            OutputDigest.Figures kept = worker.run(work).kept;
            OutputDigest.Figures emitted =
                    kept == null ? broker.digest(BrokerFixture.presence(id)).figures() : kept;
            assertThat(emitted).isEqualTo(expected(withReturn));
        }
    }

    private long write(String log, boolean withReturn) {
        try (HeartbeatWriter writer = new HeartbeatWriter(broker.bootstrapServers(), log, 0)) {
            for (int second = 0; second <= 100; second += 5) {
                long at = START + second * 1_000L;
                for (int user = 0; user < LIVING; user++) {
                    beat(writer, user, "A", null, at);
                }
                if (second == 0) {
                    beat(writer, SILENT, "A", PresenceState.IDLE, at);
                    beat(writer, WITH_TWO_DEVICES, "A", PresenceState.ONLINE, at);
                }
                if (withReturn && (second == 0 || second == 50)) {
                    beat(writer, WHO_RETURNS, "A", null, at);
                }
                if (second >= 20) {
                    beat(writer, WITH_TWO_DEVICES, "B", PresenceState.IDLE, at);
                }
            }
            writer.flush();
        }
        return broker.ends(log).values().stream().mapToLong(end -> end).sum();
    }

    private static OutputDigest.Figures expected(boolean withReturn) {
        OutputDigest digest = new OutputDigest();
        for (int user = 0; user < LIVING; user++) {
            expect(digest, user, PresenceState.ONLINE, 0);
        }
        expect(digest, SILENT, PresenceState.IDLE, 0);
        expect(digest, SILENT, PresenceState.OFFLINE, LEASE_MS);
        expect(digest, WITH_TWO_DEVICES, PresenceState.ONLINE, 0);
        expect(digest, WITH_TWO_DEVICES, PresenceState.IDLE, LEASE_MS);
        if (withReturn) {
            expect(digest, WHO_RETURNS, PresenceState.ONLINE, 0);
            expect(digest, WHO_RETURNS, PresenceState.OFFLINE, LEASE_MS);
            expect(digest, WHO_RETURNS, PresenceState.ONLINE, 50_000);
            expect(digest, WHO_RETURNS, PresenceState.OFFLINE, 50_000 + LEASE_MS);
        }
        return digest.figures();
    }

    private static void beat(HeartbeatWriter writer, int user, String device, @Nullable PresenceState state, long at) {
        writer.deviceHeartbeat(user, new Heartbeat(device, state, false, OptionalLong.empty(), "hs-shard-1"), at);
    }

    private static void expect(OutputDigest digest, int user, PresenceState state, long afterMs) {
        digest.transition(UserId.ofBytes(LogPlan.key(user)), state, START + afterMs);
    }

    /** Reads the whole log, and goes on until what follows from its end is committed too. */
    record Work(String contestant, Map<String, String> settings, long records, Map<Integer, Long> ends)
            implements Job<Work.Result> {
        record Result(OutputDigest.@Nullable Figures kept) {}

        @Override
        public Class<Result> resultType() {
            return Result.class;
        }

        @Override
        public Result run() throws Exception {
            RollcallConfig config = RollcallConfig.of(settings);
            Run run = Rivals.start(Contestant.ofId(contestant), config);
            try (run) {
                while (run.processed() < records || !run.isDoneWith(ends)) {
                    run.check();
                    TimeUnit.MILLISECONDS.sleep(20);
                }
                TimeUnit.SECONDS.sleep(3); // a watermark, and the checkpoint after it
            }
            return new Result(run.digest());
        }
    }
}
