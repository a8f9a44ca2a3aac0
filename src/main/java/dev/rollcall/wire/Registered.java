package dev.rollcall.wire;

import dev.rollcall.domain.Rejection.Reason;
import dev.rollcall.wire.registry.Lookups;
import dev.rollcall.wire.registry.RegistryUnavailableException;
import dev.rollcall.wire.registry.SchemaRegistry;
import dev.rollcall.wire.registry.SchemaRegistry.Answer;
import dev.rollcall.wire.registry.SchemaRegistry.Found;
import dev.rollcall.wire.registry.SchemaRegistry.Unusable;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;
import org.apache.avro.Schema;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.io.DatumReader;
import org.apache.avro.specific.SpecificRecord;
import org.jspecify.annotations.Nullable;

/**
 * Reads values in the wire format of a schema registry beside those in Rollcall's own, and writes them if it is asked to. The first
 * byte tells the two apart: 0 here, {@code C3} there.
 *
 * <p>A schema of the registry is taken for the record of the contract that has its name, without the namespace, and is resolved to
 * that as Avro does. Thread-safe.
 */
public final class Registered implements Format {
    static final byte MAGIC = 0;
    static final int HEADER_BYTES = 5;

    private final Lookups<Known> lookups;

    /** By the fingerprint of a current schema. */
    private final Map<Long, Integer> ids = new HashMap<>();

    /** What an id is known to mean. */
    private sealed interface Known {}

    private record Understood(DatumReader<SpecificRecord> reader, String name) implements Known {}

    private record Refused(String why) implements Known {}

    /** @param own the ids of the current schemas; empty: what is written is in Rollcall's own format */
    private Registered(SchemaRegistry registry, Map<Schema, Integer> own, LongSupplier nanoTime) {
        this.lookups = new Lookups<>(registry, Registered::known, known -> known instanceof Understood, nanoTime);
        own.forEach((schema, id) -> {
            ids.put(SchemaNormalization.parsingFingerprint64(schema), id);
            lookups.put(id, new Understood(SingleObject.reader(schema, schema), schema.getName()));
        });
    }

    /** Reads both formats, and writes Rollcall's own. */
    public static Registered reading(SchemaRegistry registry) {
        return reading(registry, System::nanoTime);
    }

    /** As above, with another monotonic clock, in ns. */
    public static Registered reading(SchemaRegistry registry, LongSupplier nanoTime) {
        return new Registered(registry, Map.of(), nanoTime);
    }

    /**
     * Reads both formats, and writes the registry's. Each record's subject is its full name. Waits for the ids, at most 30 s.
     *
     * @throws RegistryUnavailableException if the registry does not answer
     * @throws RuntimeException from the registry, if it refuses a schema
     */
    public static Registered readingAndWriting(SchemaRegistry registry) {
        Map<Schema, CompletableFuture<Integer>> asked = new HashMap<>();
        for (Schema schema : CONTRACT) {
            asked.put(
                    schema,
                    registry.id(
                            schema.getFullName(), SingleObject.published(schema).toString()));
        }
        Map<Schema, Integer> ids = new HashMap<>();
        asked.forEach((schema, id) -> ids.put(
                schema, Lookups.await(id, "the schema registry has not told the id of " + schema.getFullName())));
        return new Registered(registry, ids, System::nanoTime);
    }

    /**
     * What a value waits for, in words; null: nothing, {@link #decode} answers at once. Asks the registry if nobody does yet, and
     * does not wait for the answer.
     */
    public @Nullable String waitsFor(byte @Nullable [] value) {
        return value == null || !isRegistered(value) ? null : lookups.waitsFor(id(value));
    }

    /**
     * As {@link Format#decode}. If the schema is not known, waits for the registry's answer.
     *
     * @throws RegistryUnavailableException if it does not come
     */
    @Override
    public SpecificRecord decode(byte[] bytes) throws UnreadableException {
        if (!isRegistered(bytes)) {
            return OWN.decode(bytes);
        }
        int id = id(bytes);
        Known known = lookups.get(id);
        if (known instanceof Understood schema) {
            try {
                return SingleObject.decode(schema.reader, bytes, HEADER_BYTES);
            } catch (UnreadableException e) {
                throw new UnreadableException(
                        Reason.UNDECODABLE,
                        "with schema %d of the registry, read as %s: %s".formatted(id, schema.name, e.getMessage()));
            }
        }
        throw new UnreadableException(
                Reason.UNKNOWN_SCHEMA, "schema %d %s".formatted(id, known instanceof Refused no ? no.why : ""));
    }

    @Override
    public byte[] ofOwn(byte[] encoded) {
        Integer id = ids.get(SingleObject.fingerprint(encoded));
        if (id == null) {
            return encoded;
        }
        int body = encoded.length - SingleObject.HEADER_BYTES;
        return ByteBuffer.allocate(HEADER_BYTES + body)
                .put(MAGIC)
                .putInt(id)
                .put(encoded, SingleObject.HEADER_BYTES, body)
                .array();
    }

    private static boolean isRegistered(byte[] bytes) {
        return bytes.length >= HEADER_BYTES && bytes[0] == MAGIC;
    }

    private static int id(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.BIG_ENDIAN).getInt(1);
    }

    private static Known known(Answer answer) {
        if (answer instanceof Unusable unusable) {
            return new Refused(unusable.why());
        }
        Schema writer;
        try {
            writer = new Schema.Parser().parse(((Found) answer).schema());
        } catch (RuntimeException e) {
            return new Refused("of the registry is not an Avro schema: " + e.getMessage());
        }
        for (Schema reader : CONTRACT) {
            if (writer.getType() == Schema.Type.RECORD && writer.getName().equals(reader.getName())) {
                return new Understood(SingleObject.reader(writer, reader), reader.getName());
            }
        }
        return new Refused("of the registry is no record of Rollcall's: it is the %s %s"
                .formatted(writer.getType().getName(), writer.getFullName()));
    }
}
