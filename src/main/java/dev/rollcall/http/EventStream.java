package dev.rollcall.http;

import dev.rollcall.domain.UserId;
import dev.rollcall.gateway.PresenceSubscription;
import dev.rollcall.gateway.PresenceSubscription.Batch;
import dev.rollcall.gateway.SinceToken;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.io.EofException;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.BufferUtil;
import org.eclipse.jetty.util.Callback;
import org.jspecify.annotations.Nullable;

/**
 * One event stream, or one long poll that waits. No thread waits with it: when there is something to tell it takes a batch
 * and writes it, and when that has been written it looks again. So a slow reader holds one batch in memory, and then gets
 * the latest state of each user, whatever happened meanwhile.
 *
 * <p>However it ends, the device's connection ends with it. That the client is gone is seen at once where its system says
 * so, because its side of the connection is read from; where the network says nothing, when the stream's time is over.
 */
final class EventStream implements Reply.Writer {
    static final String EVENT_STREAM = "text/event-stream";

    /** How it is written. */
    enum Format {
        EVENT_STREAM,
        LONG_POLL
    }

    private static final int MAX_BATCH = 500;

    /** Through proxies that end a connection on which nothing is said. */
    private static final long PING_NANOS = TimeUnit.SECONDS.toNanos(15);

    /** A reader that takes nothing for so long is gone. */
    private static final long STUCK_NANOS = TimeUnit.SECONDS.toNanos(15);

    private static final byte[] PING = ":\n\n".getBytes(StandardCharsets.UTF_8);

    /** Browsers come back after this many ms: soon enough to be still in their grace time. */
    private static final byte[] RETRY = "retry: 1000\n\n".getBytes(StandardCharsets.UTF_8);

    private final EventStreams home;
    private final Executor executor;
    private final Backend backend;
    private final UserId user;
    private final String device;
    private final @Nullable Set<UserId> users;
    private final @Nullable SinceToken since;
    private final Format format;
    private final long endsAt;

    private volatile @Nullable PresenceSubscription watch;

    /** Set once, in {@link #begin}. */
    private volatile @Nullable Connection connection;

    /** Above 0: a step is to be taken, or is being taken. The first is taken by {@link #begin}. */
    private final AtomicInteger wakes = new AtomicInteger(1);

    private final AtomicBoolean finished = new AtomicBoolean();
    private volatile boolean ending;
    private volatile boolean pingDue;
    private volatile boolean writing;
    private volatile long lastWrite = System.nanoTime();

    private record Connection(Response response, Callback callback, EndPoint endPoint) {
        void end(@Nullable Throwable failure) {
            try {
                if (failure == null) {
                    callback.succeeded();
                } else {
                    callback.failed(failure);
                }
            } finally {
                endPoint.close();
            }
        }
    }

    EventStream(
            EventStreams home,
            Executor executor,
            Backend backend,
            UserId user,
            String device,
            @Nullable Set<UserId> users,
            @Nullable SinceToken since,
            Format format,
            long timeoutMs) {
        this.home = home;
        this.executor = executor;
        this.backend = backend;
        this.user = user;
        this.device = device;
        this.users = users;
        this.since = since;
        this.format = format;
        this.ending = timeoutMs == 0;
        this.endsAt = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMs);
    }

    UserId user() {
        return user;
    }

    boolean isOf(UserId otherUser, String otherDevice) {
        return user.equals(otherUser) && device.equals(otherDevice);
    }

    /** The device has been said to be here, so that from now on it must be said when it is not. */
    Reply opened() {
        try {
            watch = backend.feed().watch(users, since, this::wake);
        } catch (Throwable e) {
            leave();
            throw e;
        }
        return new Reply.Streaming(this);
    }

    @Override
    public void begin(Response response, Callback callback) {
        EndPoint endPoint =
                response.getRequest().getConnectionMetaData().getConnection().getEndPoint();
        connection = new Connection(response, callback, endPoint);
        if (finished.get()) {
            callback.failed(new EofException("too late"));
            return;
        }
        try {
            HttpFields.Mutable headers = response.getHeaders();
            headers.put("Cache-Control", "no-store");
            headers.put("X-Accel-Buffering", "no"); // nginx would collect what is to arrive now
            headers.put("Connection", "close"); // its reading side is used up by waiting for the client's end
            headers.put("Content-Type", format == Format.EVENT_STREAM ? EVENT_STREAM : Reply.JSON);
            response.setStatus(200);
            waitForTheClientsEnd(endPoint);
            if (format == Format.EVENT_STREAM) {
                write(false, RETRY);
            } else {
                again();
            }
        } catch (Throwable e) {
            finish(e);
        }
    }

    /** Ends it in good order, once what there is has been told. */
    void end() {
        ending = true;
        wake();
    }

    /** Ends it now. */
    void cut() {
        Connection now = connection;
        if (now != null) {
            finish(new EofException("cut"));
        }
    }

    /** What has become due by now, in ns. */
    void tick(long now) {
        if (now - endsAt >= 0 && !ending) {
            end();
        }
        if (connection == null && watch != null && now - endsAt >= STUCK_NANOS) {
            finish(new EofException("it was never begun"));
        } else if (writing && now - lastWrite >= STUCK_NANOS) {
            cut();
        } else if (format == Format.EVENT_STREAM && !writing && now - lastWrite >= PING_NANOS) {
            pingDue = true;
            wake();
        }
    }

    private void wake() {
        if (wakes.getAndIncrement() == 0) {
            again();
        }
    }

    private void again() {
        try {
            executor.execute(this::step);
        } catch (Throwable e) {
            finish(e); // otherwise it would wait for a step that nobody takes
        }
    }

    private void step() {
        PresenceSubscription watched = watch;
        if (watched == null || finished.get()) {
            return;
        }
        try {
            int seen = wakes.get();
            boolean last = ending;
            Batch batch = watched.take(MAX_BATCH);
            byte[] bytes = format == Format.EVENT_STREAM ? event(batch, last) : answer(batch, last);
            if (bytes != null) {
                write(format == Format.LONG_POLL || (batch == null && last), bytes);
            } else if (!wakes.compareAndSet(seen, 0)) {
                again();
            }
        } catch (Throwable e) {
            finish(e);
        }
    }

    /** Null: there is nothing to write. */
    private byte @Nullable [] event(@Nullable Batch batch, boolean last) {
        if (batch != null) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            put(out, "event: presence\nid: " + batch.since() + "\ndata: ");
            putBatch(out, batch);
            put(out, "\n\n");
            return out.toByteArray();
        }
        if (last) {
            return new byte[0];
        }
        if (pingDue) {
            pingDue = false;
            return PING;
        }
        return null;
    }

    /** Null: it goes on waiting. */
    private byte @Nullable [] answer(@Nullable Batch batch, boolean last) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        if (batch != null) {
            putBatch(out, batch);
        } else if (last) {
            put(
                    out,
                    "{\"snapshot\":false,\"presences\":[],\"more\":false,\"since\":\"" + (since == null ? "" : since)
                            + "\"}");
        } else {
            return null;
        }
        return out.toByteArray();
    }

    private static void putBatch(ByteArrayOutputStream out, Batch batch) {
        put(out, "{\"snapshot\":" + batch.beginsAnew() + ",\"presences\":[");
        String separator = "";
        for (byte[] presence : batch.presences()) {
            put(out, separator);
            out.writeBytes(presence);
            separator = ",";
        }
        put(out, "],\"more\":" + batch.more() + ",\"since\":\"" + batch.since() + "\"}");
    }

    private static void put(ByteArrayOutputStream out, String text) {
        out.writeBytes(text.getBytes(StandardCharsets.UTF_8));
    }

    private void write(boolean last, byte[] bytes) {
        Connection now = connection;
        if (now == null) {
            return;
        }
        lastWrite = System.nanoTime();
        writing = true;
        now.response.write(last, ByteBuffer.wrap(bytes), Callback.from(() -> written(last), this::finish));
    }

    private void written(boolean last) {
        lastWrite = System.nanoTime();
        writing = false;
        if (last) {
            finish(null);
        } else {
            again();
        }
    }

    private void waitForTheClientsEnd(EndPoint endPoint) {
        boolean waits = endPoint.tryFillInterested(Callback.from(() -> readable(endPoint), this::finish));
        if (!waits) {
            throw new IllegalStateException("somebody else reads from this connection");
        }
    }

    private void readable(EndPoint endPoint) {
        try {
            int filled = endPoint.fill(BufferUtil.allocate(256));
            if (filled == 0) {
                waitForTheClientsEnd(endPoint);
            } else if (filled < 0) {
                finish(new EofException("the client has gone"));
            } else {
                end(); // another request on a connection that was said to end with this one
            }
        } catch (Throwable e) {
            finish(e);
        }
    }

    /** Null: in good order. */
    private void finish(@Nullable Throwable failure) {
        if (!finished.compareAndSet(false, true)) {
            return;
        }
        Connection now = connection;
        try {
            leave();
        } finally {
            if (now != null) {
                now.end(failure);
            }
        }
    }

    /** All of it, whichever part fails: a device whose end is not said would be kept alive. */
    private void leave() {
        try {
            var unused = backend.writer().closed(user, device);
        } finally {
            home.release(this);
            PresenceSubscription watched = watch;
            if (watched != null) {
                watched.close();
            }
        }
    }
}
