package dev.rollcall.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.config.RollcallConfig;
import dev.rollcall.domain.UserId;
import dev.rollcall.gateway.PresenceFeed;
import dev.rollcall.gateway.PresenceReader;
import dev.rollcall.gateway.PresenceWriter;
import dev.rollcall.http.EventStream.Format;
import dev.rollcall.topology.PresenceTopology;
import dev.rollcall.wire.Topics;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.io.ByteArrayEndPoint;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A stream that meets an Error ends, and its client comes back: one that stayed open would tell of nothing any more. */
@Timeout(60)
class EventStreamErrorsTest {
    private static final UserId ALICE = UserId.of("@alice:example.org");
    private static final Map<String, Object> NOBODY_THERE = Map.of("bootstrap.servers", "localhost:1");
    private static final Topics TOPICS = PresenceTopology.topics(RollcallConfig.defaults());

    @Test
    void shouldEndWhenItsNextStepCannotBeTaken() {
        Executor full = task -> {
            throw new InternalError("test");
        };
        ByteArrayEndPoint client = new ByteArrayEndPoint();
        CompletableFuture<Void> done = new CompletableFuture<>();
        try (PresenceWriter writer = new PresenceWriter(TOPICS, NOBODY_THERE, "test", Duration.ofSeconds(1));
                PresenceFeed feed = new PresenceFeed(TOPICS.presence(), NOBODY_THERE);
                EventStreams streams =
                        new EventStreams(RollcallConfig.defaults().http(), full)) {
            Backend backend = new Backend(
                    writer,
                    new PresenceReader(stub(dev.rollcall.gateway.PartitionOwners.class, client), () -> ""),
                    feed,
                    stub(Simulation.class, client),
                    List::of);
            EventStream stream =
                    streams.reserve(backend, ALICE, "phone", null, null, Format.LONG_POLL, Long.MAX_VALUE / 2_000_000);

            stream.begin(
                    stub(Response.class, client),
                    Callback.from(() -> done.complete(null), done::completeExceptionally));

            assertThat(done).isCompletedExceptionally();
            assertThat(client.isOpen()).isFalse();
            assertThat(streams.count()).isZero();
        }
    }

    /** Says this end point, headers that are empty, and of all else a stub or nothing. */
    private static <T> T stub(Class<T> type, ByteArrayEndPoint client) {
        return type.cast(
                Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, (self, method, arguments) -> {
                    Class<?> wanted = method.getReturnType();
                    if (wanted.isInstance(client)) {
                        return client;
                    }
                    if (wanted.isAssignableFrom(HttpFields.Mutable.class) && wanted != Object.class) {
                        return HttpFields.build();
                    }
                    return wanted.isInterface() ? stub(wanted, client) : null;
                }));
    }
}
