package dev.rollcall.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** The command line of the benchmark: {@code mvn -q -Pbench test-compile exec:java}. */
@Command(
        name = "bench",
        description = "Measures Rollcall beside what one would write instead. Judges nothing; see docs/performance.md.",
        mixinStandardHelpOptions = true)
public final class Benchmark implements Callable<Integer> {
    @Parameters(
            paramLabel = "SCENARIO",
            description =
                    "What to measure: steady (default), scale, churn, idle-tick, mass-expiry, takeover, memory, latency, sessions, streams; or all.",
            arity = "0..*")
    private List<String> scenarios = new ArrayList<>();

    @Mixin
    private Options options = new Options();

    @Command(name = "plot", description = "Draws reports of steady, churn and scale, one below the other.")
    void plot(
            @Parameters(paramLabel = "FILE", description = "The SVG to write.") Path file,
            @Parameters(paramLabel = "REPORT", arity = "1..*", description = "For example target/bench/churn.json.")
                    List<Path> reports)
            throws IOException {
        Plot.write(reports, file);
    }

    public static void main(String[] arguments) {
        int exitCode = new CommandLine(new Benchmark()).execute(arguments);
        if (exitCode != 0) {
            System.exit(exitCode);
        }
    }

    @Override
    public Integer call() throws Exception {
        for (Scenario scenario : Scenario.named(scenarios)) {
            scenario.run(options);
        }
        return 0;
    }
}
