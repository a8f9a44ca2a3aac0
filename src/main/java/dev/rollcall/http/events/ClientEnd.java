package dev.rollcall.http.events;

import java.util.function.Consumer;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.io.EofException;
import org.eclipse.jetty.util.BufferUtil;
import org.eclipse.jetty.util.Callback;

/**
 * Reads from the connection of a response that lasts, to notice at once that the client closes it. So no other request can be
 * read from it.
 *
 * @param anotherRequest called when the client sends something all the same
 * @param gone called when the client has gone, or whatever else ends the reading
 */
record ClientEnd(EndPoint endPoint, Runnable anotherRequest, Consumer<Throwable> gone) {
    /** Waits without a thread. Throws if the connection is already read from. */
    void await() {
        boolean waits = endPoint.tryFillInterested(Callback.from(this::readable, gone));
        if (!waits) {
            throw new IllegalStateException("the connection is already read from");
        }
    }

    private void readable() {
        try {
            int filled = endPoint.fill(BufferUtil.allocate(256));
            if (filled == 0) {
                await();
            } else if (filled < 0) {
                gone.accept(new EofException("the client has closed the connection"));
            } else {
                anotherRequest.run();
            }
        } catch (Throwable e) {
            gone.accept(e);
        }
    }
}
