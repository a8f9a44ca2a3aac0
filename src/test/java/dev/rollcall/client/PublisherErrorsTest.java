package dev.rollcall.client;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.client.PublisherContext.Sent;
import dev.rollcall.client.sending.Background;
import dev.rollcall.domain.UserId;
import dev.rollcall.wire.Inbound;
import dev.rollcall.wire.Topic;
import dev.rollcall.wire.Topics;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.Serializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** No Error ends a loop of the publisher: it still accepts calls, so it must still send their records. */
@Timeout(60)
@SuppressWarnings("FutureReturnValueIgnored") // the records that were sent are checked instead
class PublisherErrorsTest {
    private static final UserId ALICE = UserId.of("@alice:example.org");
    private static final UserId BOB = UserId.of("@bob:example.org");

    /** How often encoding a heartbeat is to fail from now on. */
    private final AtomicInteger failures = new AtomicInteger();

    @Test
    void shouldSendTheNextOneWhenTheProducerThrowsAnError() {
        PublisherContext context = PublisherContext.acknowledging();
        context.nextErrors.add(new InternalError("test"));

        CompletableFuture<Void> failed = context.publisher.opened(ALICE, "phone");
        CompletableFuture<Void> sent = context.publisher.opened(BOB, "phone");

        assertThat(failed).isCompletedExceptionally();
        assertThat(sent).isCompleted();
        assertThat(context.publisher.pending()).isZero();
        assertThat(context.sent()).extracting(Sent::user).containsExactly(BOB);
    }

    @Test
    void shouldSendTheNextOneWhenThereIsNoThreadToSendOn() {
        AtomicInteger refusals = new AtomicInteger(1);
        PublisherContext context = new PublisherContext(true, builder -> builder, task -> {
            if (refusals.getAndDecrement() > 0) {
                throw new InternalError("test");
            }
            task.run();
        });

        CompletableFuture<Void> failed = context.publisher.opened(ALICE, "phone");
        CompletableFuture<Void> sent = context.publisher.opened(BOB, "phone");

        assertThat(failed).isCompletedExceptionally();
        assertThat(sent).isCompleted();
        assertThat(context.publisher.pending()).isZero();
    }

    @Test
    void shouldKeepDevicesAliveWhenATickThrewAnError() {
        PublisherContext context = new PublisherContext(true, builder -> builder.topics(failing()));
        context.publisher.opened(ALICE, "phone");
        context.publisher.opened(BOB, "phone");
        context.pass(10_000);
        context.sent();
        failures.set(3);

        List<Sent> sent = context.pass(30_000);

        assertThat(failures).hasValue(0);
        for (UserId user : List.of(ALICE, BOB)) {
            assertThat(sent.stream().filter(one -> one.user().equals(user)))
                    .as("%s, whose lease is 30 s", user)
                    .hasSizeGreaterThanOrEqualTo(2);
        }
    }

    @Test
    void shouldKeepADeviceAliveWhenItsKeepAliveThrewAnError() {
        PublisherContext context = PublisherContext.acknowledging();
        context.publisher.opened(ALICE, "phone");
        context.sent();
        context.nextErrors.add(new InternalError("test"));
        context.pass(10_000);

        assertThat(context.pass(30_000)).hasSizeGreaterThanOrEqualTo(2);
    }

    @Test
    void shouldRunAgainWhenATaskOnItsOwnThreadThrowsAnError() throws InterruptedException {
        CountDownLatch runs = new CountDownLatch(3);
        try (Background background = Background.threads("test")) {
            background.every(Duration.ofMillis(1), () -> {
                runs.countDown();
                throw new InternalError("test");
            });
            assertThat(runs.await(30, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void shouldNotAccumulateEndedDevicesWhenTheirLeaseIsADay() {
        PublisherContext context = new PublisherContext(true, builder -> builder.lease(Duration.ofHours(23)));
        context.publisher.opened(ALICE, "desktop");
        IntStream.range(0, 20_000).forEach(i -> {
            context.publisher.opened(ALICE, "phone" + i);
            context.publisher.closed(ALICE, "phone" + i);
            context.producer.clear();
        });

        assertThat(context.publisher.devices()).isEqualTo(1);
        assertThat(context.publisher.scheduled()).isLessThan(2_500);
    }

    private Topics failing() {
        Topics topics = PublisherContext.TOPICS;
        Topic<UserId, Inbound> beats = topics.heartbeats();
        Serializer<Inbound> serializer = (name, value) -> {
            if (failures.get() > 0) {
                failures.decrementAndGet();
                throw new InternalError("test");
            }
            return beats.values().serializer().serialize(name, value);
        };
        return new Topics(
                new Topic<>(
                        beats.name(),
                        beats.keys(),
                        Serdes.serdeFrom(serializer, beats.values().deserializer())),
                topics.statuses(),
                topics.appearOffline(),
                topics.presence(),
                topics.deadLetters(),
                topics.routing());
    }
}
