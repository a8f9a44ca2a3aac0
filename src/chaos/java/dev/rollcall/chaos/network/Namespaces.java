package dev.rollcall.chaos.network;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A network namespace with an address of its own for each node, all on one bridge that this process is on, too, and
 * what can go wrong between them. A cut is silent, as a cut cable is, and may be one way only: the sender gets a hardware
 * address for the receiver that nobody has. Needs root and iproute2.
 */
public final class Namespaces implements Network {
    /** The node that stands for whatever runs outside of all namespaces: the shards, the reader and the campaign. */
    public static final String OUTSIDE = "outside";

    private static final String BRIDGE = "rollcall0";
    private static final String PREFIX = "rollcall-";
    private static final String SUBNET = "10.213.87.";
    private static final String NOBODY = "02:00:00:00:00:01";

    /** The name of a node's only interface beside the loopback. */
    private static final String INTERFACE = "eth0";

    private final Map<String, String> hosts = new LinkedHashMap<>();

    /** Sets them up, and takes away what another campaign has left that was killed. */
    public Namespaces(List<String> nodes) {
        close();
        try {
            run("ip", "link", "add", BRIDGE, "type", "bridge");
            run("ip", "addr", "add", SUBNET + "1/24", "dev", BRIDGE);
            run("ip", "link", "set", BRIDGE, "up");
            hosts.put(OUTSIDE, SUBNET + "1");
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
        return node.equals(OUTSIDE) ? List.of() : List.of("ip", "netns", "exec", PREFIX + node);
    }

    /** Nothing that the one sends reaches the other, nor does the one learn of that. */
    public void cut(String from, String to) {
        String device = from.equals(OUTSIDE) ? BRIDGE : INTERFACE;
        in(from, "ip", "neigh", "replace", host(to), "lladdr", NOBODY, "dev", device, "nud", "permanent");
    }

    /** Everything that a node sends goes through a link of so many kilobits a second, and waits its turn. */
    public void slow(String node, int kilobits) {
        in(node, "tc", "qdisc", "replace", "dev", INTERFACE, "root", "tbf", "rate", kilobits + "kbit", "burst", "8k",
                "latency", "2s");
    }

    /** All links are whole, and fast. */
    public void mend() {
        for (String from : hosts.keySet()) {
            String device = from.equals(OUTSIDE) ? BRIDGE : INTERFACE;
            in(from, "ip", "neigh", "flush", "dev", device, "nud", "permanent");
            if (!from.equals(OUTSIDE)) {
                attempt(entered(from, "tc", "qdisc", "del", "dev", INTERFACE, "root")); // there may be none
            }
        }
    }

    /** Takes all of it away; the processes in there must have ended. */
    @Override
    public void close() {
        for (String line : attempt(List.of("ip", "netns", "list")).lines().toList()) {
            String name = line.split(" ", 2)[0];
            if (name.startsWith(PREFIX)) {
                attempt(List.of("ip", "netns", "del", name));
            }
        }
        attempt(List.of("ip", "link", "del", BRIDGE));
    }

    private void add(String node, int number) {
        String outer = "rollcall-v" + number;
        run("ip", "netns", "add", PREFIX + node);
        run("ip", "link", "add", outer, "type", "veth", "peer", "name", INTERFACE, "netns", PREFIX + node);
        run("ip", "link", "set", outer, "master", BRIDGE, "up");
        hosts.put(node, SUBNET + number);
        in(node, "ip", "addr", "add", SUBNET + number + "/24", "dev", INTERFACE);
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
