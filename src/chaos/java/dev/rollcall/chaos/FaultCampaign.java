package dev.rollcall.chaos;

import dev.rollcall.chaos.check.Checker;
import dev.rollcall.chaos.check.LogReader;
import dev.rollcall.chaos.check.Logs;
import dev.rollcall.chaos.check.Verdict;
import dev.rollcall.chaos.check.Window.Reach;
import dev.rollcall.chaos.network.Namespaces;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * Runs Rollcall on a real cluster, lets faults happen to all of it, and then asks an independent checker whether the
 * output is what follows from the inputs. See {@code docs/guarantees.md}.
 */
@Command(
        name = "fault-campaign",
        description = "Lets faults happen to a running Rollcall, and checks every record of its output.",
        mixinStandardHelpOptions = true,
        subcommands = HeldTransactions.class,
        exitCodeListHeading = "Ends with:%n",
        exitCodeList = {
            "0:nothing to complain of; with --variant all: every variant was caught",
            "1:a violation, or something that could not be carried out or checked"
        })
public final class FaultCampaign implements Callable<Integer> {
    private static final Path DIRECTORY = Path.of("target", "chaos").toAbsolutePath();
    private static final Duration READ_WITHIN = Duration.ofMinutes(3);

    @Option(names = "--faults", defaultValue = "20", description = "How many (default: ${DEFAULT-VALUE}).")
    private int faults;

    @Option(names = "--seed", defaultValue = "1", description = "Which ones, and what every user does (default: 1).")
    private long seed;

    @Option(names = "--users", defaultValue = "2000", description = "How many (default: ${DEFAULT-VALUE}).")
    private int users;

    @Option(names = "--only", description = "Draws only from the kinds that contain this text; may be repeated.")
    private List<String> only = new ArrayList<>();

    @Option(
            names = "--variant",
            description = "Runs a Rollcall that is broken on purpose, with the faults that bring it out (a wrong name"
                    + " lists them); or all of them, one after the other: all.")
    private @Nullable String variant;

    @Option(
            names = "--network",
            description = "Puts each process into a network namespace of its own, and draws from what a network and"
                    + " its clocks can do. Needs root and iproute2.")
    private boolean network;

    @Option(
            names = "--proxies",
            description = "Puts the brokers behind proxies, and draws from what these can do, such as letting requests"
                    + " about transactions arrive late. The latter without Rollcall: held-transactions.")
    private boolean proxies;

    @Option(
            names = "--plain",
            description =
                    "Leaves out the users who hide right before they come online, what is misrouted, and processors"
                            + " with wrong clocks.")
    private boolean plain;

    @Option(names = "--keep", description = "Keeps the brokers' data and the dump of the topics also if all is well.")
    private boolean keep;

    @Option(names = "--recheck", paramLabel = "FILE", description = "Only checks the dump of a campaign that was run; with --network, of one that was.")
    private @Nullable Path dump;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    public static void main(String[] arguments) {
        System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "off"); // brokers that are away are no news
        System.exit(new CommandLine(new FaultCampaign()).execute(arguments));
    }

    @Override
    public Integer call() throws Exception {
        PrintWriter out = spec.commandLine().getOut();
        if (dump != null) {
            return recheck(out, dump);
        }
        Optional<String> missing = network ? Namespaces.missing() : Optional.empty();
        if (missing.isPresent()) {
            out.println("NETWORK FAULTS NOT RUN: " + missing.get());
            out.flush();
            return 1;
        }
        if ("all".equals(variant)) {
            return runAllVariants(out);
        }
        Variant broken = variant == null ? Variant.NONE : Variants.named(variant);
        return run(out, broken).isClean() ? 0 : 1;
    }

    private int runAllVariants(PrintWriter out) throws IOException {
        List<String> lines = new ArrayList<>();
        boolean allCaught = true;
        for (Variant broken : Variants.ALL) {
            Report report = run(out, broken);
            List<String> findings = report.findings();
            allCaught &= !findings.isEmpty();
            lines.add(
                    findings.isEmpty()
                            ? "NOT CAUGHT: %s (%s)".formatted(broken.name(), broken.defect())
                            : "caught: %s (%s): %d findings, the first: %s"
                                    .formatted(broken.name(), broken.defect(), findings.size(), findings.get(0)));
        }
        out.println();
        lines.forEach(out::println);
        out.flush();
        return allCaught ? 0 : 1;
    }

    private Report run(PrintWriter out, Variant broken) throws IOException {
        Path directory = DIRECTORY.resolve(broken.isBroken() ? "variants/" + broken.name() : "run");
        Processors.deleteAll(directory);
        out.printf(
                "seed %d, %d users; %s%n",
                seed, users, broken.isBroken() ? "broken on purpose: " + broken.defect() : faults + " faults");
        out.flush();
        Random random = new Random(seed);
        List<String> leftOut = new ArrayList<>();
        List<Outcome> outcomes = new ArrayList<>();
        List<String> unexpectedExits = new ArrayList<>();
        List<String> problems = new ArrayList<>();
        Verdict verdict = null;
        try (Site site = site(directory, broken)) {
            List<Fault> script = broken.isBroken() ? broken.script() : draw(site, random, leftOut);
            leftOut.forEach(what -> out.println("NOT RUN: " + what));
            LogDump read = run(out, site, script, random, broken, outcomes, unexpectedExits, problems);
            verdict = Checker.check(read.logs(), Timing.checker(site.clockDifference()), read.windows());
        } catch (Exception e) {
            e.printStackTrace(spec.commandLine().getErr());
            problems.add(String.valueOf(e));
        }
        if (verdict != null && (verdict.heartbeats() == 0 || verdict.emitted() == 0 || verdict.ticks() == 0)) {
            problems.add("there was nothing to check");
        }
        Report report = new Report(seed, users, broken.name(), leftOut, outcomes, unexpectedExits, problems, verdict);
        report.print(out);
        Path file = (broken.isBroken() ? directory : DIRECTORY).resolve("report.json");
        report.write(file);
        if (report.isClean() && !keep) {
            Processors.deleteAll(directory);
        } else {
            out.printf("kept: %s%n", directory);
        }
        out.flush();
        return report;
    }

    /** Returns what is in the topics afterwards; nothing of the cluster runs any more then. */
    private LogDump run(
            PrintWriter out,
            Site site,
            List<Fault> script,
            Random random,
            Variant broken,
            List<Outcome> outcomes,
            List<String> unexpectedExits,
            List<String> problems)
            throws Exception {
        try (Campaign campaign = new Campaign(out, site, users, seed, plain, broken)) {
            try {
                int number = 0;
                for (Fault fault : script) {
                    campaign.inject(++number, fault, random);
                }
                campaign.quiesce();
            } catch (Exception e) {
                campaign.print("!! the campaign cannot go on: %s".formatted(e));
                problems.add(String.valueOf(e));
            }
            outcomes.addAll(campaign.outcomes());
            unexpectedExits.addAll(campaign.exits().unexpected());
            return read(campaign, site.directory());
        }
    }

    private Site site(Path directory, Variant broken) throws IOException {
        Files.createDirectories(directory);
        if (network) {
            return Site.namespaces(directory);
        }
        boolean behindProxies = proxies || broken.equals(ProxyFaults.OLD_PROTOCOL);
        return behindProxies ? Site.proxies(directory) : Site.plain(directory);
    }

    private List<Fault> draw(Site site, Random random, List<String> leftOut) {
        boolean withSmallDisk = SmallDisk.canBeHad(site.directory().resolve("small-disk"));
        if (!withSmallDisk) {
            leftOut.add("disk full under a processor, because only root can mount a file system small enough to fill");
        }
        boolean withClocks = site.clocks().canBeSet();
        if (!withClocks) {
            leftOut.add("everything about wrong clocks, because there is no C compiler (cc, gcc or clang)");
        }
        List<Fault> kinds = kinds(withSmallDisk, withClocks).stream()
                .filter(fault -> only.isEmpty() || only.stream().anyMatch(fault.kind()::contains))
                .toList();
        for (String text : only) {
            if (faults > 0 && kinds.stream().noneMatch(fault -> fault.kind().contains(text))) {
                throw new IllegalArgumentException("no kind of fault that can be had here contains " + text);
            }
        }
        return Faults.draw(kinds, faults, random);
    }

    private List<Fault> kinds(boolean withSmallDisk, boolean withClocks) {
        if (network) {
            return NetworkFaults.ALL.stream()
                    .filter(fault -> withClocks || fault.reach() != Reach.CLOCKS)
                    .toList();
        }
        return proxies ? ProxyFaults.ALL : Faults.all(withSmallDisk, withClocks);
    }

    private static LogDump read(Campaign campaign, Path directory) throws IOException {
        Logs logs = LogReader.read(campaign.brokers().bootstrapServers(), READ_WITHIN);
        LogDump dump = new LogDump(logs, campaign.windows());
        dump.write(directory.resolve("topics.dump"));
        campaign.print("read %d heartbeats and %d records of presence; checking"
                .formatted(logs.heartbeats().size(), logs.presence().size()));
        return dump;
    }

    private int recheck(PrintWriter out, Path file) throws IOException {
        LogDump read = LogDump.read(file);
        Verdict verdict = Checker.check(
                read.logs(),
                Timing.checker(network ? Timing.FAR_CLOCK_DIFFERENCE : Timing.CLOCK_DIFFERENCE),
                read.windows());
        Report report = new Report(seed, users, "recheck", List.of(), List.of(), List.of(), List.of(), verdict);
        report.print(out);
        return report.isClean() ? 0 : 1;
    }
}
