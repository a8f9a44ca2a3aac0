package dev.rollcall.app.matrix;

import dev.rollcall.admin.TopicsWait;
import dev.rollcall.config.ConfigException;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.gateway.PresenceWriter;
import dev.rollcall.matrix.MatrixReceiver;
import dev.rollcall.metrics.Meters;
import dev.rollcall.registry.Registry;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/** A running receiver beside a Matrix homeserver, connected to a cluster. */
public final class MatrixBridge implements AutoCloseable {
    private final CompletableFuture<Void> ended = new CompletableFuture<>();
    private final MatrixReceiver receiver;
    private final TopicsWait wait;

    /**
     * Starts listening. It creates no topics, and waits for them and for the brokers: until they are there it writes nothing.
     *
     * @param admin settings of Kafka's admin client, and {@code producer} of its producer
     * @param version of this program
     * @throws ConfigException if it cannot listen
     */
    public static MatrixBridge start(
            RollcallConfig config, Map<String, Object> admin, Map<String, Object> producer, String version) {
        return new MatrixBridge(config, admin, producer, version);
    }

    private MatrixBridge(
            RollcallConfig config, Map<String, Object> admin, Map<String, Object> producer, String version) {
        receiver = new MatrixReceiver(config.matrix(), config.http(), Meters.ofThisProcess(version));
        try {
            wait = new TopicsWait(
                    admin,
                    config.kafka(),
                    List.of(config.topics().deviceHeartbeat(), config.topics().status()),
                    receiver::waitsFor,
                    () -> open(config, producer));
        } catch (RuntimeException e) {
            receiver.close();
            throw e;
        }
    }

    private synchronized void open(RollcallConfig config, Map<String, Object> producer) {
        if (!ended.isDone()) {
            try {
                receiver.open(new PresenceWriter(
                        Registry.topics(config), producer, config.matrix().shard()));
            } catch (RuntimeException e) {
                ended.completeExceptionally(e);
            }
        }
    }

    /** The base URL of the mirror. */
    public String url() {
        return receiver.url();
    }

    /** The UDP port of the access log. */
    public int logPort() {
        return receiver.logPort();
    }

    /**
     * Waits until this is closed.
     *
     * @throws ExecutionException with the reason, if it ended by itself
     */
    void awaitEnd() throws InterruptedException, ExecutionException {
        ended.get();
    }

    /** Stops, and takes nobody offline who is back with the next start. */
    @Override
    public synchronized void close() {
        wait.close();
        receiver.close();
        ended.complete(null);
    }
}
