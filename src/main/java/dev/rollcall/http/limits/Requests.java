package dev.rollcall.http.limits;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.server.Connector;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/** The requests that are being answered: tells the limits of their connections, and lets the server wait for them. */
public final class Requests extends Handler.Wrapper {
    private final Map<Connector, ConnectionLimits> limits = new ConcurrentHashMap<>();
    private final AtomicInteger answering = new AtomicInteger();
    private volatile boolean closeAfter;

    public Requests(Handler handler) {
        super(handler);
    }

    /** Tells these limits of the requests on the connector. */
    public void tell(Connector connector, ConnectionLimits connections) {
        limits.put(connector, connections);
    }

    /** From now on a connection ends with its response, so that the client opens the next one elsewhere. */
    public void closeConnections() {
        closeAfter = true;
    }

    /** Waits until all requests are answered, for up to {@code timeoutMs}. */
    public void awaitAnswers(long timeoutMs) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMs);
        while (answering.get() > 0 && System.nanoTime() - deadline < 0) {
            TimeUnit.MILLISECONDS.sleep(5);
        }
    }

    @Override
    public boolean handle(Request request, Response response, Callback callback) throws Exception {
        Connection connection = request.getConnectionMetaData().getConnection();
        ConnectionLimits told = limits.get(request.getConnectionMetaData().getConnector());
        answering.incrementAndGet();
        if (told != null) {
            told.asks(connection);
        }
        Request.addCompletionListener(request, failure -> {
            answering.decrementAndGet();
            if (told != null) {
                told.isAnswered(connection);
            }
        });
        if (closeAfter) {
            response.getHeaders().put(HttpHeader.CONNECTION, "close");
        }
        return super.handle(request, response, callback);
    }
}
