package dev.rollcall.http.events;

import dev.rollcall.config.HttpSettings;
import dev.rollcall.domain.UserId;
import dev.rollcall.gateway.PresenceFeed;
import dev.rollcall.gateway.PresenceWriter;
import dev.rollcall.http.events.StreamRequest.Device;
import dev.rollcall.http.server.ApiException;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** All open event streams: bounds their number, and has each look at the time twice a second. */
public final class EventStreams implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(EventStreams.class);
    private static final long TICK_MS = 500;
    private static final long RETRY_MS = 5_000;

    /** Between two steps of handing streams over. */
    private static final long STEP_MS = 50;

    private static final long CLOSED_WITHIN_MS = 1_000;

    private final int max;
    private final int maxPerUser;
    private final Executor executor;
    private final AtomicInteger count = new AtomicInteger();
    private final Map<UserId, Integer> perUser = new ConcurrentHashMap<>();
    private final Set<EventStream> open = ConcurrentHashMap.newKeySet();
    private final Map<String, EventStream> byId = new ConcurrentHashMap<>();

    /** Begins the ids of this instance's streams, so that another one can tell that it never had them. */
    private final String idPrefix = HexFormat.of().toHexDigits(new SecureRandom().nextInt()) + "-";

    private final AtomicLong nextId = new AtomicLong();

    private volatile boolean closing;
    private final AtomicBoolean closed = new AtomicBoolean();
    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "event-streams");
        thread.setDaemon(true);
        return thread;
    });

    /** The streams poll and write on {@code executor}. */
    public EventStreams(HttpSettings settings, Executor executor) {
        this.max = settings.maxStreams();
        this.maxPerUser = settings.maxStreamsPerUser();
        this.executor = executor;
        var unused = clock.scheduleWithFixedDelay(this::tick, TICK_MS, TICK_MS, TimeUnit.MILLISECONDS);
    }

    /** Makes a stream, which counts as open until it ends or is released. Throws if there are too many. */
    public EventStream reserve(PresenceFeed feed, PresenceWriter devices, StreamRequest request) {
        if (closing) {
            throw ApiException.unavailable("this instance is stopping");
        }
        if (count.incrementAndGet() > max) {
            count.decrementAndGet();
            throw ApiException.tooMany("there are as many event streams open as may be", RETRY_MS);
        }
        Device device = request.device();
        if (device != null && perUser.merge(device.user(), 1, Integer::sum) > maxPerUser) {
            leave(device);
            throw ApiException.tooMany("the user has as many event streams open as may be", RETRY_MS);
        }
        String id = idPrefix + Long.toHexString(nextId.incrementAndGet());
        EventStream stream = new EventStream(this, id, executor, feed, devices, request);
        open.add(stream);
        byId.put(id, stream);
        return stream;
    }

    /** How many are open. */
    public int open() {
        return count.get();
    }

    /** Stops counting a stream. May be called again. */
    public void release(EventStream stream) {
        if (open.remove(stream)) {
            byId.remove(stream.id());
            leave(stream.request().device());
        }
    }

    /**
     * The open stream with this id, if it is this device's, or with null a service's.
     *
     * @throws ApiException if there is none: whether it has ended here, or was never at this instance
     */
    public EventStream get(String id, @Nullable Device device) {
        if (!id.startsWith(idPrefix)) {
            throw ApiException.misdirected(
                    "this stream is not at this instance: it may be at another one; open it anew to watch others");
        }
        EventStream stream = byId.get(id);
        if (stream == null || !Objects.equals(stream.request().device(), device)) {
            throw ApiException.notFound("there is no such stream, or it has ended; open it anew");
        }
        return stream;
    }

    /** Has the stream look for changes in so many ns. */
    void wakeIn(long nanos, EventStream stream) {
        var unused = clock.schedule(stream::wake, nanos, TimeUnit.NANOSECONDS);
    }

    /** Ends the streams of a device. */
    public void end(UserId user, String device) {
        Device ended = new Device(user, device);
        for (EventStream stream : open) {
            if (ended.equals(stream.request().device())) {
                stream.end();
            }
        }
    }

    int count() {
        return count.get();
    }

    /**
     * Opens no more streams, and hands over those that are open, spread over {@code withinMs}: their clients come to the other
     * instances one after the other.
     */
    public void handOver(long withinMs) throws InterruptedException {
        closing = true;
        long steps = Math.max(1, withinMs / STEP_MS);
        for (long step = steps; step > 0 && !open.isEmpty(); step--) {
            long share = (open.size() + step - 1) / step;
            open.stream().filter(stream -> !stream.isHandingOver()).limit(share).forEach(EventStream::handOver);
            TimeUnit.MILLISECONDS.sleep(STEP_MS);
        }
    }

    /** Opens no more streams, hands over those that are open, and after 1 s cuts those that are left. May be called again. */
    @Override
    public void close() {
        if (closed.getAndSet(true)) {
            return;
        }
        closing = true;
        clock.shutdownNow();
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(CLOSED_WITHIN_MS);
        open.forEach(EventStream::handOver);
        try {
            while (!open.isEmpty() && System.nanoTime() < deadline) {
                TimeUnit.MILLISECONDS.sleep(10);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        open.forEach(EventStreams::cut);
    }

    /** The server's threads may be gone by now, and closing a connection may need one. */
    private static void cut(EventStream stream) {
        try {
            stream.cut();
        } catch (RejectedExecutionException e) {
            LOG.debug("a stream was cut after the server's threads had ended", e);
        }
    }

    private void leave(@Nullable Device device) {
        count.decrementAndGet();
        if (device != null) {
            perUser.computeIfPresent(device.user(), (key, streams) -> streams > 1 ? (Integer) (streams - 1) : null);
        }
    }

    private void tick() {
        try {
            long now = System.nanoTime();
            open.forEach(stream -> tick(stream, now));
        } catch (Throwable e) {
            log(e); // thrown on, it would cancel the executor's task
        }
    }

    private static void tick(EventStream stream, long now) {
        try {
            stream.tick(now);
        } catch (Throwable e) {
            stream.cut(); // its client reconnects, and the other streams go on
            log(e);
        }
    }

    private static void log(Throwable failure) {
        try {
            LOG.error("a tick of the event streams has failed; the next one follows", failure);
        } catch (Throwable e) {
            // Logging takes memory, which may be what has run out.
        }
    }
}
