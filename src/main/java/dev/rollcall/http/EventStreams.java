package dev.rollcall.http;

import dev.rollcall.config.HttpSettings;
import dev.rollcall.domain.UserId;
import dev.rollcall.gateway.SinceToken;
import dev.rollcall.http.EventStream.Format;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** All event streams that are open: how many there may be, and what time does to them. */
final class EventStreams implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(EventStreams.class);
    private static final long TICK_MS = 500;
    private static final long RETRY_MS = 5_000;
    private static final long CLOSED_WITHIN_MS = 1_000;

    private final int most;
    private final int mostPerUser;
    private final Executor executor;
    private final AtomicInteger count = new AtomicInteger();
    private final Map<UserId, Integer> perUser = new ConcurrentHashMap<>();
    private final Set<EventStream> open = ConcurrentHashMap.newKeySet();
    private final ScheduledExecutorService ticking = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "event-streams");
        thread.setDaemon(true);
        return thread;
    });

    EventStreams(HttpSettings settings, Executor executor) {
        this.most = settings.maxStreams();
        this.mostPerUser = settings.maxStreamsPerUser();
        this.executor = executor;
        var unused = ticking.scheduleWithFixedDelay(this::tick, TICK_MS, TICK_MS, TimeUnit.MILLISECONDS);
    }

    /** Makes room for a stream, or refuses it. It is to be begun, or released. */
    EventStream reserve(
            Backend backend,
            UserId user,
            String device,
            @Nullable Set<UserId> users,
            @Nullable SinceToken since,
            Format format,
            long timeoutMs) {
        if (count.incrementAndGet() > most) {
            count.decrementAndGet();
            throw ApiException.tooMany("there are as many event streams open as may be", RETRY_MS);
        }
        if (perUser.merge(user, 1, Integer::sum) > mostPerUser) {
            leave(user);
            throw ApiException.tooMany("the user has as many event streams open as may be", RETRY_MS);
        }
        EventStream stream = new EventStream(this, executor, backend, user, device, users, since, format, timeoutMs);
        open.add(stream);
        return stream;
    }

    void release(EventStream stream) {
        if (open.remove(stream)) {
            leave(stream.user());
        }
    }

    /** Ends the streams of a device. */
    void end(UserId user, String device) {
        for (EventStream stream : open) {
            if (stream.isOf(user, device)) {
                stream.end();
            }
        }
    }

    int count() {
        return count.get();
    }

    /** Ends all of them, and waits for that, 1 s at most. */
    @Override
    public void close() {
        ticking.shutdownNow();
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(CLOSED_WITHIN_MS);
        open.forEach(EventStream::end);
        try {
            while (!open.isEmpty() && System.nanoTime() < deadline) {
                TimeUnit.MILLISECONDS.sleep(10);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        open.forEach(EventStream::cut);
    }

    private void leave(UserId user) {
        count.decrementAndGet();
        perUser.computeIfPresent(user, (key, streams) -> streams > 1 ? (Integer) (streams - 1) : null);
    }

    private void tick() {
        try {
            long now = System.nanoTime();
            open.forEach(stream -> tick(stream, now));
        } catch (Throwable e) {
            tell(e); // the executor would never call again
        }
    }

    private static void tick(EventStream stream, long now) {
        try {
            stream.tick(now);
        } catch (Throwable e) {
            stream.cut(); // its client comes back, and the others go on
            tell(e);
        }
    }

    private static void tell(Throwable failure) {
        try {
            LOG.error("looking after event streams failed; it will be tried again", failure);
        } catch (Throwable e) {
            // There may be no memory for that, either. The next tick will tell, if it fails too.
        }
    }
}
