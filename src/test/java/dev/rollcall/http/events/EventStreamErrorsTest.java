package dev.rollcall.http.events;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.config.RollcallConfig;
import dev.rollcall.domain.UserId;
import dev.rollcall.gateway.PresenceFeed;
import dev.rollcall.gateway.PresenceWriter;
import dev.rollcall.wire.Topics;
import java.lang.reflect.Proxy;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.io.ByteArrayEndPoint;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A stream that meets an Error ends, so that its client reconnects; if it stayed open, it would deliver nothing more. */
@Timeout(60)
class EventStreamErrorsTest {
    private static final UserId ALICE = UserId.of("@alice:example.org");
    private static final Map<String, Object> NO_BROKER = Map.of("bootstrap.servers", "localhost:1");
    private static final Topics TOPICS = Topics.ofContract();

    private final ByteArrayEndPoint client = new ByteArrayEndPoint();

    @Test
    void shouldEndWhenItsNextStepCannotBeTaken() {
        Executor full = task -> {
            throw new InternalError("test");
        };
        assertEndsWithAnError(full, StreamFormat.LONG_POLL, stub(Response.class));
    }

    @Test
    void shouldEndWhenWritingMeetsAnError() {
        Response broken = (Response) Proxy.newProxyInstance(
                Response.class.getClassLoader(), new Class<?>[] {Response.class}, (self, method, arguments) -> {
                    if (method.getName().equals("write")) {
                        throw new InternalError("test");
                    }
                    return stubOf(method.getReturnType());
                });
        assertEndsWithAnError(Runnable::run, StreamFormat.EVENT_STREAM, broken);
    }

    private void assertEndsWithAnError(Executor executor, StreamFormat format, Response response) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        try (PresenceWriter writer = new PresenceWriter(TOPICS, NO_BROKER, "test");
                EventStreams streams =
                        new EventStreams(RollcallConfig.defaults().http(), executor)) {
            EventStream stream = streams.reserve(
                    new PresenceFeed(),
                    writer,
                    new StreamRequest(
                            new StreamRequest.Device(ALICE, "phone"), format, Long.MAX_VALUE / 2_000_000, 0, false));

            stream.begin(response, Callback.from(() -> done.complete(null), done::completeExceptionally));

            assertThat(done).isCompletedExceptionally();
            assertThat(client.isOpen()).isFalse();
            assertThat(streams.count()).isZero();
        }
    }

    private <T> T stub(Class<T> type) {
        return type.cast(Proxy.newProxyInstance(
                type.getClassLoader(),
                new Class<?>[] {type},
                (self, method, arguments) -> stubOf(method.getReturnType())));
    }

    /** The end point, empty headers, a stub of any other interface, or null. */
    private @Nullable Object stubOf(Class<?> type) {
        if (type.isInstance(client)) {
            return client;
        }
        if (type.isAssignableFrom(HttpFields.Mutable.class) && type != Object.class) {
            return HttpFields.build();
        }
        return type.isInterface() ? stub(type) : null;
    }
}
