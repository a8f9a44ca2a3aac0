package dev.rollcall.app;

import dev.rollcall.config.KafkaKeys;
import dev.rollcall.config.RollcallConfig;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** How Rollcall was started, so that what it tells to try next reaches the same Rollcall. */
final class Invocation {
    /** Set by a script that starts the program, to its own name. */
    private static final String COMMAND_PROPERTY = "rollcall.command";

    /** Of topics, but for whoever creates them. */
    private static final Set<String> CREATION = Set.of("topic.partitions", "topic.replication.factor");

    private static final String REGISTRY = "schema.registry.";

    private final String started;
    private final List<Path> files;
    private final Map<String, String> overrides;

    /** @param started the name of the script, or else what the JVM was started with */
    Invocation(String started, List<Path> files, Map<String, String> overrides) {
        this.started = started;
        this.files = files;
        this.overrides = overrides;
    }

    static Invocation ofThisProcess(List<Path> files, Map<String, String> overrides) {
        String script = System.getProperty(COMMAND_PROPERTY);
        return new Invocation(
                script == null ? System.getProperty("sun.java.command", "") : quoted(script), files, overrides);
    }

    /** A client's command for the brokers that this process has: as it was started, with its settings but no secret. */
    String client(String arguments, RollcallConfig config, String bootstrapServers) {
        String all = arguments
                + files.stream().map(file -> " --config " + file).collect(Collectors.joining())
                + overrides.entrySet().stream()
                        .filter(one -> isForClients(one.getKey()))
                        .map(one -> " --set %s=%s".formatted(one.getKey(), value(one.getKey(), one.getValue())))
                        .collect(Collectors.joining());
        if (!Main.clientServers(config).equals(bootstrapServers)) { // it took any free port
            all += " --set bootstrap.servers=" + bootstrapServers;
        }
        return command(all);
    }

    private static boolean isForClients(String key) {
        boolean isATopic = key.startsWith("topic.") && !CREATION.contains(key);
        return isATopic
                || key.startsWith("kafka.")
                || key.startsWith(REGISTRY)
                || key.equals("bootstrap.servers")
                || key.equals("embedded.kafka.port");
    }

    private static String value(String key, String value) {
        boolean isSecret = key.startsWith("kafka.")
                && !key.endsWith(".file")
                && KafkaKeys.isSecret(key.substring("kafka.".length()));
        return isSecret || (key.startsWith(REGISTRY) && key.endsWith("password")) ? "…" : value;
    }

    /** As a shell takes it for one word. */
    static String quoted(String path) {
        return path.contains(" ") ? "'" + path + "'" : path;
    }

    private String command(String arguments) {
        if (started.contains("classworlds") || started.contains("maven")) {
            return "mvn -q exec:java -Dexec.args=\"%s\"".formatted(arguments);
        } else if (started.startsWith(Main.class.getName())) {
            return "java -cp … %s %s".formatted(Main.class.getName(), arguments);
        }
        String program = started.startsWith("'") ? started : started.split(" ", 2)[0];
        return program.endsWith(".jar")
                ? "java -jar %s %s".formatted(program, arguments)
                : "%s %s".formatted(program.isEmpty() ? "rollcall" : program, arguments);
    }
}
