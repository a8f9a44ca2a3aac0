package dev.rollcall.bench;

/**
 * A piece of work for a JVM of its own: a record that Jackson can write and read.
 *
 * @param <R> the result, which Jackson can write and read too
 */
interface Job<R> {
    R run() throws Exception;

    Class<R> resultType();
}
