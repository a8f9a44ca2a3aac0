package dev.rollcall.embedded;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.kafka.metadata.properties.MetaProperties;
import org.apache.kafka.metadata.storage.Formatter;
import org.apache.kafka.server.common.Feature;
import org.apache.kafka.server.common.MetadataVersion;
import org.jspecify.annotations.Nullable;

/**
 * The directory a broker keeps everything in: held by one broker at a time, formatted when it is new, refused when it
 * is not ours.
 *
 * <p>Kafka has a lock of its own ({@value #KAFKA_LOCK}), but in combined mode it takes it only after it has opened and
 * written to the metadata log, so a second process would damage that log before it was turned away.
 */
final class DataDirectory implements AutoCloseable {
    /** The 16 ASCII bytes {@code embedded-broker!} in the Base64 of Kafka's ids. */
    static final String CLUSTER_ID = "ZW1iZWRkZWQtYnJva2VyIQ";

    static final int NODE_ID = 1;

    private static final String META_PROPERTIES = "meta.properties";
    private static final String KAFKA_LOCK = ".lock";
    private static final String OUR_LOCK = ".embedded-broker.lock";

    /** Files that an interrupted formatting may have left; formatting again is safe. */
    private static final Set<String> LEFT_BY_FORMATTING =
            Set.of(OUR_LOCK, KAFKA_LOCK, "bootstrap.checkpoint", "bootstrap.checkpoint.tmp", META_PROPERTIES + ".tmp");

    /**
     * The directories held in this JVM. Looked at before any lock file is opened: on POSIX, closing any channel on a
     * file drops all the locks the process has on it.
     */
    private static final Set<Path> held = new HashSet<>();

    private final Path path;
    private @Nullable FileChannel lock;

    private DataDirectory(Path path) {
        this.path = path;
    }

    /** Locks the directory, after creating and formatting it if necessary. */
    static DataDirectory take(Path dataDir) {
        Path path = create(dataDir);
        boolean formatted = isFormatted(path);
        synchronized (held) {
            if (!held.add(path)) {
                throw inUse(path);
            }
        }
        DataDirectory directory = new DataDirectory(path);
        try {
            directory.lock();
            // Checked again under the lock: another process may have formatted it since.
            if (!formatted && !isFormatted(path)) {
                format(path);
            }
            return directory;
        } catch (Throwable e) {
            directory.close();
            throw e;
        }
    }

    Path path() {
        return path;
    }

    @Override
    public void close() {
        try {
            if (lock != null) {
                lock.close();
            }
        } catch (IOException e) {
            throw new EmbeddedBrokerException("The lock on the broker's data directory " + path + " did not close", e);
        } finally {
            synchronized (held) {
                held.remove(path);
            }
        }
    }

    private static Path create(Path dataDir) {
        if (dataDir.toString().contains(",")) {
            throw new EmbeddedBrokerException("The broker's data directory " + dataDir
                    + " has a comma in its name, where Kafka would read a list; set data.dir to one without");
        }
        try {
            Files.createDirectories(dataDir);
            Path path = dataDir.toRealPath();
            if (!Files.isWritable(path)) {
                throw notWritable(dataDir, null);
            }
            return path;
        } catch (IOException e) {
            throw notWritable(dataDir, e);
        }
    }

    private static boolean isFormatted(Path path) {
        Optional<MetaProperties> found = readMetaProperties(path);
        if (found.isEmpty()) {
            refuseForeignContents(path);
            return false;
        }
        String clusterId = found.get().clusterId().orElse("none");
        int nodeId = found.get().nodeId().orElse(-1);
        if (!clusterId.equals(CLUSTER_ID) || nodeId != NODE_ID) {
            throw new EmbeddedBrokerException("The directory " + path + " belongs to another Kafka cluster: its "
                    + META_PROPERTIES + " says cluster.id=" + clusterId + " and node.id=" + nodeId
                    + ", the embedded broker is cluster.id=" + CLUSTER_ID + " and node.id=" + NODE_ID
                    + "; set data.dir to a directory of its own");
        }
        return true;
    }

    private static Optional<MetaProperties> readMetaProperties(Path path) {
        Path file = path.resolve(META_PROPERTIES);
        try (InputStream in = Files.newInputStream(file)) {
            Properties properties = new Properties();
            properties.load(in);
            MetaProperties found = new MetaProperties.Builder(properties).build();
            // A file without these, such as an empty one, would be read as the format before KRaft.
            if (found.clusterId().isEmpty() || found.nodeId().isEmpty()) {
                throw new IllegalArgumentException("cluster.id and node.id are not both there");
            }
            return Optional.of(found);
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IOException | RuntimeException e) {
            throw new EmbeddedBrokerException(
                    "The file " + file + " cannot be read (" + reason(e) + "), so nothing says whose data " + path
                            + " holds; restore the file, or delete the directory to start empty, or set data.dir to"
                            + " another one",
                    e);
        }
    }

    /** Kafka takes every directory here for a partition, and fails on one that is not. */
    private static void refuseForeignContents(Path path) {
        try (Stream<Path> entries = Files.list(path)) {
            entries.filter(entry -> !LEFT_BY_FORMATTING.contains(String.valueOf(entry.getFileName())))
                    .findFirst()
                    .ifPresent(foreign -> {
                        throw new EmbeddedBrokerException("The directory " + path + " has no " + META_PROPERTIES
                                + ", so it is no Kafka data directory, but it is not empty either: it holds "
                                + foreign.getFileName() + "; set data.dir to a new or an empty directory");
                    });
        } catch (IOException e) {
            throw notWritable(path, e);
        }
    }

    private void lock() {
        try {
            FileChannel ours =
                    FileChannel.open(path.resolve(OUR_LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            lock = ours;
            if (!tryLock(ours) || isHeldByPlainKafka()) {
                throw inUse(path);
            }
        } catch (IOException e) {
            throw notWritable(path, e);
        }
    }

    private boolean isHeldByPlainKafka() throws IOException {
        try (FileChannel theirs = FileChannel.open(path.resolve(KAFKA_LOCK), StandardOpenOption.WRITE)) {
            return !tryLock(theirs);
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    private static boolean tryLock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock() != null;
        } catch (OverlappingFileLockException e) {
            return false;
        }
    }

    private static void format(Path path) {
        Formatter formatter = new Formatter()
                .setClusterId(CLUSTER_ID)
                .setNodeId(NODE_ID)
                .addDirectory(path.toString())
                .setMetadataLogDirectory(path.toString())
                .setControllerListenerName(EmbeddedBroker.CONTROLLER_LISTENER)
                .setReleaseVersion(MetadataVersion.latestProduction())
                .setPrintStream(new PrintStream(OutputStream.nullOutputStream(), false, UTF_8));
        for (Feature feature : Feature.PRODUCTION_FEATURES) {
            // Static voters: a quorum of one never changes, and its port may differ at each start.
            if (feature != Feature.KRAFT_VERSION) {
                formatter.setFeatureLevel(feature.featureName(), feature.latestProduction());
            }
        }
        try {
            formatter.run();
        } catch (Exception e) {
            throw new EmbeddedBrokerException(
                    "The broker's data directory " + path + " could not be formatted: " + reason(e)
                            + "; see that the disk has room, or set data.dir to another directory",
                    e);
        }
    }

    private static EmbeddedBrokerException inUse(Path path) {
        return new EmbeddedBrokerException("The broker's data directory " + path
                + " is in use by another broker, most likely another instance of this program; stop that one, or set"
                + " data.dir to another directory");
    }

    private static EmbeddedBrokerException notWritable(Path path, @Nullable IOException cause) {
        return new EmbeddedBrokerException(
                "The broker's data directory " + path + " cannot be made or written to"
                        + (cause == null ? "" : " (" + reason(cause) + ")")
                        + "; give this user the right to, or set data.dir to another directory",
                cause);
    }

    private static String reason(Exception e) {
        String message = e.getMessage();
        return message == null ? e.getClass().getSimpleName() : e.getClass().getSimpleName() + ": " + message;
    }
}
