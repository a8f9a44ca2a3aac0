package dev.rollcall.chaos.network;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * A network namespace with an address of its own for each node, all on one bridge that this process is on, too, and
 * what can go wrong between them. A cut is silent, as a cut cable is, and may be one way only: the sender gets a hardware
 * address for the receiver that nobody has. Needs root and iproute2.
 */
public final class Namespaces implements Network {
    /** The node that stands for whatever runs outside of all namespaces: the shards, the reader and the campaign. */
    public static final String OUTSIDE = "outside";

    /** With the id of the process that set them up, so that two campaigns do not meet. */
    private static final Pattern NAMESPACE = Pattern.compile("^rollcall-(\\d+)-\\S+");

    private static final Pattern BRIDGE = Pattern.compile("\\brollcall(\\d+)(?=:)");

    private static final long PID = ProcessHandle.current().pid();
    private static final String NOBODY = "02:00:00:00:00:01";

    /** The name of a node's only interface beside the loopback. */
    private static final String INTERFACE = "eth0";

    private final Map<String, String> hosts = new LinkedHashMap<>();
    private final String bridge = "rollcall" + PID;
    private final String subnet = freeSubnet();

    /** Sets them up, and takes away what other campaigns have left that were killed. */
    public Namespaces(List<String> nodes) {
        close();
        try {
            run("ip", "link", "add", bridge, "type", "bridge");
            run("ip", "addr", "add", subnet + "1/24", "dev", bridge);
            run("ip", "link", "set", bridge, "up");
            hosts.put(OUTSIDE, subnet + "1");
            for (String node : nodes) {
                add(node, hosts.size() + 1);
            }
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    /** Why there can be none here; empty: there can. */
    public static Optional<String> missing() {
        if (!"root".equals(System.getProperty("user.name"))) {
            return Optional.of("only root can make network namespaces");
        }
        try (Namespaces tried = new Namespaces(List.of("one", "two"))) {
            tried.cut("one", "two");
            tried.slow("one", 1_000);
            tried.mend();
            return Optional.empty();
        } catch (RuntimeException e) {
            return Optional.of("network namespaces cannot be made: " + e.getMessage());
        }
    }

    @Override
    public String host(String node) {
        String host = hosts.get(node);
        if (host == null) {
            throw new IllegalArgumentException("no node " + node);
        }
        return host;
    }

    @Override
    public List<String> enter(String node) {
        return node.equals(OUTSIDE) ? List.of() : List.of("ip", "netns", "exec", namespace(node));
    }

    /** Nothing that the one sends reaches the other, nor does the one learn of that. */
    public void cut(String from, String to) {
        String device = from.equals(OUTSIDE) ? bridge : INTERFACE;
        in(from, "ip", "neigh", "replace", host(to), "lladdr", NOBODY, "dev", device, "nud", "permanent");
    }

    /** Everything that a node sends goes through a link of so many kilobits a second, and waits its turn. */
    public void slow(String node, int kilobits) {
        in(
                node,
                "tc",
                "qdisc",
                "replace",
                "dev",
                INTERFACE,
                "root",
                "tbf",
                "rate",
                kilobits + "kbit",
                "burst",
                "8k",
                "latency",
                "2s");
    }

    /** All links are whole, and fast. */
    public void mend() {
        for (String from : hosts.keySet()) {
            String device = from.equals(OUTSIDE) ? bridge : INTERFACE;
            in(from, "ip", "neigh", "flush", "dev", device, "nud", "permanent");
            if (!from.equals(OUTSIDE)) {
                attempt(entered(from, "tc", "qdisc", "del", "dev", INTERFACE, "root")); // there may be none
            }
        }
    }

    /** Takes all of it away; the processes in there must have ended. */
    @Override
    public void close() {
        attempt(List.of("ip", "netns", "list"))
                .lines()
                .map(NAMESPACE::matcher)
                .filter(name -> name.find() && isOver(name.group(1)))
                .forEach(name -> attempt(List.of("ip", "netns", "del", name.group())));
        BRIDGE.matcher(attempt(List.of("ip", "-o", "link", "show", "type", "bridge")))
                .results()
                .filter(name -> isOver(name.group(1)))
                .forEach(name -> attempt(List.of("ip", "link", "del", name.group())));
    }

    private static boolean isOver(String pid) {
        long process = Long.parseLong(pid);
        return process == PID || ProcessHandle.of(process).isEmpty();
    }

    private static String namespace(String node) {
        return "rollcall-%d-%s".formatted(PID, node);
    }

    /** One that no interface has an address of yet; with the dot before the last number. */
    private static String freeSubnet() {
        String taken = attempt(List.of("ip", "-o", "addr"));
        return IntStream.range(1, 255)
                .mapToObj(number -> "10.213.%d.".formatted(number))
                .filter(subnet -> !taken.contains(subnet))
                .findFirst()
                .orElseThrow();
    }

    private void add(String node, int number) {
        String outer = "rc%d-%d".formatted(PID, number); // no longer than 15 characters
        run("ip", "netns", "add", namespace(node));
        run("ip", "link", "add", outer, "type", "veth", "peer", "name", INTERFACE, "netns", namespace(node));
        run("ip", "link", "set", outer, "master", bridge, "up");
        hosts.put(node, subnet + number);
        in(node, "ip", "addr", "add", host(node) + "/24", "dev", INTERFACE);
        in(node, "ip", "link", "set", INTERFACE, "up");
        in(node, "ip", "link", "set", "lo", "up");
    }

    private void in(String node, String... command) {
        run(entered(node, command).toArray(String[]::new));
    }

    private List<String> entered(String node, String... command) {
        List<String> entered = new ArrayList<>(enter(node));
        entered.addAll(List.of(command));
        return entered;
    }

    private static void run(String... command) {
        Result result = execute(List.of(command));
        if (result.exitCode() != 0) {
            throw new IllegalStateException("%s: %s".formatted(String.join(" ", command), result.printed()));
        }
    }

    /** What it prints, whether it succeeds or not. */
    private static String attempt(List<String> command) {
        return execute(command).printed();
    }

    private record Result(int exitCode, String printed) {}

    private static Result execute(List<String> command) {
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            String printed = new String(process.getInputStream().readAllBytes(), UTF_8).strip();
            return new Result(process.waitFor(), printed);
        } catch (IOException e) {
            return new Result(-1, String.valueOf(e.getMessage())); // there is no such program
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new Result(-1, "interrupted");
        }
    }
}
