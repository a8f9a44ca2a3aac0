package dev.rollcall.http.tokens;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKSet;
import dev.rollcall.config.ConfigException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.text.ParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The keys of a JWKS file (RFC 7517), which is read again when it has changed: looked at with a token, at most once a second. A
 * file that cannot be used any more is warned of, and the keys that were read last remain. Thread-safe.
 */
final class JwksFile {
    private static final Logger LOG = LoggerFactory.getLogger(JwksFile.class);
    private static final long BETWEEN_LOOKS = TimeUnit.SECONDS.toNanos(1);

    private final Path path;
    private final AtomicLong lastLook = new AtomicLong(System.nanoTime());
    private volatile Read read;

    /** What tells one content of the file from another: a file that is written in place, or replaced, or linked anew. */
    private record Stamp(
            FileTime modified, long size, @Nullable Object file) {}

    private record Read(Stamp stamp, List<VerificationKey> keys) {}

    /**
     * Reads the file.
     *
     * @throws ConfigException if it cannot be used, with the reason
     */
    JwksFile(Path path) {
        this.path = path;
        try {
            read = new Read(stamp(), load());
        } catch (IOException e) {
            throw unusable("it cannot be read, " + e);
        }
    }

    List<VerificationKey> keys() {
        long now = System.nanoTime();
        long last = lastLook.get();
        if (now - last >= BETWEEN_LOOKS && lastLook.compareAndSet(last, now)) {
            readIfChanged();
        }
        return read.keys();
    }

    private void readIfChanged() {
        Read before = read;
        try {
            Stamp stamp = stamp();
            if (!stamp.equals(before.stamp())) {
                read = new Read(stamp, before.keys()); // whatever follows: what cannot be used is warned of once
                read = new Read(stamp, load());
                LOG.info(
                        "http.jwt.jwks.file has changed: it has {} keys for tokens",
                        read.keys().size());
            }
        } catch (ConfigException | IOException e) {
            LOG.warn("the keys that were read from http.jwt.jwks.file before remain: {}", e.toString());
        }
    }

    private Stamp stamp() throws IOException {
        BasicFileAttributes attributes = Files.readAttributes(path, BasicFileAttributes.class);
        return new Stamp(attributes.lastModifiedTime(), attributes.size(), attributes.fileKey());
    }

    private List<VerificationKey> load() throws IOException {
        List<VerificationKey> keys = new ArrayList<>();
        try {
            for (JWK jwk : JWKSet.parse(Files.readString(path)).getKeys()) {
                VerificationKey.of(jwk).ifPresent(keys::add);
            }
        } catch (ParseException | JOSEException | RuntimeException e) {
            if (e instanceof ConfigException) {
                throw unusable(e.getMessage());
            }
            // Without the parser's message, which may quote a secret key.
            throw unusable("it is no JWKS (RFC 7517), {\"keys\": [...]}");
        }
        if (keys.isEmpty()) {
            throw unusable("it has no key for signatures with RS256, ES256 (P-256) or HS256");
        }
        return List.copyOf(keys);
    }

    private ConfigException unusable(@Nullable String reason) {
        return new ConfigException("http.jwt.jwks.file cannot be used, %s: %s".formatted(path, reason));
    }
}
