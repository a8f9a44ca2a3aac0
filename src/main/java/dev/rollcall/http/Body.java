package dev.rollcall.http;

import java.io.ByteArrayOutputStream;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.util.thread.Invocable;

/**
 * Reads a request's body to its end, also when nobody wants it: a connection that is closed with bytes unread is reset,
 * and the client, which still writes, may never see why it was refused (RFC 9112, section 9.6).
 */
final class Body implements Invocable.Task {
    private static final long WITHIN_MS = 10_000;
    private static final int MOST_DISCARDED = 1 << 20;

    private final Content.Source source;
    private final int mostBytes;
    private final ByteArrayOutputStream kept = new ByteArrayOutputStream();
    private final CompletableFuture<byte[]> whole = new CompletableFuture<>();
    private long length;

    private Body(Content.Source source, int mostBytes) {
        this.source = source;
        this.mostBytes = mostBytes;
    }

    /** The body, so many bytes at most: else it fails with an {@link ApiException}, once the rest has been read too. */
    static CompletableFuture<byte[]> read(Request request, int mostBytes) {
        Body body = new Body(request, mostBytes);
        body.run();
        return body.whole.orTimeout(WITHIN_MS, TimeUnit.MILLISECONDS);
    }

    /** Done when nothing more is to come, or when it is too much or takes too long. Never fails. */
    static CompletableFuture<Boolean> discard(Request request) {
        if (request.getHeaders().contains(HttpHeader.EXPECT)) {
            return CompletableFuture.completedFuture(false); // it waits to be asked for its body
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
            if (length > mostBytes && (last || length - mostBytes > MOST_DISCARDED)) {
                whole.completeExceptionally(ApiException.tooLarge(mostBytes));
                return;
            } else if (last) {
                whole.complete(kept.toByteArray());
                return;
            }
        }
    }

    private void keep(Content.Chunk chunk) {
        length += chunk.remaining();
        if (length <= mostBytes) {
            byte[] bytes = new byte[chunk.remaining()];
            chunk.get(bytes, 0, bytes.length);
            kept.writeBytes(bytes);
        }
    }

    @Override
    public InvocationType getInvocationType() {
        return InvocationType.BLOCKING; // what is done with the body may wait
    }
}
