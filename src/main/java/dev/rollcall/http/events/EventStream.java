package dev.rollcall.http.events;

import dev.rollcall.domain.UserId;
import dev.rollcall.gateway.BatchToken;
import dev.rollcall.gateway.PresenceFeed;
import dev.rollcall.gateway.PresenceSubscription;
import dev.rollcall.gateway.PresenceSubscription.Batch;
import dev.rollcall.gateway.PresenceWriter;
import dev.rollcall.http.server.ApiException;
import dev.rollcall.http.server.Reply;
import java.nio.ByteBuffer;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.io.EofException;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.IteratingCallback;
import org.jspecify.annotations.Nullable;

/**
 * One event stream, or one long poll that waits. It holds no thread: Jetty calls {@link #process} when something may have
 * changed, or when the last write has completed. One batch at most is in memory for a slow client, which then gets the
 * latest state of each user.
 *
 * <p>However the stream ends, the connection of its device, if it has one, ends with it, unless it is handed over to another instance. A client that closes its connection is noticed at once,
 * since the connection is read from; where the network is gone, the stream ends with its timeout.
 */
public final class EventStream extends IteratingCallback implements Reply.Writer {
    /** The response header with the stream's id. */
    public static final String STREAM_ID = "Stream-Id";

    private static final int MAX_BATCH = 500;

    /** Shorter than the time after which proxies close a connection without traffic. */
    private static final long PING_NANOS = TimeUnit.SECONDS.toNanos(15);

    /** A client that takes no byte for so long is gone. */
    private static final long STUCK_NANOS = TimeUnit.SECONDS.toNanos(15);

    private final EventStreams streams;
    private final String id;
    private final Executor executor;
    private final PresenceFeed feed;
    private final PresenceWriter devices;
    private final StreamRequest request;
    private final long endsAt;

    private volatile @Nullable PresenceSubscription subscription;

    /** Set once, in {@link #begin}. */
    private volatile @Nullable Connection connection;

    private final AtomicBoolean scheduled = new AtomicBoolean();
    private volatile boolean ending;
    private volatile @Nullable ApiException endsBecause;

    /** Whether the device's connection does not end with the stream: the client goes to another instance. */
    private volatile boolean handingOver;

    private volatile boolean pingDue;
    private volatile boolean writing;
    private volatile long lastWrite = System.nanoTime();

    // For process(), of which there is one call at a time.
    private boolean opened;
    private boolean lastIsWritten;
    private boolean wakesAfterWindow;
    private long windowEndsAt = System.nanoTime();

    private record Connection(Response response, Callback callback, EndPoint endPoint) {}

    EventStream(
            EventStreams streams,
            String id,
            Executor executor,
            PresenceFeed feed,
            PresenceWriter devices,
            StreamRequest request) {
        this.streams = streams;
        this.id = id;
        this.executor = executor;
        this.feed = feed;
        this.devices = devices;
        this.request = request;
        this.ending = request.timeoutMs() == 0;
        this.endsAt = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(request.timeoutMs());
    }

    StreamRequest request() {
        return request;
    }

    /**
     * Subscribes. To be called once the heartbeat of its device is written: from now on its end is written too.
     *
     * @param users whose presence the client gets; null: all users'
     * @param from where the client's last stream ended; null: it gets a snapshot
     */
    public Reply subscribe(@Nullable Set<UserId> users, @Nullable BatchToken from) {
        try {
            subscription = feed.subscribe(users, from, this::wake);
        } catch (Throwable e) {
            abort(e);
            throw e;
        }
        return new Reply.Streaming(this);
    }

    String id() {
        return id;
    }

    /** As {@link PresenceSubscription#watch}; the next batch may be on its way already. */
    public boolean watch(Set<UserId> users) {
        PresenceSubscription open = subscription;
        return open != null && open.watch(users);
    }

    @Override
    public void begin(Response response, Callback callback) {
        EndPoint endPoint =
                response.getRequest().getConnectionMetaData().getConnection().getEndPoint();
        connection = new Connection(response, callback, endPoint);
        if (isAborted()) {
            Reply.write(
                    Reply.error(ApiException.unavailable("the stream has ended before it began")), response, callback);
            return;
        }
        try {
            HttpFields.Mutable headers = response.getHeaders();
            headers.put("Cache-Control", "no-store");
            headers.put("X-Accel-Buffering", "no"); // else nginx collects the events before it passes them on
            headers.put("Connection", "close"); // no next request can be read, see ClientEnd
            if (!request.format().endsAfterBatch()) {
                headers.put(STREAM_ID, id);
            }
            headers.put("Content-Type", request.format().contentType());
            response.setStatus(200);
            new ClientEnd(endPoint, this::end, this::abort).await();
            wake();
        } catch (Throwable e) {
            abort(e);
        }
    }

    /** Ends the stream in good order, after what there is to write. */
    void end() {
        ending = true;
        wake();
    }

    /** Ends the stream in good order, after what there is to write, and tells the client why. */
    void end(ApiException why) {
        endsBecause = why; // before ending, with which process() looks for it
        end();
    }

    /** Ends the stream in good order, and tells the client to go on elsewhere. Its device's connection does not end. */
    void handOver() {
        handingOver = true;
        end();
    }

    boolean isHandingOver() {
        return handingOver;
    }

    /** Ends the stream at once, if it has begun. */
    void cut() {
        if (connection != null) {
            abort(new EofException("the stream was cut"));
        }
    }

    /**
     * Does what is due.
     *
     * @param now {@link System#nanoTime}
     */
    void tick(long now) {
        if (now - endsAt >= 0 && !ending) {
            if (request.endsWithToken()) {
                end(ApiException.unknownToken("the token has expired (exp): come back with a new one"));
            } else {
                end();
            }
        }
        if (connection == null && subscription != null && now - endsAt >= STUCK_NANOS) {
            abort(new EofException("the stream was never begun"));
        } else if (writing && now - lastWrite >= STUCK_NANOS) {
            cut();
        } else if (!request.format().endsAfterBatch() && !writing && now - lastWrite >= PING_NANOS) {
            pingDue = true;
            wake();
        }
    }

    /** Has {@link #process} called soon, on another thread. */
    void wake() {
        if (scheduled.compareAndSet(false, true)) {
            try {
                executor.execute(this::advance);
            } catch (Throwable e) {
                abort(e); // process() would not be called again
            }
        }
    }

    private void advance() {
        try {
            iterate();
        } catch (Throwable e) {
            abort(e);
        }
    }

    @Override
    protected Action process() {
        scheduled.set(false); // before looking for changes: one that comes later calls this again
        Connection to = connection;
        if (to == null) {
            return Action.IDLE;
        }
        if (lastIsWritten) {
            return Action.SUCCEEDED;
        }
        StreamFormat format = request.format();
        if (!opened) {
            opened = true;
            byte[] opening = format.opening();
            if (opening.length > 0) {
                return write(to, opening, false);
            }
        }
        boolean last = ending; // before the poll: what was there when the stream had to end is still written
        PresenceSubscription from = subscription;
        Batch batch = from == null || (isWithinWindow() && !last) ? null : from.poll(MAX_BATCH);
        if (batch != null) {
            windowEndsAt = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(request.windowMs());
            return write(to, format.batch(batch), format.endsAfterBatch());
        }
        if (last) {
            ApiException why = endsBecause;
            if (why != null) {
                return write(to, refusal(to, Reply.error(why)), true);
            }
            BatchToken position = from == null ? null : from.position();
            return write(to, handingOver ? format.handOver(position) : format.timedOut(position), true);
        }
        if (pingDue) {
            pingDue = false;
            return write(to, format.ping(), false);
        }
        return Action.IDLE;
    }

    /** For a long poll, of whose response nothing is written yet, the response; for an event stream an event. */
    private byte[] refusal(Connection to, Reply.Whole refusal) {
        if (request.format().endsAfterBatch()) {
            to.response.setStatus(refusal.status());
            refusal.headers().forEach((name, value) -> to.response.getHeaders().put(name, value));
        }
        return request.format().refusal(refusal.body());
    }

    /** Whether the last batch was so short a time ago that the client wants none; what has changed is looked at then. */
    private boolean isWithinWindow() {
        long left = windowEndsAt - System.nanoTime();
        if (left > 0 && !wakesAfterWindow) {
            streams.wakeIn(left, this);
        }
        wakesAfterWindow = left > 0;
        return left > 0;
    }

    private Action write(Connection to, byte[] bytes, boolean last) {
        lastIsWritten = last;
        lastWrite = System.nanoTime();
        writing = true;
        to.response.write(last, ByteBuffer.wrap(bytes), this);
        return Action.SCHEDULED;
    }

    @Override
    protected void onSuccess() {
        lastWrite = System.nanoTime();
        writing = false;
    }

    /** Closing the connection fails a write that is under way, so that {@link #onCompleted} follows. */
    @Override
    protected void onFailure(Throwable cause) {
        Connection to = connection;
        try {
            leave();
        } finally {
            if (to != null) {
                to.endPoint.close();
            }
        }
    }

    /** Called once, however the stream ends. {@code cause} is null if it ends in good order. */
    @Override
    protected void onCompleted(@Nullable Throwable cause) {
        Connection to = connection;
        try {
            if (cause == null) {
                leave();
            }
        } finally {
            if (to != null) {
                complete(to, cause);
            }
        }
    }

    private static void complete(Connection to, @Nullable Throwable cause) {
        try {
            if (cause == null) {
                to.callback.succeeded();
            } else {
                to.callback.failed(cause);
            }
        } finally {
            to.endPoint.close();
        }
    }

    /** Does all three, whichever fails: a device whose end is not written would stay online. */
    private void leave() {
        try {
            StreamRequest.Device device = request.device();
            if (device != null && !handingOver) {
                var unused = devices.closed(device.user(), device.id());
            }
        } finally {
            streams.release(this);
            PresenceSubscription open = subscription;
            if (open != null) {
                open.close();
            }
        }
    }
}
