package dev.rollcall.wire;

import dev.rollcall.domain.Rejection.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.avro.Schema;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.io.DatumReader;
import org.apache.avro.message.BinaryMessageEncoder;
import org.apache.avro.specific.SpecificData;
import org.apache.avro.specific.SpecificDatumReader;
import org.apache.avro.specific.SpecificRecord;
import org.apache.avro.util.ClassSecurityValidator;

/**
 * Avro's single-object encoding: {@code C3 01}, the 8 bytes of the schema's CRC-64-AVRO fingerprint (little-endian), the
 * body. Reads every version of a schema that was ever committed under {@code schemas/versions/}. Thread-safe.
 *
 * <p>Source: <a href="https://avro.apache.org/docs/1.12.0/specification/#single-object-encoding">Avro specification,
 * single-object encoding</a>.
 */
public final class SingleObject {
    static final int HEADER_BYTES = 10;
    private static final int MARKER = 0xC301;

    static {
        // Avro makes only instances of classes that it was told to trust; ours are trusted without a -D flag.
        ClassSecurityValidator.setGlobal(ClassSecurityValidator.composite(
                ClassSecurityValidator.getGlobal(),
                type -> type.getPackageName().equals("dev.rollcall.v1")
                        || type.getPackageName().equals("dev.rollcall.store.v1")));
    }

    /** One per schema, for a fingerprint takes longer to compute than a record to write. */
    private static final Map<Schema, BinaryMessageEncoder<SpecificRecord>> ENCODERS = new ConcurrentHashMap<>();

    private final Map<Long, DatumReader<? extends SpecificRecord>> readers = new HashMap<>();

    /** A codec for these records and no others. */
    public SingleObject(Schema... current) {
        for (Schema schema : current) {
            addReader(schema, schema);
            for (int version = 1; ; version++) {
                Optional<Schema> committed = committed(schema.getName(), version);
                if (committed.isEmpty()) {
                    break;
                }
                addReader(committed.get(), schema);
            }
        }
    }

    public static byte[] encode(SpecificRecord value) {
        try {
            ByteBuffer encoded = ENCODERS.computeIfAbsent(
                            value.getSchema(), schema -> new BinaryMessageEncoder<>(model(schema), schema))
                    .encode(value);
            byte[] bytes = new byte[encoded.remaining()];
            encoded.get(bytes);
            return bytes;
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory failed", e);
        }
    }

    public SpecificRecord decode(byte[] bytes) throws UnreadableException {
        if (bytes.length < HEADER_BYTES || ByteBuffer.wrap(bytes).getShort() != (short) MARKER) {
            throw new UnreadableException(
                    Reason.UNDECODABLE, "not Avro single-object encoding: it must begin with C3 01 and a fingerprint");
        }
        long fingerprint = fingerprint(bytes);
        DatumReader<? extends SpecificRecord> reader = readers.get(fingerprint);
        if (reader == null) {
            throw new UnreadableException(
                    Reason.UNKNOWN_SCHEMA,
                    "no schema with the fingerprint %016x is known here".formatted(Long.reverseBytes(fingerprint)));
        }
        return decode(reader, bytes, HEADER_BYTES);
    }

    static long fingerprint(byte[] encoded) {
        return ByteBuffer.wrap(encoded).order(ByteOrder.LITTLE_ENDIAN).getLong(2);
    }

    /** Reads a body that begins there and ends where the bytes do. */
    static SpecificRecord decode(DatumReader<? extends SpecificRecord> reader, byte[] bytes, int from)
            throws UnreadableException {
        try {
            StrictDecoder decoder = new StrictDecoder(bytes, from);
            SpecificRecord value = reader.read(null, decoder);
            if (!decoder.isEnd()) {
                throw new UnreadableException(Reason.UNDECODABLE, "there are bytes after the end of the record");
            }
            return value;
        } catch (IOException | RuntimeException | StackOverflowError e) { // the last of another's schema that nests
            throw new UnreadableException(Reason.UNDECODABLE, "the body does not match its schema (" + e + ")");
        }
    }

    private void addReader(Schema writer, Schema reader) {
        readers.put(SchemaNormalization.parsingFingerprint64(writer), reader(writer, reader));
    }

    static DatumReader<SpecificRecord> reader(Schema writer, Schema reader) {
        return new SpecificDatumReader<>(writer, reader, model(reader));
    }

    /** With the coders that Avro generates into a class, where it can: several times as fast as going through the schema. */
    private static SpecificData model(Schema schema) {
        SpecificData model = SpecificData.getForSchema(schema);
        model.setCustomCoders(true);
        return model;
    }

    private static Optional<Schema> committed(String record, int version) {
        return read("/schemas/versions/%s.%d.avsc".formatted(record, version));
    }

    /** The current schema as it is published; in that of the generated class, strings have a property for Java. */
    static Schema published(Schema current) {
        return read("/schemas/%s.avsc".formatted(current.getName())).orElseThrow();
    }

    private static Optional<Schema> read(String path) {
        try (InputStream file = SingleObject.class.getResourceAsStream(path)) {
            return file == null ? Optional.empty() : Optional.of(new Schema.Parser().parse(file));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + path, e);
        }
    }
}
