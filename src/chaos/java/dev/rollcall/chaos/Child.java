package dev.rollcall.chaos;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** A Java process of the campaign's, known by its id. All of them are killed when the campaign's own process ends. */
final class Child implements AutoCloseable {
    private static final Set<Child> LIVING = ConcurrentHashMap.newKeySet();
    private static final long LOOK_EVERY_MS = 50;

    static {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> LIVING.forEach(Child::kill), "kill-children"));
    }

    private final String name;
    private final Path log;
    private final Process process;

    private Child(String name, Path log, Process process) {
        this.name = name;
        this.log = log;
        this.process = process;
        LIVING.add(this);
    }

    /** Starts a main class of the test class path; see the other one. */
    static Child start(
            String name,
            Path log,
            int heapMb,
            Map<String, String> environment,
            List<Path> before,
            Class<?> mainClass,
            List<String> arguments) {
        return start(name, List.of(), log, heapMb, environment, before, mainClass, arguments);
    }

    /**
     * Starts a main class of the test class path.
     *
     * @param prefix a command that becomes the one that follows it; empty: none
     * @param log takes what the process prints
     * @param environment on top of this process's own
     * @param before what goes in front of the class path
     */
    static Child start(
            String name,
            List<String> prefix,
            Path log,
            int heapMb,
            Map<String, String> environment,
            List<Path> before,
            Class<?> mainClass,
            List<String> arguments) {
        List<String> command = new ArrayList<>(prefix);
        command.addAll(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx" + heapMb + "m",
                "-XX:+UseSerialGC", // many processes on few cores
                "-XX:TieredStopAtLevel=1", // they do not live long enough for more
                "-cp",
                before.stream().map(path -> path + ":").collect(Collectors.joining()) + classPath(),
                mainClass.getName()));
        command.addAll(arguments);
        try {
            Files.createDirectories(log.getParent());
            ProcessBuilder builder =
                    new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
            builder.environment().keySet().removeIf(variable -> variable.startsWith("ROLLCALL_"));
            builder.environment().putAll(environment);
            return new Child(name, log, builder.start());
        } catch (IOException e) {
            throw new UncheckedIOException("cannot start " + name, e);
        }
    }

    /** The class path that this class comes from; Maven's {@code exec:java} has it in a class loader of its own. */
    static String classPath() {
        if (Child.class.getClassLoader() instanceof URLClassLoader loader) {
            return Arrays.stream(loader.getURLs()).map(Child::path).collect(Collectors.joining(":"));
        }
        return System.getProperty("java.class.path");
    }

    private static String path(URL url) {
        try {
            return Path.of(url.toURI()).toString();
        } catch (URISyntaxException e) {
            throw new IllegalStateException("not a file: " + url, e);
        }
    }

    String name() {
        return name;
    }

    long pid() {
        return process.pid();
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** What it printed so far. */
    String printed() {
        try {
            return Files.readString(log, UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Path log() {
        return log;
    }

    /** Waits until it has printed this text. */
    void awaitPrinted(String text, Duration limit) throws InterruptedException {
        long deadline = System.nanoTime() + limit.toNanos();
        boolean alive = true;
        while (!printed().contains(text)) {
            if (!alive) {
                throw new IllegalStateException("%s has ended with %d; see %s".formatted(name, exitCode(), log));
            }
            if (System.nanoTime() > deadline) {
                throw new IllegalStateException(
                        "%s has not emitted \"%s\" within %d s; see %s".formatted(name, text, limit.toSeconds(), log));
            }
            Thread.sleep(LOOK_EVERY_MS);
            alive = process.isAlive();
        }
    }

    int exitCode() {
        return process.exitValue();
    }

    /** Writes a line to its standard input. */
    void tell(String line) {
        try {
            process.getOutputStream().write((line + "\n").getBytes(UTF_8));
            process.getOutputStream().flush();
        } catch (IOException e) {
            throw new UncheckedIOException(name + " does not listen", e);
        }
    }

    /** SIGSTOP. */
    void pause() {
        signal("-STOP");
    }

    /** SIGCONT. */
    void resume() {
        signal("-CONT");
    }

    /** SIGKILL: it can do nothing any more. */
    void kill() {
        process.destroyForcibly();
        LIVING.remove(this);
        if (!waitFor(Duration.ofSeconds(10))) {
            throw new IllegalStateException(name + " cannot be killed: process " + pid());
        }
    }

    /** SIGTERM, and SIGKILL if it has not ended by then; returns whether it ended by itself. */
    boolean end(Duration limit) {
        if (isAlive()) {
            signal("-TERM"); // Process.destroy() would close its standard input, too, and with that its lifeline
        }
        boolean ended = waitFor(limit);
        kill();
        return ended;
    }

    /** Whether it has ended by then. */
    boolean waitFor(Duration limit) {
        try {
            return process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    @Override
    public void close() {
        kill();
    }

    private void signal(String signal) {
        try {
            Process sent = new ProcessBuilder("kill", signal, String.valueOf(pid())).start();
            if (!sent.waitFor(10, TimeUnit.SECONDS) || sent.exitValue() != 0) {
                throw new IllegalStateException("kill %s %d has failed".formatted(signal, pid()));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
