package dev.rollcall.chaos;

import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The wall clocks of the campaign's processes, each of which can be set wrong. A small library is preloaded into them
 * that is compiled here; without a C compiler every clock shows the machine's time.
 */
final class Clocks {
    private static final Duration LIMIT = Duration.ofSeconds(30);

    private static final String SOURCE = "clock.c";
    private static final List<String> COMPILERS = List.of("cc", "gcc", "clang");

    private final Path directory;
    private final @Nullable Path library;
    private final Map<String, ByteBuffer> offsets = new HashMap<>();

    /** Compiles the library, if that is possible. */
    Clocks(Path directory) throws IOException {
        this.directory = Files.createDirectories(directory);
        this.library = compile();
    }

    /** Whether clocks can be set at all. */
    boolean canBeSet() {
        return library != null;
    }

    /** What a process needs in its environment for its clock to be the one of that name; nothing if none can be set. */
    Map<String, String> environment(String name) {
        if (library == null) {
            return Map.of();
        }
        set(name, offset(name));
        return Map.of(
                "LD_PRELOAD",
                library.toString(),
                "CLOCK_OFFSET_FILE",
                file(name).toString());
    }

    /** Sets the clock that far ahead of the machine's, at once, also if its process runs. */
    void set(String name, Duration ahead) {
        if (library == null) {
            throw new IllegalStateException("no clock can be set without a C compiler");
        }
        offsets.computeIfAbsent(name, any -> map(file(name))).putLong(0, ahead.toNanos());
    }

    /** How far ahead of the machine's it is. */
    Duration offset(String name) {
        ByteBuffer offset = offsets.get(name);
        return offset == null ? Duration.ZERO : Duration.ofNanos(offset.getLong(0));
    }

    private Path file(String name) {
        return directory.resolve(name + ".offset");
    }

    private static ByteBuffer map(Path file) {
        try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
            return open.getChannel().map(MapMode.READ_WRITE, 0, Long.BYTES).order(ByteOrder.nativeOrder());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private @Nullable Path compile() throws IOException {
        Path source = directory.resolve(SOURCE);
        try (InputStream in = Objects.requireNonNull(Clocks.class.getResourceAsStream(SOURCE))) {
            Files.copy(in, source, StandardCopyOption.REPLACE_EXISTING);
        }
        Path compiled = directory.resolve("clock.so");
        for (String compiler : COMPILERS) {
            if (Command.succeeds(
                    LIMIT, compiler, "-O2", "-shared", "-fPIC", "-o", compiled.toString(), source.toString(), "-ldl")) {
                return compiled;
            }
        }
        return null;
    }
}
