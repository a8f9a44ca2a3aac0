package dev.rollcall.admin;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;

/**
 * What is to be known of the state on this machine's disk before it may be used: of which changelogs it is, and when it was last
 * in use. A changelog that is deleted and made anew has the same name, and Kafka Streams takes state for newer whose offset is
 * beyond the new end: it would restore nothing, and users who were hidden would be shown. And a changelog keeps its tombstones
 * only for {@code delete.retention.ms}: in state that is older, users come back who were forgotten since. Not thread-safe.
 */
public final class LocalState {
    /** No topic has a name with a space. */
    private static final String LAST_USED = "last used, ms since the epoch";

    private final Path file;
    private final InstantSource clock;
    private final Properties stored = new Properties();
    private Optional<String> whyOutdated = Optional.empty();

    /**
     * Reads what was stored.
     *
     * @param file the ids of topics, by their names
     */
    public LocalState(Path file, InstantSource clock) {
        this.file = file;
        this.clock = clock;
        if (Files.exists(file)) {
            try (InputStream in = Files.newInputStream(file)) {
                stored.load(in);
            } catch (IOException e) {
                throw new UncheckedIOException("cannot read " + file, e);
            }
        }
    }

    /**
     * Why the state must not be used; empty: it may be, or nothing is known of it, as no version that stores it has run here.
     */
    public Optional<String> whyOutdated() {
        return whyOutdated;
    }

    /**
     * Looks whether the state can be brought up to date.
     *
     * @param changelogs the ids of those that exist, by their names
     * @param tombstones how long they keep the tombstone of a row that was deleted
     */
    void compare(Map<String, String> changelogs, Duration tombstones) {
        Instant usable = clock.instant().minus(tombstones.dividedBy(2)); // half: restoring takes a while, too
        if (changelogs.entrySet().stream()
                .anyMatch(one -> !one.getValue().equals(stored.getProperty(one.getKey(), one.getValue())))) {
            whyOutdated = Optional.of("it is of changelogs that were deleted since");
        } else if (lastUsed().filter(usable::isAfter).isPresent()) {
            whyOutdated =
                    Optional.of("it was last used at %s, and changelogs keep tombstones for %s (delete.retention.ms)"
                            .formatted(lastUsed().orElseThrow(), tombstones));
        } else {
            whyOutdated = Optional.empty();
        }
    }

    private Optional<Instant> lastUsed() {
        return Optional.ofNullable(stored.getProperty(LAST_USED))
                .map(Long::parseLong)
                .map(Instant::ofEpochMilli);
    }

    /** It was deleted. */
    public void forget() {
        stored.clear();
        whyOutdated = Optional.empty();
    }

    /** It is in use now: of these, and of those that were stored before. */
    void used(Map<String, String> changelogs) {
        changelogs.forEach(stored::putIfAbsent);
        stored.setProperty(LAST_USED, Long.toString(clock.millis()));
        write();
    }

    private void write() {
        Path next = file.resolveSibling(file.getFileName() + ".new");
        try {
            Files.createDirectories(file.toAbsolutePath().getParent());
            try (OutputStream out = Files.newOutputStream(next)) {
                stored.store(out, null);
            }
            Files.move(next, file, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + file, e);
        }
    }
}
