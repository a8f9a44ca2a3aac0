package dev.rollcall.chaos;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/**
 * A Rollcall that is broken on purpose: the source as it is but for a few words, and what brings the defect out. The
 * checker has to notice it.
 *
 * @param name for the command line
 * @param defect what is wrong with it
 * @param hasWrongClocks whether its processors' clocks are wrong, as those of the Rollcall that is not broken
 * @param preparation what the cluster needs before its processors start
 * @param script the faults that bring it out, in this order
 */
record Variant(
        String name,
        String defect,
        List<Patch> patches,
        Map<String, String> brokerSettings,
        Map<String, String> processorSettings,
        boolean hasWrongClocks,
        Preparation preparation,
        List<Fault> script) {

    /** Rollcall as it is. */
    static final Variant NONE =
            new Variant("none", "nothing", List.of(), Map.of(), Map.of(), true, brokers -> {}, List.of());

    private static final Path SOURCES = Path.of("src/main/java");

    /** What a cluster needs. */
    interface Preparation {
        /** Before the processors start. */
        void on(Brokers brokers) throws Exception;
    }

    /** Words of a source file that are found exactly once, and others for them. */
    record Patch(String file, String words, String others) {
        private String apply(String source) {
            int first = source.indexOf(words);
            if (first < 0 || source.indexOf(words, first + 1) >= 0) {
                throw new IllegalStateException(
                        "%s must contain exactly once, for a broken variant: %s".formatted(file, words));
            }
            return source.replace(words, others);
        }
    }

    boolean isBroken() {
        return !patches.isEmpty();
    }

    void prepare(Brokers brokers) throws Exception {
        preparation.on(brokers);
    }

    /** What has to go in front of the class path; made anew. */
    List<Path> compile(Path directory) throws IOException {
        if (patches.isEmpty()) {
            return List.of();
        }
        Path classes = Files.createDirectories(directory.resolve("classes"));
        Map<String, String> patched = new TreeMap<>();
        for (Patch patch : patches) {
            String source = patched.get(patch.file());
            patched.put(
                    patch.file(),
                    patch.apply(source != null ? source : Files.readString(SOURCES.resolve(patch.file()))));
        }
        List<Path> sources = new ArrayList<>();
        for (Map.Entry<String, String> source : patched.entrySet()) {
            Path file = directory.resolve("sources").resolve(source.getKey());
            Files.createDirectories(file.getParent());
            Files.writeString(file, source.getValue());
            sources.add(file);
        }
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        DiagnosticCollector<JavaFileObject> found = new DiagnosticCollector<>();
        try (StandardJavaFileManager files = compiler.getStandardFileManager(found, Locale.ROOT, null)) {
            boolean compiled = compiler.getTask(
                            null,
                            files,
                            found,
                            List.of("-d", classes.toString(), "-cp", Child.classPath(), "-proc:none", "-nowarn"),
                            null,
                            files.getJavaFileObjectsFromPaths(sources))
                    .call();
            if (!compiled) {
                Stream<String> errors = found.getDiagnostics().stream()
                        .filter(one -> one.getKind() == Diagnostic.Kind.ERROR)
                        .map(one -> one.getMessage(Locale.ROOT));
                throw new IllegalStateException("the variant %s does not compile: %s".formatted(name, errors.toList()));
            }
        }
        return List.of(classes);
    }
}
