package dev.rollcall.real;

import static dev.rollcall.real.RealContext.await;

import dev.rollcall.app.Main;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Rollcall's command in a process of its own, so that it can be killed. */
final class RollcallProcess implements AutoCloseable {
    private final Process process;
    private final Path output;

    /** Starts it, and waits until it says that it is ready. */
    static RollcallProcess ready(Map<String, String> settings, Path output, String... jvmOptions) throws IOException {
        RollcallProcess started = new RollcallProcess(settings, output, jvmOptions);
        try {
            started.awaitReady();
        } catch (RuntimeException | Error e) {
            started.close();
            throw e;
        }
        return started;
    }

    /** Starts it. */
    RollcallProcess(Map<String, String> settings, Path output, String... jvmOptions) throws IOException {
        this("run", System.getProperty("java.class.path"), settings, output, jvmOptions);
    }

    /** Starts it with other jars. */
    static RollcallProcess with(String classPath, Map<String, String> settings, Path output, String... jvmOptions)
            throws IOException {
        return new RollcallProcess("run", classPath, settings, output, jvmOptions);
    }

    /** Starts an edge without a processor. */
    static RollcallProcess edge(Map<String, String> settings, Path output) throws IOException {
        return new RollcallProcess("edge", System.getProperty("java.class.path"), settings, output);
    }

    /** Starts the receiver beside a homeserver. */
    static RollcallProcess matrix(Map<String, String> settings, Path output) throws IOException {
        return new RollcallProcess("matrix", System.getProperty("java.class.path"), settings, output);
    }

    private RollcallProcess(
            String subcommand, String classPath, Map<String, String> settings, Path output, String... jvmOptions)
            throws IOException {
        this.output = output;
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1")); // it does not live long enough for more
        command.addAll(List.of(jvmOptions));
        command.addAll(List.of("-cp", classPath, Main.class.getName(), subcommand));
        settings.forEach((key, value) -> command.addAll(List.of("--set", key + "=" + value)));
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile());
        builder.environment().keySet().removeIf(variable -> variable.startsWith("ROLLCALL_"));
        process = builder.start();
    }

    long pid() {
        return process.pid();
    }

    void awaitReady() {
        try {
            await().alias("the process is ready")
                    .atMost(RealContext.TIMEOUT)
                    .pollInterval(Duration.ofMillis(50))
                    .failFast("it has ended", () -> !process.isAlive())
                    .until(() -> emitted().contains("Rollcall is ready"));
        } catch (RuntimeException e) {
            throw new AssertionError("the process has not become ready; it emitted:\n" + emitted(), e);
        }
    }

    /** Waits until it has ended by itself, and returns its exit code. */
    int awaitEnd() throws InterruptedException {
        if (!process.waitFor(RealContext.TIMEOUT.toSeconds(), TimeUnit.SECONDS)) {
            throw new AssertionError("the process has not ended; it emitted:\n" + emitted());
        }
        return process.exitValue();
    }

    /** Everything that it has printed, and where each of its threads stands. */
    String emittedWithThreads() throws IOException, InterruptedException {
        new ProcessBuilder("kill", "-QUIT", String.valueOf(pid())).start().waitFor();
        RealContext.sleep(Duration.ofSeconds(2)); // it prints them when it gets to it
        return emitted();
    }

    /** SIGTERM: it ends in good order. Does not wait. */
    void terminate() {
        process.destroy();
    }

    /** SIGKILL: it can do nothing any more. */
    @Override
    public void close() {
        process.destroyForcibly();
        try {
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                throw new AssertionError("the process cannot be killed");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Everything that it has printed. */
    String emitted() {
        try {
            return Files.readString(output);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
