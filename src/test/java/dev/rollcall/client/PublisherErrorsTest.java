package dev.rollcall.client;

import static dev.rollcall.domain.PresenceState.IDLE;
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
    void shouldGoOnWithItsHeartbeatsWhenTheyThrewErrors() {
        PublisherContext context = new PublisherContext(true, builder -> builder.topics(failing()));
        context.publisher.opened(ALICE, "phone");
        context.passAll(10_000);
        failures.set(3);

        List<Sent> sent = context.passAll(30_000);

        assertThat(failures).hasValue(0);
        for (int partition = 0; partition < PublisherContext.PARTITIONS; partition++) {
            int which = partition;
            assertThat(sent.stream().filter(one -> one.partition() == which))
                    .as("partition %d, whose lease is 30 s", which)
                    .hasSizeGreaterThanOrEqualTo(3);
        }
    }

    @Test
    void shouldOpenTheDeviceAgainWhenTheProducerThrewAnError() {
        PublisherContext context = PublisherContext.acknowledging();
        context.passAll(10_000);
        context.nextErrors.add(new InternalError("test"));
        assertThat(context.publisher.opened(ALICE, "phone", IDLE)).isCompletedExceptionally();

        assertThat(context.pass(11_000))
                .extracting(one -> one.heartbeat().state())
                .containsExactly(IDLE);
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
