package dev.rollcall.chaos;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/** A file system of its own in memory, small enough to be filled. Only root can have one. */
final class SmallDisk implements AutoCloseable {
    private static final Duration LIMIT = Duration.ofSeconds(10);

    private static final int SIZE_MB = 96;

    private final Path directory;
    private final Thread unmounting = new Thread(this::unmount, "unmount");
    private boolean mounted;

    /** Mounts it. */
    SmallDisk(Path directory) throws IOException {
        this.directory = directory;
        Files.createDirectories(directory);
        mounted = Command.succeeds(
                LIMIT, "mount", "-t", "tmpfs", "-o", "size=" + SIZE_MB + "m", "rollcall-chaos", directory.toString());
        if (!mounted) {
            throw new IOException("cannot mount a small file system at " + directory);
        }
        Runtime.getRuntime().addShutdownHook(unmounting);
    }

    /** Whether this user can have one. */
    static boolean canBeHad(Path directory) {
        try {
            new SmallDisk(directory).close();
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    /** Takes all that is left of it. */
    void fill() throws IOException {
        byte[] block = new byte[4_096];
        try (OutputStream ballast = Files.newOutputStream(ballast())) {
            while (true) {
                ballast.write(block);
            }
        } catch (IOException e) {
            if (Files.getFileStore(directory).getUsableSpace() > 0) {
                throw e;
            }
        }
    }

    void free() throws IOException {
        Files.deleteIfExists(ballast());
    }

    @Override
    public void close() {
        unmount();
        Runtime.getRuntime().removeShutdownHook(unmounting);
    }

    private Path ballast() {
        return directory.resolve("ballast");
    }

    private synchronized void unmount() {
        if (mounted) {
            // Lazily: a process that was just killed may still hold on to it.
            mounted = !Command.succeeds(LIMIT, "umount", "-l", directory.toString());
        }
    }
}
