package dev.rollcall.bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How long it takes until all stored users are in memory again, with local state and from the changelog; and what
 * a user costs in memory and on disk.
 */
final class Takeover implements AutoCloseable {
    private static final int FEW = 10_000;
    private static final int MANY = 1_000_000;

    private final Options options;
    private final BrokerFixture broker;
    private final String id;
    private final int users;
    private final long logEnd;
    private final Map<Integer, Long> ends;
    private WorkerProcess worker;

    private Takeover(Options options, BrokerFixture broker, String id, int users, long logEnd) throws IOException {
        this.options = options;
        this.broker = broker;
        this.id = id;
        this.users = users;
        this.logEnd = logEnd;
        ends = broker.ends(log(id));
        broker.createOutputs(id);
        worker = new WorkerProcess(options);
    }

    /** Takes in so many users, each of whom beats once. */
    static Takeover ofLeased(Options options, BrokerFixture broker, int users) throws IOException {
        LogPlan plan = new LogPlan(LogPlan.Kind.STEADY, users, 0, LogPlan.startOfLog());
        String id = "users-" + users;
        Progress.print("preloading %,d users", users);
        broker.preload(plan, log(id));
        return new Takeover(options, broker, id, users, plan.end());
    }

    /** Takes in so many users, each of whom has an open connection. */
    static Takeover ofOpen(Options options, BrokerFixture broker, int users) throws IOException {
        long start = LogPlan.startOfLog();
        long end = start + OpenLog.PERIOD_MS + LogPlan.TICK_MS;
        String id = "open-users-" + users;
        Progress.print("preloading %,d users with open connections", users);
        broker.createLog(log(id));
        try (HeartbeatWriter writer = new HeartbeatWriter(broker.bootstrapServers(), log(id), 0)) {
            new OpenLog(writer, users, start, end).writeTo(end);
        }
        return new Takeover(options, broker, id, users, end);
    }

    static String log(String id) {
        return id + "-log";
    }

    int users() {
        return users;
    }

    String id() {
        return id;
    }

    @Override
    public void close() {
        worker.close();
    }

    /** Comes up, and closes in good order. */
    StateBuildUp.Result stay() throws IOException {
        return stay(false);
    }

    /** The second stay has no garbage of reading the log, and the first compaction behind it. */
    StateBuildUp.Result secondStay() throws IOException {
        stay();
        return stay();
    }

    /** Comes up, and is killed. */
    void stayUntilKilled() throws IOException {
        stay(true);
        worker.kill();
        worker = new WorkerProcess(options);
    }

    /** What is local is gone, and the changelog is read instead. */
    void loseState() {
        BrokerFixture.deleteTree(broker.stateDirectory(id));
    }

    private StateBuildUp.Result stay(boolean staysUp) throws IOException {
        return worker.run(
                new StateBuildUp(broker.settingsOfPlannedLog(options, id, log(id)), ends, logEnd, users, staysUp));
    }

    static void takeover(Options options) throws IOException {
        try (BrokerFixture broker = new BrokerFixture(options.workDirectory());
                Takeover takeover = Takeover.ofLeased(options, broker, options.users(MANY))) {
            takeover.stay();
            List<StateBuildUp.Result> local = new ArrayList<>();
            List<StateBuildUp.Result> restored = new ArrayList<>();
            for (int round = 1; round <= options.rounds; round++) {
                local.add(takeover.stay());
                takeover.loseState();
                restored.add(takeover.stay());
                Progress.print(
                        "round %d/%d    ready in %,.0f ms on local state, in %,.0f ms from the changelog",
                        round,
                        options.rounds,
                        local.get(round - 1).readyMs(),
                        restored.get(round - 1).readyMs());
            }
            Map<String, Object> figures = new LinkedHashMap<>();
            figures.put("users", takeover.users);
            figures.put("ready_ms_local_state", Spread.of(local, StateBuildUp.Result::readyMs));
            figures.put("of_which_joining_the_group_ms", Spread.of(local, StateBuildUp.Result::joinedMs));
            Spread fromChangelog = Spread.of(restored, StateBuildUp.Result::readyMs);
            figures.put("ready_ms_from_changelog", fromChangelog);
            Progress.print("\nready from the changelog: %,.0f ms; joining the group, in each: %,.0f ms"
                    .formatted(
                            fromChangelog.median(),
                            Spread.of(local, StateBuildUp.Result::joinedMs).median()));
            Report.figures(
                    options,
                    Scenario.TAKEOVER.id(),
                    figures,
                    List.of(Target.atMost(
                                    3_000,
                                    "partition ready on local state, ms",
                                    Spread.of(local, StateBuildUp.Result::readyMs)
                                            .median())
                            .rounded(0)));
        }
    }

    /** What many users take beyond what few do, by the user. */
    static void memory(Options options) throws IOException {
        int many = options.users(MANY);
        int few = Math.max(1, many / (MANY / FEW));
        try (BrokerFixture broker = new BrokerFixture(options.workDirectory());
                Takeover withFew = Takeover.ofLeased(options, broker, few);
                Takeover withMany = Takeover.ofLeased(options, broker, many)) {
            StateBuildUp.Result one = withFew.secondStay();
            StateBuildUp.Result other = withMany.secondStay();
            BrokerFixture.Changelog changelog = broker.changelogs(withMany.id, Long.MIN_VALUE);
            double heap = (other.heapBytes() - one.heapBytes()) / (double) (many - few);
            Map<String, Object> figures = new LinkedHashMap<>();
            figures.put("users", many);
            figures.put("heap_bytes_per_live_device", heap);
            figures.put("heap_bytes_of_few_users", one.heapBytes());
            figures.put("state_directory_bytes_per_user", other.stateBytes() / (double) many);
            figures.put("changelog_bytes_per_user", changelog.bytes() / (double) many);
            figures.put("changelog_bytes_on_disk_per_user", broker.changelogBytesOnDisk(withMany.id) / (double) many);
            Progress.print("\n" + Json.PRETTY.writeValueAsString(figures));
            Report.figures(
                    options,
                    Scenario.MEMORY.id(),
                    figures,
                    List.of(Target.atMost(250, "heap per live device, bytes", heap)
                            .rounded(0)));
        }
    }
}
