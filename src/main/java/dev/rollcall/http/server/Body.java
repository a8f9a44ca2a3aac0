package dev.rollcall.http.server;

import java.io.ByteArrayOutputStream;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.util.thread.Invocable;

/**
 * Reads a request's body to its end, also that of a refused request: a connection that is closed with bytes unread is
 * reset, and a client that still writes may then never see the response (RFC 9112, section 9.6).
 */
final class Body implements Invocable.Task {
    private static final long TIMEOUT_MS = 10_000;
    private static final int MAX_DISCARDED = 1 << 20;

    private final Content.Source source;
    private final int maxBytes;
    private final ByteArrayOutputStream kept = new ByteArrayOutputStream();
    private final CompletableFuture<byte[]> whole = new CompletableFuture<>();
    private long length;

    private Body(Content.Source source, int maxBytes) {
        this.source = source;
        this.maxBytes = maxBytes;
    }

    /** The body. Fails with an {@link ApiException} if it is longer, once the rest has been read too. */
    static CompletableFuture<byte[]> read(Request request, int maxBytes) {
        Body body = new Body(request, maxBytes);
        body.run();
        return body.whole.orTimeout(TIMEOUT_MS, TimeUnit.MILLISECONDS);
    }

    /** Completes at the end of the body, or when it is too long or takes too long. Never fails. */
    static CompletableFuture<Boolean> discard(Request request) {
        if (request.getHeaders().contains(HttpHeader.EXPECT)) {
            return CompletableFuture.completedFuture(false); // the client sends no body before it gets a 100
        }
        return read(request, 0).handle((nothing, failure) -> failure == null);
    }

    @Override
    public void run() {
        while (true) {
            Content.Chunk chunk = source.read();
            if (chunk == null) {
                source.demand(this);
                return;
            }
            if (Content.Chunk.isFailure(chunk)) {
                whole.completeExceptionally(chunk.getFailure());
                return;
            }
            boolean last = chunk.isLast();
            keep(chunk);
            chunk.release();
            if (length > maxBytes && (last || length - maxBytes > MAX_DISCARDED)) {
                whole.completeExceptionally(ApiException.tooLarge(maxBytes));
                return;
            } else if (last) {
                whole.complete(kept.toByteArray());
                return;
            }
        }
    }

    private void keep(Content.Chunk chunk) {
        length += chunk.remaining();
        if (length <= maxBytes) {
            byte[] bytes = new byte[chunk.remaining()];
            chunk.get(bytes, 0, bytes.length);
            kept.writeBytes(bytes);
        }
    }

    @Override
    public InvocationType getInvocationType() {
        return InvocationType.BLOCKING; // the code that uses the body may block
    }
}
