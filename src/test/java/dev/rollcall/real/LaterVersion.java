package dev.rollcall.real;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;

/**
 * A version of Rollcall that is still to come: what it stores of a user has a schema that the present one does not know. It is
 * this very program, but for the generated classes of that schema, in which a stored presence has one more symbol.
 */
final class LaterVersion {
    private static final Path GENERATED = Path.of("target", "generated-sources", "avro");
    private static final String SYMBOLS = "\\\"symbols\\\":[\\\"OFFLINE\\\",\\\"IDLE\\\",\\\"ONLINE\\\"]";
    private static final String CONSTANTS = "  OFFLINE, IDLE, ONLINE  ;";
    private static final String MORE_CONSTANTS = CONSTANTS.replace("  ;", ", ASLEEP;");
    private static final String MORE_SYMBOLS = SYMBOLS.replace("]", ",\\\"ASLEEP\\\"]");

    private LaterVersion() {}

    /** Compiles it into the directory, and returns its class path. */
    static String classPath(Path directory) throws IOException {
        List<String> sources = new ArrayList<>();
        try (Stream<Path> all = Files.walk(GENERATED.resolve(Path.of("dev", "rollcall", "store", "v1")))) {
            for (Path file : all.filter(one -> one.toString().endsWith(".java")).toList()) {
                String source = Files.readString(file);
                if (source.contains(SYMBOLS)) {
                    Path changed = directory.resolve("src").resolve(GENERATED.relativize(file));
                    Files.createDirectories(changed.getParent());
                    Files.writeString(
                            changed, source.replace(SYMBOLS, MORE_SYMBOLS).replace(CONSTANTS, MORE_CONSTANTS));
                    sources.add(changed.toString());
                }
            }
        }
        assertThat(sources).anyMatch(source -> source.endsWith("UserState.java"));
        Path classes = Files.createDirectories(directory.resolve("classes"));
        String present = System.getProperty("java.class.path");
        List<String> arguments = new ArrayList<>(List.of("-proc:none", "-nowarn", "-cp", present, "-d"));
        arguments.add(classes.toString());
        arguments.addAll(sources);
        JavaCompiler compiler = Objects.requireNonNull(ToolProvider.getSystemJavaCompiler(), "this takes a JDK");
        assertThat(compiler.run(null, null, null, arguments.toArray(String[]::new)))
                .as("it compiles")
                .isZero();
        return classes + File.pathSeparator + present;
    }
}
