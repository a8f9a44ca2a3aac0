package dev.rollcall.bench;

import static java.util.Objects.requireNonNull;

import dev.rollcall.wire.Inbound;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;

/** What open connections cost that shards hold (rule 14), beside devices that send heartbeats, in one run. */
final class OpenConnections {
    private static final int USERS = 1_000_000;
    private static final long RECORDS = 6L * USERS;

    private final Options options;
    private final int users;
    private final Map<String, Object> figures = new LinkedHashMap<>();
    private final List<Target> targets = new ArrayList<>();

    private OpenConnections(Options options) {
        this.options = options;
        users = options.users(USERS);
    }

    static void scenario(Options options) throws IOException {
        OpenConnections all = new OpenConnections(options);
        all.add("users", all.users);
        all.tick();
        all.live();
        all.steady();
        all.takeOver();
        Progress.print("");
        Report.figures(options, Scenario.SESSIONS.id(), all.figures, all.targets);
    }

    /** Shown at once: all of it takes a quarter of an hour. */
    private void add(String name, Object figure) throws IOException {
        figures.put(name, figure);
        Progress.print("%-40s %s", name, Json.LINE.writeValueAsString(figure));
    }

    private void tick() throws IOException {
        try (WorkerProcess worker = new WorkerProcess(options)) {
            IdleTick.Result tick = worker.run(new IdleTick(users, IdleTick.Mode.OPEN));
            add("tick", tick);
            targets.add(Target.atMost(1, "clock tick with %d open, p99, ms".formatted(users), tick.p99_ms())
                    .rounded(4));
        }
    }

    private void live() throws IOException {
        try (BrokerFixture broker = new BrokerFixture(options.workDirectory())) {
            OpenLive.Figures live = OpenLive.run(options, broker, users);
            add("live", live);
            add("bytes_per_shard_record", bytesOfShardHeartbeat());
            targets.add(
                    Target.atMost(2, "processing thread while nothing changes, % of a core", live.thread_percent()));
            targets.add(Target.atMost(
                            2_000,
                            "last OFFLINE of a shard with %d, ms".formatted(live.devices_of_shard()),
                            live.last_offline_ms().median())
                    .rounded(0));
        }
    }

    /** The same users as devices that send a heartbeat every ten seconds. */
    private void steady() throws IOException {
        try (BrokerFixture broker = new BrokerFixture(options.workDirectory());
                Throughput throughput = new Throughput(
                        options, broker, LogPlan.Kind.STEADY, users, options.records(RECORDS * users / USERS))) {
            throughput.warmUp(List.of(Contestant.ROLLCALL));
            for (int round = 0; round < options.rounds; round++) {
                throughput.round();
            }
            Throughput.Figures steady = requireNonNull(throughput.figures().get(Contestant.ROLLCALL.id()));
            double perSecond = users * 1_000.0 / LogPlan.PERIOD_MS;
            add("steady", steady);
            add("steady_records_per_second", perSecond);
            add("steady_thread_percent", perSecond * steady.thread_cpu_ns_per_record() / 1e9 * 100);
        }
    }

    private void takeOver() throws IOException {
        int few = Math.max(1, users / 100);
        try (BrokerFixture broker = new BrokerFixture(options.workDirectory());
                Takeover fewLeased = Takeover.ofLeased(options, broker, few);
                Takeover fewOpen = Takeover.ofOpen(options, broker, few);
                Takeover leased = Takeover.ofLeased(options, broker, users);
                Takeover open = Takeover.ofOpen(options, broker, users)) {
            add("steady_bytes_per_record", broker.bytesOnDisk(Takeover.log(leased.id())) / (double) users);
            double heapLeased = heapPerDevice("leased", broker, fewLeased, leased);
            double heapOpen = heapPerDevice("open", broker, fewOpen, open);
            targets.add(Target.atMost(1, "heap per open device / per leased device", heapOpen / heapLeased));
            Map<String, List<Double>> times = new LinkedHashMap<>();
            for (int round = 1; round <= options.rounds; round++) {
                takeOver(times, "leased", leased);
                takeOver(times, "open", open);
                Progress.print("round %d/%d    taken over", round, options.rounds);
            }
            for (Map.Entry<String, List<Double>> each : times.entrySet()) {
                add(each.getKey(), Spread.of(each.getValue()));
            }
        }
    }

    /** After a clean close, without local state, and after a kill: then also the group waits for the dead member. */
    private static void takeOver(Map<String, List<Double>> times, String name, Takeover takeover) throws IOException {
        add(times, name + "_closed_ready_ms", takeover.stay());
        takeover.loseState();
        add(times, name + "_from_changelog_ready_ms", takeover.stay());
        takeover.stayUntilKilled();
        add(times, name + "_killed_ready_ms", takeover.stay());
    }

    private static void add(Map<String, List<Double>> times, String name, StateBuildUp.Result result) {
        times.computeIfAbsent(name, any -> new ArrayList<>()).add(result.readyMs());
    }

    private double heapPerDevice(String name, BrokerFixture broker, Takeover few, Takeover many) throws IOException {
        StateBuildUp.Result one = few.secondStay();
        StateBuildUp.Result other = many.secondStay();
        double heap = (other.heapBytes() - one.heapBytes()) / (double) (many.users() - few.users());
        add(name + "_heap_bytes_per_device", heap);
        add(name + "_state_directory_bytes_per_user", other.stateBytes() / (double) many.users());
        BrokerFixture.Changelog changelog = broker.changelogs(many.id(), Long.MIN_VALUE);
        add(name + "_changelog_bytes_per_user", changelog.bytes() / (double) many.users());
        return heap;
    }

    /** In the broker's log, where it is alone in its batch: a shard writes one into a partition at a time. */
    private static int bytesOfShardHeartbeat() {
        long at = LogPlan.startOfLog();
        byte[] value = HeartbeatWriter.value(new Inbound.ShardBeat(OpenLog.shardHeartbeat(OpenLog.SHARDS - 1, 0, at)));
        return MemoryRecords.withRecords(Compression.NONE, new SimpleRecord(at, null, value))
                .sizeInBytes();
    }
}
