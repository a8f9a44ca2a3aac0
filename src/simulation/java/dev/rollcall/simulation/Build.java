package dev.rollcall.simulation;

import dev.rollcall.chaos.SourcePatches;
import dev.rollcall.chaos.SourcePatches.Words;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * All classes, loaded apart: as they are but for two sources of chance, which are the same in each run, and for a variant's
 * defect.
 */
final class Build extends URLClassLoader {
    /** What would be drawn anew with each process: the seed of a hash, and a session's name and phase. */
    private static final List<Words> SAME_EACH_TIME = List.of(
            new Words("dev/rollcall/domain/UserId.java", "new SecureRandom().nextLong()", "0x6A09E667F3BCC908L"),
            new Words(
                    "dev/rollcall/client/sending/ShardSession.java",
                    "ThreadLocalRandom.current().nextLong(settings.intervalMs())",
                    "Math.floorMod(startedAt * 0x9E3779B9L, settings.intervalMs())"),
            new Words(
                    "dev/rollcall/client/sending/ShardSession.java",
                    "UUID.randomUUID().toString()",
                    "settings.shard() + \"@\" + startedAt"));

    private final Path directory;

    private Build(Path directory, URL[] classPath) {
        super(classPath, ClassLoader.getPlatformClassLoader());
        this.directory = directory;
    }

    /** With a variant's words in place of the right ones. */
    static Build with(String name, List<Words> defect) {
        try {
            Path directory = Files.createTempDirectory("rollcall-simulation");
            List<Words> all = new ArrayList<>(SAME_EACH_TIME);
            all.addAll(defect);
            Path patched = SourcePatches.compile(name, all, directory);
            List<URL> urls = new ArrayList<>();
            urls.add(url(patched));
            for (String path : SourcePatches.classPath().split(":", -1)) {
                urls.add(url(Path.of(path)));
            }
            return new Build(directory, urls.toArray(URL[]::new));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static URL url(Path path) throws MalformedURLException {
        return path.toUri().toURL();
    }

    /** What the player in here makes of the arguments; only the JDK's types pass through. */
    Object[] play(Object... arguments) {
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        thread.setContextClassLoader(this);
        try {
            for (var method : loadClass("dev.rollcall.simulation.Player").getDeclaredMethods()) {
                if (method.getName().equals("play")) {
                    method.setAccessible(true);
                    return (Object[]) method.invoke(null, arguments);
                }
            }
            throw new IllegalStateException("there is no player");
        } catch (ReflectiveOperationException e) {
            @Nullable Throwable cause = e.getCause();
            throw new IllegalStateException(cause == null ? e : cause);
        } finally {
            thread.setContextClassLoader(before);
        }
    }

    @Override
    public void close() throws IOException {
        super.close();
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
