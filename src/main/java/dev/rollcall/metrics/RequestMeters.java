package dev.rollcall.metrics;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The requests of HTTP by route and code, and what was refused because it was too much. Thread-safe. */
public final class RequestMeters {
    private static final List<Duration> BUCKETS = List.of(
            Duration.ofMillis(5),
            Duration.ofMillis(25),
            Duration.ofMillis(100),
            Duration.ofMillis(500),
            Duration.ofSeconds(2));

    private final Meters meters;
    private final Map<Key, Meters.Durations> requests = new ConcurrentHashMap<>();
    private final Map<String, Meters.Count> limited = new ConcurrentHashMap<>();

    private record Key(String method, String route, int code) {}

    public RequestMeters(Meters meters) {
        this.meters = meters;
        List.of("writes", "ids").forEach(this::limits);
    }

    /**
     * A request was answered, or its event stream begun.
     *
     * @param route null: there is none for it, and its method is not told, for a client can write anything there
     */
    public void answered(@Nullable String method, @Nullable String route, int code, long nanos) {
        Key key = route == null || method == null ? new Key("other", "none", code) : new Key(method, route, code);
        requests.computeIfAbsent(
                        key,
                        one -> meters.durations(
                                "rollcall.http.requests",
                                "Requests, until the answer was there",
                                BUCKETS,
                                "method",
                                one.method(),
                                "route",
                                one.route(),
                                "code",
                                Integer.toString(one.code())))
                .record(nanos, TimeUnit.NANOSECONDS);
    }

    /** A caller wanted more of something ({@code writes} or {@code ids}) than it may have. */
    public void limited(String of) {
        limits(of).add(1);
    }

    private Meters.Count limits(String of) {
        return limited.computeIfAbsent(
                of, one -> meters.count("rollcall.http.limited", "Requests that were refused with 429", "of", one));
    }
}
