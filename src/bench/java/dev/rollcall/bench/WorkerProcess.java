package dev.rollcall.bench;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * A JVM of its own for one contestant: so that its heap is its own, and no other contestant's types keep the compiler from
 * doing for it what it would do in production. Does one job at a time, and sleeps in between.
 */
final class WorkerProcess implements AutoCloseable {
    private static final Path FLINK_FIRST = Path.of("target", "flink-first");

    private final Process process;
    private final PrintWriter orders;
    private final BufferedReader answers;

    /** Starts it, with the JVM options that were given. */
    WorkerProcess(Options options) throws IOException {
        this(options.jvmArguments(), classPath());
    }

    private WorkerProcess(List<String> jvmArguments, String classPath) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(jvmArguments);
        command.addAll(List.of("-cp", classPath, Worker.class.getName()));
        process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        orders = new PrintWriter(process.getOutputStream(), true, StandardCharsets.UTF_8);
        answers = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    }

    /** Starts the one for a contestant, with the classes that it needs. */
    static WorkerProcess of(Contestant contestant, Options options) throws IOException {
        if (contestant == Contestant.BEFORE) {
            return withClasses(Objects.requireNonNull(options.before), options);
        }
        return Contestant.ON_FLINK.contains(contestant) ? ofFlink(options) : new WorkerProcess(options);
    }

    /** As {@link #WorkerProcess(Options)}, with other classes before those of this benchmark. */
    private static WorkerProcess withClasses(String classes, Options options) throws IOException {
        return new WorkerProcess(options.jvmArguments(), classes + File.pathSeparator + classPath());
    }

    /** As {@link #WorkerProcess(Options)}, with those versions of libraries first that Flink needs, and Rollcall has others of. */
    private static WorkerProcess ofFlink(Options options) throws IOException {
        if (!Files.isDirectory(FLINK_FIRST)) {
            throw new BenchmarkException("there is no %s: the Maven profile rivals makes it".formatted(FLINK_FIRST));
        }
        return withClasses(FLINK_FIRST.toAbsolutePath().resolve("*").toString(), options);
    }

    /** Does the job there, and returns when it is done. */
    <R> R run(Job<R> job) throws IOException {
        orders.println(job.getClass().getName() + " " + Json.LINE.writeValueAsString(job));
        String answer = answers.readLine();
        if (answer == null) {
            throw new BenchmarkException("the process that did %s has ended, with the exit code %d"
                    .formatted(job, process.onExit().join().exitValue()));
        }
        if (answer.startsWith(Worker.FAILED)) {
            String trace = Json.LINE.readValue(answer.substring(Worker.FAILED.length()), String.class);
            throw new BenchmarkException("%s failed: %s".formatted(job, trace));
        }
        return Json.LINE.readValue(answer.substring(Worker.OK.length()), job.resultType());
    }

    /** Ends it as a crash would, whatever it does. */
    void kill() {
        process.destroyForcibly().onExit().join();
    }

    @Override
    public void close() {
        orders.close(); // at the end of its input it ends
        try {
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }

    /** Inside Maven the class path of the JVM is Maven's own, and ours is in the class loader. */
    private static String classPath() {
        if (WorkerProcess.class.getClassLoader() instanceof URLClassLoader loader) {
            return Arrays.stream(loader.getURLs())
                    .map(WorkerProcess::path)
                    .collect(Collectors.joining(File.pathSeparator));
        }
        return System.getProperty("java.class.path");
    }

    private static String path(URL url) {
        try {
            return Path.of(url.toURI()).toString();
        } catch (java.net.URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }
}
