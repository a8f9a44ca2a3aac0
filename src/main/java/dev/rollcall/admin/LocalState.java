package dev.rollcall.admin;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/**
 * What is to be known of the state on this machine's disk before it may be used: of which changelogs it is, and when it was last
 * in use. A changelog that is deleted and made anew has the same name, and Kafka Streams takes state for newer whose offset is
 * beyond the new end: it would restore nothing, and users who were hidden would be shown. And a changelog keeps its tombstones
 * only for {@code delete.retention.ms}: in state that is older, users come back who were forgotten since. Kafka Streams' own
 * {@code state.cleanup.dir.max.age.ms} goes by directories that RocksDB need not touch for months. Not thread-safe.
 */
public final class LocalState {
    /** No topic has a name with a space. */
    private static final String LAST_USED = "last used, ms since the epoch";

    /**
     * From then on all that is left on disk is in use, or nearly: what a running process has no partition for is deleted after
     * twice {@code state.cleanup.delay.ms}, which is three hours at most. Before, it may be as old as at the start.
     */
    private static final Duration SETTLED = Duration.ofHours(6);

    private static final Duration CLOCK_TOLERANCE = Duration.ofMinutes(1);

    private final Path file;
    private final InstantSource clock;
    private final Instant startedAt;
    private final Properties stored = new Properties();
    private Optional<Instant> lastUsed = Optional.empty();
    private boolean isDamaged;
    private Optional<String> whyOutdated = Optional.empty();

    /**
     * Reads what was stored.
     *
     * @param file the ids of topics, by their names, and when the state was last used
     */
    public LocalState(Path file, InstantSource clock) {
        this.file = file;
        this.clock = clock;
        startedAt = clock.instant();
        if (Files.exists(file)) {
            read();
        }
    }

    private void read() {
        try (InputStream in = Files.newInputStream(file)) {
            stored.load(in);
            lastUsed = Optional.ofNullable(stored.getProperty(LAST_USED))
                    .map(Long::parseLong)
                    .map(Instant::ofEpochMilli);
            isDamaged = stored.isEmpty() || stored.toString().indexOf('\0') >= 0; // as a crash may leave it
        } catch (IllegalArgumentException e) { // an escape or a number that is none
            isDamaged = true;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file, e);
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
        whyOutdated = Optional.ofNullable(reason(changelogs, tombstones));
    }

    private @Nullable String reason(Map<String, String> changelogs, Duration tombstones) {
        if (isDamaged) {
            return file + " is damaged, which says what it is of";
        }
        boolean isOfOthers = changelogs.entrySet().stream()
                .anyMatch(one -> !one.getValue().equals(stored.getProperty(one.getKey(), one.getValue())));
        if (isOfOthers) {
            return "it is of changelogs that were deleted since";
        }
        Instant now = clock.instant();
        Instant usable = now.minus(tombstones.dividedBy(2)); // half: restoring takes a while, too
        return lastUsed.filter(at -> at.isBefore(usable) || at.isAfter(now.plus(CLOCK_TOLERANCE)))
                .map(at -> "it was last used at %s, and changelogs keep tombstones for %s (delete.retention.ms)"
                        .formatted(at, tombstones))
                .orElse(null);
    }

    /** It was deleted. */
    public void forget() {
        stored.clear();
        lastUsed = Optional.empty();
        isDamaged = false;
        whyOutdated = Optional.empty();
    }

    /**
     * It is in use now: of these, and of those that were stored before.
     *
     * @throws UncheckedIOException if that cannot be stored
     */
    void used(Map<String, String> changelogs) {
        changelogs.forEach(stored::putIfAbsent);
        Instant now = clock.instant();
        if (lastUsed.isEmpty() || now.isAfter(startedAt.plus(SETTLED))) {
            lastUsed = Optional.of(now);
        }
        stored.setProperty(LAST_USED, Long.toString(lastUsed.get().toEpochMilli()));
        write();
    }

    private void write() {
        Path next = file.resolveSibling(file.getFileName() + ".new");
        try {
            Files.createDirectories(file.toAbsolutePath().getParent());
            try (FileChannel channel = FileChannel.open(
                    next, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
                stored.store(Channels.newOutputStream(channel), null);
                channel.force(true);
            }
            Files.move(next, file, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + file, e);
        }
    }
}
