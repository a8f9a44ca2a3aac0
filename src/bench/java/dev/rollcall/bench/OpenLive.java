package dev.rollcall.bench;

import dev.rollcall.config.RollcallConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * All connections are open, for an hour of the log's time that is preloaded, and from then on in real time: at first nothing
 * changes; then a large shard restarts, and its devices are opened again; then large shards die, one after the other.
 *
 * <p>A topology that does nothing reads the same log meanwhile, to tell what of the processor's time is Kafka Streams' own.
 */
final class OpenLive {
    private static final long HOUR_MS = TimeUnit.HOURS.toMillis(1);
    private static final long SETTLE_MS = 20_000;
    private static final long QUIET_MS = 60_000;
    private static final long RESTART_MS = 20_000;
    private static final long BETWEEN_DEATHS_MS = 10_000;
    private static final long TIMEOUT_MS = TimeUnit.MINUTES.toMillis(15);
    private static final int RESTARTED = OpenLog.LARGE - 1;
    private static final long LOOK_EVERY_NANOS = TimeUnit.MILLISECONDS.toNanos(20);
    private static final String LOG = "sessions-log";
    private static final String ROLLCALL = "sessions-rollcall";
    private static final String NOOP = "sessions-noop";

    private final BrokerFixture broker;
    private final OpenLog log;
    private final int deaths;
    private final int largeShard;
    private final DeadShards dead;

    private OpenLive(BrokerFixture broker, OpenLog log, int users, int deaths) {
        this.broker = broker;
        this.log = log;
        this.deaths = deaths;
        largeShard = users / 10;
        dead = new DeadShards(deaths);
    }

    /**
     * What was measured; percent are of one core.
     *
     * @param shard_records_per_second what the shards wrote in an hour
     * @param restart_ms until a shard had begun again, and its devices were opened again
     * @param restart_thread_us_per_device the processing thread's time for that, beyond what it uses anyhow
     * @param last_offline_ms from the clock tick at which the devices of a dead shard had ended, to the last of them
     */
    record Figures(
            double shard_records_per_second,
            double thread_percent,
            double process_percent,
            double noop_thread_percent,
            double noop_process_percent,
            int devices_of_shard,
            long restart_ms,
            double restart_thread_us_per_device,
            double restart_changelog_records_per_device,
            Spread last_offline_ms,
            OutputDigest.Figures emitted) {}

    static Figures run(Options options, BrokerFixture broker, int users) throws IOException {
        long start = System.currentTimeMillis() / 1_000 * 1_000 - HOUR_MS;
        broker.createLog(LOG);
        broker.createOutputs(ROLLCALL);
        broker.createOutputs(NOOP);
        int deaths = Math.min(options.rounds, RESTARTED);
        try (HeartbeatWriter writer = new HeartbeatWriter(broker.bootstrapServers(), LOG, 0);
                OpenLog log = new OpenLog(writer, users, start, start + HOUR_MS);
                WorkerProcess rollcall = new WorkerProcess(options);
                WorkerProcess noop = new WorkerProcess(options)) {
            OpenLive live = new OpenLive(broker, log, users, deaths);
            Progress.print("preloading an hour of %,d open connections", users);
            log.writeTo(start + HOUR_MS);
            double perSecond = log.shardRecords() * 1_000.0 / HOUR_MS;
            log.writeTo(System.currentTimeMillis());
            broker.stampByBroker(LOG);
            Path end = options.workDirectory().resolve("end").toAbsolutePath();
            return live.measure(
                    start(rollcall, options, broker, Contestant.ROLLCALL, ROLLCALL, end),
                    start(noop, options, broker, Contestant.NOOP, NOOP, end),
                    end,
                    users,
                    perSecond);
        } catch (CompletionException e) {
            throw new BenchmarkException(String.valueOf(e.getCause()));
        }
    }

    private static CompletableFuture<Live.Result> start(
            WorkerProcess worker, Options options, BrokerFixture broker, Contestant contestant, String id, Path end) {
        long clock = System.currentTimeMillis() + HOUR_MS; // behind all that is written
        Live live = new Live(contestant.id(), broker.settings(options, id, LOG), clock, TIMEOUT_MS, end.toString());
        return CompletableFuture.supplyAsync(() -> {
            try {
                return worker.run(live);
            } catch (IOException e) {
                throw new CompletionException(e);
            }
        });
    }

    private Figures measure(
            CompletableFuture<Live.Result> rollcall,
            CompletableFuture<Live.Result> noop,
            Path end,
            int users,
            double shardRecordsPerSecond)
            throws IOException {
        String presence = BrokerFixture.presence(ROLLCALL);
        long emissions = users + (long) deaths * largeShard;
        CompletableFuture<Void> reading =
                CompletableFuture.runAsync(() -> broker.follow(presence, () -> !rollcall.isDone(), dead::emitted));
        goOnUntil(rollcall, () -> dead.seen() >= users);
        goOnUntil(rollcall, after(SETTLE_MS));
        Progress.print("all are open; nothing changes for %d s", QUIET_MS / 1_000);
        long quietFrom = System.currentTimeMillis();
        goOnUntil(rollcall, after(QUIET_MS));
        Progress.print("a shard with %,d devices restarts", largeShard);
        long restartFrom = System.currentTimeMillis();
        int reopening = log.restart(RESTARTED);
        goOnUntil(rollcall, after(RESTART_MS));
        long restartTo = System.currentTimeMillis();
        Progress.print("%d such shards die", deaths);
        for (int shard = 0; shard < deaths; shard++) {
            log.silence(shard);
            goOnUntil(rollcall, after(BETWEEN_DEATHS_MS));
        }
        goOnUntil(rollcall, () -> dead.seen() >= emissions);
        Files.createFile(end);
        Live.Result used = rollcall.join();
        Live.Result usedByNoop = noop.join();
        reading.join();

        broker.read(LOG, dead::written);
        OutputDigest.Figures emitted = broker.digest(presence).figures();
        OutputDigest.Figures expected = log.expectedOutput(dead.ends());
        if (!emitted.equals(expected) || broker.count(BrokerFixture.deadLetters(ROLLCALL)) > 0) {
            throw new BenchmarkException("not what follows from the log: %s, not %s".formatted(emitted, expected));
        }
        Live.Usage quiet = used.usage(quietFrom, restartFrom);
        Live.Usage quietNoop = usedByNoop.usage(quietFrom, restartFrom);
        Live.Usage restart = used.usage(restartFrom, restartTo);
        return new Figures(
                shardRecordsPerSecond,
                quiet.threadPercent(),
                quiet.processPercent(),
                quietNoop.threadPercent(),
                quietNoop.processPercent(),
                largeShard,
                used.processed(restartFrom, reopening) - restartFrom,
                (restart.threadPercent() - quiet.threadPercent()) / 100 * restart.ms() * 1_000 / largeShard,
                broker.changelogs(ROLLCALL, restartFrom)
                                .minus(broker.changelogs(ROLLCALL, restartTo))
                                .records()
                        / (double) largeShard,
                Spread.of(dead.delays(RollcallConfig.defaults().rules().sessions())),
                emitted);
    }

    /** Goes on writing in real time. */
    private void goOnUntil(CompletableFuture<Live.Result> rollcall, BooleanSupplier isSo) {
        while (!isSo.getAsBoolean() && !rollcall.isDone()) {
            log.writeTo(System.currentTimeMillis());
            LockSupport.parkNanos(LOOK_EVERY_NANOS);
        }
    }

    private static BooleanSupplier after(long ms) {
        long end = System.currentTimeMillis() + ms;
        return () -> System.currentTimeMillis() >= end;
    }
}
