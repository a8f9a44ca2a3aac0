package dev.rollcall.chaos.network;

import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.apache.kafka.common.requests.AbstractResponse;
import org.jspecify.annotations.Nullable;

/**
 * Holds one request back, the first that it is meant for: it does not reach the broker, and its client gets no answer and
 * gives up. Later it can be let through on a connection of its own, as a packet that has been under way for long.
 */
public final class Hold {
    private static final int ANSWERED_WITHIN_MS = 20_000;

    private final Predicate<Frame> wanted;
    private final CountDownLatch taken = new CountDownLatch(1);
    private @Nullable Frame request;
    private @Nullable InetSocketAddress broker;

    /** One for any request that this is true of. */
    public Hold(Predicate<Frame> wanted) {
        this.wanted = wanted;
    }

    /** Takes the request for this broker, if it is the first one that is wanted. */
    synchronized boolean take(Frame frame, InetSocketAddress to) {
        if (request != null || !wanted.test(frame)) {
            return false;
        }
        request = frame;
        broker = to;
        taken.countDown();
        return true;
    }

    public synchronized boolean hasRequest() {
        return request != null;
    }

    /** Waits until it has taken a request; returns whether it has by then. */
    public boolean awaitRequest(Duration limit) throws InterruptedException {
        return taken.await(limit.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Lets the request through to its broker; returns the broker's answer. */
    public synchronized AbstractResponse letThrough() throws IOException {
        if (request == null || broker == null) {
            throw new IllegalStateException("no request was held");
        }
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(broker.getHostString(), broker.getPort()), ANSWERED_WITHIN_MS);
            socket.setSoTimeout(ANSWERED_WITHIN_MS);
            socket.getOutputStream().write(request.withLength());
            ByteBuffer answer =
                    Frame.read(new DataInputStream(socket.getInputStream())).buffer();
            return AbstractResponse.parseResponse(answer, request.header());
        }
    }
}
