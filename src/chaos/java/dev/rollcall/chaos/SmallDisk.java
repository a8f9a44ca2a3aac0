package dev.rollcall.chaos;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** A file system of its own in memory, small enough to be filled. Only root can have one. */
final class SmallDisk implements AutoCloseable {
    private static final int SIZE_MB = 96;

    private final Path directory;
    private final Thread unmounting = new Thread(this::unmount, "unmount");
    private boolean mounted;

    /** Mounts it. */
    SmallDisk(Path directory) throws IOException {
        this.directory = directory;
        Files.createDirectories(directory);
        mounted = run("mount", "-t", "tmpfs", "-o", "size=" + SIZE_MB + "m", "rollcall-chaos", directory.toString());
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
            mounted = !run("umount", "-l", directory.toString());
        }
    }

    private static boolean run(String... command) {
        try {
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            return process.waitFor(10, TimeUnit.SECONDS) && process.exitValue() == 0;
        } catch (IOException e) {
            return false; // there is no such program
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UncheckedIOException(new IOException("interrupted", e));
        }
    }
}
