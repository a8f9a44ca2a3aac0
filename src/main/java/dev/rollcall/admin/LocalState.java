package dev.rollcall.admin;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import java.util.Properties;

/**
 * Which changelogs the state on this machine's disk is of. One that is deleted and made anew has the same name, and Kafka Streams
 * takes state for newer whose offset is beyond the new end: it would restore nothing, and users who were hidden would be shown.
 * Not thread-safe.
 */
public final class LocalState {
    private final Path file;
    private final Properties ids = new Properties();
    private boolean outdated;

    /**
     * Reads what was stored.
     *
     * @param file the ids of topics, by their names
     */
    public LocalState(Path file) {
        this.file = file;
        if (Files.exists(file)) {
            try (InputStream in = Files.newInputStream(file)) {
                ids.load(in);
            } catch (IOException e) {
                throw new UncheckedIOException("cannot read " + file, e);
            }
        }
    }

    /**
     * Whether the state was of others than those that there are, and must not be used. False where that is not known: no
     * version that stores it has run here.
     */
    public boolean isOutdated() {
        return outdated;
    }

    /** @param changelogs the ids of those that exist, by their names */
    void compare(Map<String, String> changelogs) {
        outdated = changelogs.entrySet().stream()
                .anyMatch(one -> !one.getValue().equals(ids.getProperty(one.getKey(), one.getValue())));
    }

    /** It was deleted. */
    public void forget() {
        ids.clear();
        outdated = false;
    }

    /** There is state of these, and of those that were stored before. */
    void add(Map<String, String> changelogs) {
        boolean isNew = false;
        for (Map.Entry<String, String> one : changelogs.entrySet()) {
            isNew |= ids.putIfAbsent(one.getKey(), one.getValue()) == null;
        }
        if (isNew) {
            write();
        }
    }

    private void write() {
        Path next = file.resolveSibling(file.getFileName() + ".new");
        try {
            Files.createDirectories(file.toAbsolutePath().getParent());
            try (OutputStream out = Files.newOutputStream(next)) {
                ids.store(out, null);
            }
            Files.move(next, file, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + file, e);
        }
    }
}
