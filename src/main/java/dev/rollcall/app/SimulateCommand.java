package dev.rollcall.app;

import dev.rollcall.config.RollcallConfig;
import dev.rollcall.registry.Registry;
import dev.rollcall.simulate.Population;
import dev.rollcall.simulate.Simulator;
import dev.rollcall.simulate.Tempo;
import dev.rollcall.simulate.Totals;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** Sends simulated load. */
@Command(
        name = "simulate",
        description = {
            "Sends simulated load, as homeserver shards would: desktops, phones that sleep or lose the network, bots,"
                    + " clients that vanish, shards that are deployed.",
            "Every other one of the first 16 shards holds connections; the clients of the others poll, and at full speed"
                    + " all do.",
            "The same seed gives the same events. When it ends, no device sends anything more."
        },
        mixinStandardHelpOptions = true,
        showDefaultValues = true)
final class SimulateCommand implements Callable<Integer> {
    private static final long TOTALS_TIMEOUT_SECONDS = 10;

    /** A device's heartbeat interval at full speed, in seconds of the plan's own clock. */
    private static final int SECONDS_PER_TURN = 10;

    @ParentCommand
    private Main main = new Main();

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Option(names = "--users", paramLabel = "N", description = "How many users.")
    private int users = 1_000;

    @Option(names = "--devices-per-user", paramLabel = "N", description = "Each has 1 up to this many, 4 at most.")
    private int devicesPerUser = 3;

    @Option(
            names = "--beats-per-second",
            paramLabel = "N",
            description = "How many heartbeats a second; 0: as many as Kafka takes.")
    private int beatsPerSecond = 200;

    @Option(names = "--shards", paramLabel = "N", description = "How many homeserver shards.")
    private int shards = 8;

    @Option(names = "--seconds", paramLabel = "N", description = "For how long; without it until Ctrl-C.")
    private @Nullable Long seconds;

    @Option(names = "--seed", paramLabel = "N", description = "Decides everything that happens.")
    private long seed = 1;

    @Override
    public Integer call() throws InterruptedException {
        if (beatsPerSecond < 0 || (seconds != null && seconds < 1)) {
            throw new ParameterException(
                    spec.commandLine(), "--beats-per-second must be at least 0, and --seconds at least 1");
        }
        RollcallConfig config = main.config();
        String bootstrapServers = Main.clientServers(config);
        boolean paced = beatsPerSecond > 0;
        int planned = paced ? beatsPerSecond : Math.max(1, users / SECONDS_PER_TURN);
        Population population = new Population(users, devicesPerUser, planned, shards, seed);
        PrintWriter out = spec.commandLine().getOut();
        CountDownLatch printed = new CountDownLatch(1);
        ScheduledExecutorService live = Executors.newSingleThreadScheduledExecutor();
        try (Simulator simulator = new Simulator(
                population,
                Tempo.LIFELIKE,
                paced,
                Registry.topics(config),
                KafkaSettings.producer(config, bootstrapServers))) {
            stopOnCtrlC(simulator, printed);
            print(
                    out,
                    "simulating %,d users with %,d devices on %,d shards at %s, seed %d, to %s%s"
                            .formatted(
                                    users,
                                    simulator.devices(),
                                    shards,
                                    paced ? "%,d heartbeats/s".formatted(beatsPerSecond) : "full speed",
                                    seed,
                                    bootstrapServers,
                                    seconds == null ? "; Ctrl-C ends it" : ", for " + seconds + " s"));
            LiveLine line = new LiveLine(simulator, out, spec.commandLine().getErr());
            var unused = live.scheduleAtFixedRate(line::print, 1, 1, TimeUnit.SECONDS);
            long start = System.nanoTime();
            simulator.run(seconds == null ? Long.MAX_VALUE : seconds);
            double ran = (System.nanoTime() - start) / 1e9;
            live.shutdown();
            Totals totals = simulator.finish();
            print(
                    out,
                    ("in %.1f s: %,d heartbeats (%,.0f/s), of them %,d changes and %,d ends; %,d texts, %,d flags;"
                                    + " %,d records acknowledged, %,d failed")
                            .formatted(
                                    ran,
                                    totals.heartbeats(),
                                    totals.heartbeats() / ran,
                                    totals.changes(),
                                    totals.ends(),
                                    totals.texts(),
                                    totals.flags(),
                                    totals.acknowledged(),
                                    totals.failed()));
            return totals.failed() == 0 ? 0 : 1;
        } finally {
            live.shutdownNow();
            printed.countDown();
        }
    }

    /** The hook waits until the totals are printed, because the process ends after it. */
    private static void stopOnCtrlC(Simulator simulator, CountDownLatch printed) {
        Runtime.getRuntime()
                .addShutdownHook(new Thread(
                        () -> {
                            simulator.stop();
                            try {
                                var unused = printed.await(TOTALS_TIMEOUT_SECONDS, TimeUnit.SECONDS);
                            } catch (InterruptedException e) {
                                Thread.currentThread().interrupt();
                            }
                        },
                        "simulate-stop"));
    }

    private static void print(PrintWriter out, String line) {
        out.println(line);
        out.flush();
    }

    /** Prints the rates of the last second. */
    private static final class LiveLine {
        private final Simulator simulator;
        private final PrintWriter out;
        private final PrintWriter err;
        private Totals before;
        private long second;

        LiveLine(Simulator simulator, PrintWriter out, PrintWriter err) {
            this.simulator = simulator;
            this.out = out;
            this.err = err;
            this.before = simulator.totals();
        }

        void print() {
            try {
                printRates();
            } catch (Throwable e) {
                SimulateCommand.print(err, "this second's rates are missing: " + e);
            }
        }

        private void printRates() {
            Totals now = simulator.totals();
            second++;
            SimulateCommand.print(
                    out,
                    "%4d s  %,9d heartbeats/s  %,7d changes/s  %,7d ends/s  %,9d acknowledged/s  %,d failed"
                            .formatted(
                                    second,
                                    now.heartbeats() - before.heartbeats(),
                                    now.changes() - before.changes(),
                                    now.ends() - before.ends(),
                                    now.acknowledged() - before.acknowledged(),
                                    now.failed()));
            before = now;
        }
    }
}
