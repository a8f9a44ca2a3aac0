package dev.rollcall.bench;

import static java.util.Objects.requireNonNull;

import dev.rollcall.app.Rollcall;
import dev.rollcall.config.RollcallConfig;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What the processes of {@link Streams} do, one job after the other; what a job has begun goes on behind it. */
final class StreamJobs {
    private static @Nullable StreamClients clients;

    private StreamJobs() {}

    /** Runs Rollcall for good; returns where its HTTP edge is. */
    record Serve(Map<String, String> settings) implements Job<URI> {
        @Override
        public URI run() throws Exception {
            Rollcall rollcall = Rollcall.start(RollcallConfig.of(settings));
            rollcall.awaitReady();
            return URI.create(rollcall.httpUrl().orElseThrow());
        }

        @Override
        public Class<URI> resultType() {
            return URI.class;
        }
    }

    /** How many bytes of the heap are reachable. */
    record Heap() implements Job<Long> {
        @Override
        public Long run() {
            System.gc();
            return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
        }

        @Override
        public Class<Long> resultType() {
            return Long.class;
        }
    }

    /** See {@link StreamClients}. */
    record Connect(List<URI> edges, int users, int first, int streams, int watched, int readOf, String query)
            implements Job<Boolean> {
        @Override
        public Boolean run() throws Exception {
            clients = new StreamClients(edges, users, first, streams, watched, readOf, query);
            return true;
        }

        @Override
        public Class<Boolean> resultType() {
            return Boolean.class;
        }
    }

    /** As {@link StreamClients#open}. */
    record Open(long atMostMs) implements Job<Long> {
        @Override
        public Long run() throws Exception {
            return requireNonNull(clients).open(atMostMs);
        }

        @Override
        public Class<Long> resultType() {
            return Long.class;
        }
    }

    /** What was delivered in so many ms: by its age in ms, how much. */
    record Measure(long ms) implements Job<int[]> {
        @Override
        public int[] run() throws Exception {
            return requireNonNull(clients).measure(ms);
        }

        @Override
        public Class<int[]> resultType() {
            return int[].class;
        }
    }

    /** How many streams were ended, and how many lack a last state. */
    record Lost(List<Integer> sequences) implements Job<int[]> {
        @Override
        public int[] run() throws Exception {
            StreamClients all = requireNonNull(clients);
            return new int[] {all.ended(), all.behind(sequences)};
        }

        @Override
        public Class<int[]> resultType() {
            return int[].class;
        }
    }
}
