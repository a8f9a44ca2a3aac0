package dev.rollcall.wire.registry;

import java.util.concurrent.CompletableFuture;

/**
 * A schema registry, as values in its wire format need one: a zero byte, the id of the writer's schema in four bytes (big-endian),
 * the body in Avro binary. {@link Lookups} remember what it answers. Thread-safe; no call blocks.
 */
public interface SchemaRegistry {
    /** The schema of that id. The future fails if the registry does not answer, or with something that is no answer. */
    CompletableFuture<Answer> schema(int id);

    /**
     * The id of an Avro schema, given as JSON, under that subject, where it is registered if it is not yet. The future fails as
     * above, or with what the registry has against it.
     */
    CompletableFuture<Integer> id(String subject, String schema);

    /** What is registered under an id. */
    sealed interface Answer {}

    /** An Avro schema as JSON that stands for itself. */
    record Found(String schema) implements Answer {}

    /** Nothing, or what cannot be used; {@code why}: the end of a sentence that begins with the schema, "is not in the registry". */
    record Unusable(String why) implements Answer {}
}
