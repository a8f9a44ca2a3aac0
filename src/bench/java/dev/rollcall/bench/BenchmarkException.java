package dev.rollcall.bench;

/** The run cannot go on, or a contestant has not done its work; its figures are then worth nothing. */
final class BenchmarkException extends RuntimeException {
    BenchmarkException(String message) {
        super(message);
    }
}
