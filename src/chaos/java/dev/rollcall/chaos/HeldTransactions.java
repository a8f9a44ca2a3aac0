package dev.rollcall.chaos;

import dev.rollcall.chaos.held.CommittedRecords;
import dev.rollcall.chaos.held.Finding;
import dev.rollcall.chaos.held.Tries;
import dev.rollcall.chaos.network.Network;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.NewTopic;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * Whether transactions hold when a request about one of them arrives after its client has given it up, when the same
 * producer's next transaction is open. The known cases are in Jepsen's analysis of Bufstream 0.1 (2024); KIP-890 is to
 * end them, from {@code transaction.version} 2 on. See {@code docs/guarantees.md}.
 */
@Command(
        name = "held-transactions",
        description = "Lets late requests about transactions arrive at real brokers, and looks at what is committed.",
        mixinStandardHelpOptions = true,
        exitCodeListHeading = "Ends with:%n",
        exitCodeList = {"0:no transaction was harmed", "1:one was, or the tries could not be carried out"})
final class HeldTransactions implements Callable<Integer> {
    private static final Path DIRECTORY = Path.of("target", "chaos", "held").toAbsolutePath();
    private static final Duration READ_WITHIN = Duration.ofMinutes(3);
    private static final int SHOWN = 4;

    @Option(names = "--tries", defaultValue = "1000", description = "How many (default: ${DEFAULT-VALUE}).")
    private int tries;

    @Option(names = "--clients", defaultValue = "24", description = "How many at a time (default: ${DEFAULT-VALUE}).")
    private int clients;

    @Option(names = "--seed", defaultValue = "1", description = "What they do (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Option(names = "--only", defaultValue = "", description = "Only the kinds whose name contains this text.")
    private String only = "";

    @Option(
            names = "--transaction-version",
            defaultValue = "2",
            description = "The level of this feature that the brokers are formatted with (default: ${DEFAULT-VALUE}).")
    private int transactionVersion;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() throws Exception {
        PrintWriter out = spec.commandLine().getOut();
        Path directory = DIRECTORY.resolve("version-" + transactionVersion);
        Processors.deleteAll(directory);
        Map<String, String> settings = Map.of(
                BrokerNode.TRANSACTION_VERSION,
                String.valueOf(transactionVersion),
                "request.timeout.ms",
                "1000",
                "transaction.abort.timed.out.transaction.cleanup.interval.ms",
                "200");
        Clocks clocks = new Clocks(directory.resolve("clocks"));
        try (Proxies proxies = new Proxies();
                Brokers brokers =
                        new Brokers(directory.resolve("brokers"), settings, clocks, Network.LOOPBACK, proxies)) {
            return run(out, brokers, proxies) ? 0 : 1;
        }
    }

    private boolean run(PrintWriter out, Brokers brokers, Proxies proxies) throws InterruptedException {
        Brokers.answer(brokers.admin()
                .createTopics(List.of(new NewTopic(Tries.TOPIC, Tries.PARTITIONS, (short) 3)))
                .all());
        out.printf("transaction.version %d, seed %d, %d tries%n", transactionVersion, seed, tries);
        out.flush();
        long start = System.nanoTime();
        Tries all = new Tries(brokers.bootstrapServers(), proxies.holds(), seed, only);
        all.run(tries, clients);
        CommittedRecords records = new CommittedRecords(brokers.bootstrapServers(), READ_WITHIN);
        List<Finding> findings = records.findings(all);
        out.printf(
                "%d tries in %d s, in %d a request arrived late; %d transactions were committed%n",
                tries, (System.nanoTime() - start) / 1_000_000_000, all.late(), CommittedRecords.committed(all));
        all.answers().forEach((answer, times) -> out.printf("  %5d  %s%n", times, answer));
        Map<Finding.Symptom, List<Finding>> bySymptom = findings.stream()
                .collect(
                        Collectors.groupingBy(Finding::symptom, TreeMap::new, Collectors.toCollection(ArrayList::new)));
        bySymptom.forEach((symptom, ofSymptom) -> {
            out.printf("%s: %d%n", symptom, ofSymptom.size());
            ofSymptom.stream().limit(SHOWN).forEach(finding -> out.println("  " + finding));
        });
        boolean isClean = findings.isEmpty() && all.late() > 0;
        out.printf("transaction.version %d: %s%n", transactionVersion, isClean ? "clean" : "NOT CLEAN");
        out.flush();
        return isClean;
    }
}
