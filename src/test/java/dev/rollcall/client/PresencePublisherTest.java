package dev.rollcall.client;

import static dev.rollcall.domain.PresenceState.IDLE;
import static dev.rollcall.domain.PresenceState.OFFLINE;
import static dev.rollcall.domain.PresenceState.ONLINE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.tuple;

import dev.rollcall.client.PublisherContext.Sent;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserId;
import dev.rollcall.wire.Inbound;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.producer.BufferExhaustedException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
@SuppressWarnings("FutureReturnValueIgnored") // the records that were sent are checked instead
class PresencePublisherTest {
    private static final UserId ALICE = UserId.of("@alice:example.org");
    private static final long LEASE = 30_000;
    private static final List<PresenceState> STATES = List.of(PresenceState.values());
    private static final long THIRD = 10_000;
    private static final OptionalLong LEASE_ON_THE_WIRE = OptionalLong.of(LEASE + 1_000);

    @Test
    void shouldSendStateLeaseAndShardAtOnceWhenAConnectionOpens() {
        PublisherContext context = PublisherContext.acknowledging();

        CompletableFuture<Void> sent = context.publisher.opened(ALICE, "phone", IDLE);

        assertThat(sent).isCompleted();
        assertThat(heartbeats(context.sent()))
                .containsExactly(new Heartbeat("phone", IDLE, false, LEASE_ON_THE_WIRE, "shard-1"));
    }

    @Test
    void shouldSendNoStateWhenTheShardGivesNone() {
        PublisherContext context = PublisherContext.acknowledging();

        context.publisher.opened(ALICE, "phone");

        assertThat(heartbeats(context.sent()))
                .containsExactly(new Heartbeat("phone", null, false, LEASE_ON_THE_WIRE, "shard-1"));
    }

    @Test
    void shouldKeepTheDeviceAliveInItsStateWhenTheShardReportsNothing() {
        PublisherContext context = PublisherContext.acknowledging();
        context.publisher.opened(ALICE, "phone");
        context.publisher.state(ALICE, "phone", IDLE);
        context.sent();

        List<Sent> keepAlives = context.pass(10 * THIRD);

        assertThat(keepAlives).hasSize(10);
        assertThat(heartbeats(keepAlives))
                .containsOnly(new Heartbeat("phone", IDLE, false, LEASE_ON_THE_WIRE, "shard-1"));
    }

    @Test
    void shouldSendMoreKeepAlivesWhenTheirIntervalIsShorter() {
        PublisherContext context = new PublisherContext(true, builder -> builder.keepAlive(Duration.ofSeconds(4)));
        context.publisher.opened(ALICE, "phone");
        context.sent();

        List<Sent> keepAlives = context.pass(40_000);

        assertThat(keepAlives).hasSize(10);
        assertThat(heartbeats(keepAlives)).extracting(Heartbeat::leaseMs).containsOnly(LEASE_ON_THE_WIRE);
    }

    @Test
    void shouldSendAtOnceOrNotAtAllWhenAStateIsGiven() {
        PublisherContext context = PublisherContext.acknowledging();
        context.publisher.opened(ALICE, "phone", ONLINE);

        context.publisher.state(ALICE, "phone", ONLINE);
        context.publisher.state(ALICE, "phone", OFFLINE);
        context.publisher.state(ALICE, "phone", OFFLINE);
        context.publisher.polled(ALICE, "phone");
        context.publisher.opened(ALICE, "phone", OFFLINE);
        context.publisher.state(ALICE, "phone", IDLE);

        assertThat(heartbeats(context.sent())).extracting(Heartbeat::state).containsExactly(ONLINE, OFFLINE, IDLE);
    }

    @Test
    void shouldEndAtOnceAndStayEndedWhenTheConnectionCloses() {
        PublisherContext context = PublisherContext.acknowledging();
        context.publisher.opened(ALICE, "phone", IDLE);
        context.sent();

        context.publisher.closed(ALICE, "phone");

        assertThat(heartbeats(context.pass(3 * LEASE)))
                .containsExactly(new Heartbeat("phone", null, true, LEASE_ON_THE_WIRE, "shard-1"));
        assertThat(context.publisher.devices()).isZero();
    }

    @Test
    void shouldStartAgainAtOnceWhenADeviceCallsAfterItsEnd() {
        PublisherContext context = PublisherContext.acknowledging();
        context.publisher.opened(ALICE, "phone", IDLE);
        context.publisher.closed(ALICE, "phone");
        context.sent();

        context.publisher.polled(ALICE, "phone");
        context.publisher.closed(ALICE, "phone");
        context.publisher.opened(ALICE, "phone");

        assertThat(heartbeats(context.sent()))
                .extracting(Heartbeat::connectionEnded)
                .containsExactly(false, true, false);
    }

    @Test
    void shouldEndWithTheLastConnectionWhenADeviceHasTwo() {
        PublisherContext context = PublisherContext.acknowledging();
        context.publisher.opened(ALICE, "phone", ONLINE);
        context.publisher.opened(ALICE, "phone");
        context.publisher.closed(ALICE, "phone");
        assertThat(heartbeats(context.pass(LEASE)))
                .extracting(Heartbeat::connectionEnded)
                .containsOnly(false);

        context.publisher.closed(ALICE, "phone");

        assertThat(heartbeats(context.sent()))
                .extracting(Heartbeat::connectionEnded)
                .containsExactly(true);
    }

    @Test
    void shouldSendTheEndWhenAnUnknownDeviceCloses() {
        PublisherContext context = PublisherContext.acknowledging();

        context.publisher.closed(ALICE, "phone");

        assertThat(heartbeats(context.sent()))
                .extracting(Heartbeat::connectionEnded)
                .containsExactly(true);
    }

    @Test
    void shouldKeepDevicesApartWhenTheirIdsAreTheSame() {
        PublisherContext context = PublisherContext.acknowledging();
        context.publisher.opened(ALICE, "phone");
        context.publisher.opened(UserId.of("@bob:example.org"), "phone");

        context.publisher.closed(ALICE, "phone");

        assertThat(context.sent()).hasSize(3);
        assertThat(context.publisher.devices()).isEqualTo(1);
    }

    @Test
    void shouldNotKeepADeviceAliveWhenItOnlyPolled() {
        PublisherContext context = PublisherContext.acknowledging();
        context.publisher.polled(ALICE, "phone");
        context.sent();

        assertThat(context.pass(LEASE - 1)).isEmpty();
        assertThat(context.publisher.devices()).isEqualTo(1);
        assertThat(context.pass(1)).isEmpty();
        assertThat(context.publisher.devices()).isZero();
    }

    @Test
    void shouldKeepADeviceAliveWhenItPolledBeforeItsConnectionOpened() {
        PublisherContext context = PublisherContext.acknowledging();
        context.publisher.polled(ALICE, "phone");
        context.publisher.opened(ALICE, "phone");
        context.sent();

        assertThat(context.pass(10 * THIRD)).hasSize(10);
    }

    @Test
    void shouldSendOncePerThirdOfTheLeaseWhenADevicePollsAllTheTime() {
        PublisherContext context = PublisherContext.acknowledging();
        List<Long> at = new ArrayList<>();
        for (long ms = 0; ms < 10 * THIRD; ms++) {
            context.publisher.polled(ALICE, "phone");
            context.sent().forEach(sent -> at.add(sent.at()));
            context.stall(1);
        }

        assertThat(at).hasSizeBetween(10, 11);
        for (int i = 2; i < at.size(); i++) {
            assertThat(at.get(i) - at.get(i - 1)).isEqualTo(THIRD);
        }
    }

    @Test
    void shouldSendTextsAndFlagsToTheirTopicsWhenTheyAreSet() {
        PublisherContext context = PublisherContext.acknowledging();
        StatusText text = new StatusText("at lunch", 5L);

        context.publisher.status(ALICE, text);
        context.publisher.appearOffline(ALICE, true);
        context.publisher.status(ALICE, StatusText.NONE);

        assertThat(context.sent())
                .extracting(Sent::topic, Sent::content)
                .containsExactly(
                        tuple("texts", new Inbound.Status(text)),
                        tuple("flags", new Inbound.AppearOffline(true)),
                        tuple("texts", new Inbound.Status(StatusText.NONE)));
    }

    @ParameterizedTest
    @ValueSource(longs = {1_000, 1_001, 30_000, 300_000})
    void shouldOutliveTwoLostHeartbeatsWhateverTheLease(long lease) {
        PublisherContext context = new PublisherContext(true, builder -> builder.lease(Duration.ofMillis(lease)));
        for (int i = 0; i < 100; i++) {
            context.publisher.opened(ALICE, "device-" + i);
        }
        List<Sent> all = new ArrayList<>(context.sent());
        all.addAll(context.pass(6 * lease));

        Map<String, List<Sent>> byDevice = all.stream().collect(Collectors.groupingBy(Sent::device));
        assertThat(byDevice).hasSize(100);
        byDevice.values().forEach(sent -> {
            for (int i = 3; i < sent.size(); i++) {
                long deadline =
                        sent.get(i - 3).at() + sent.get(i).heartbeat().leaseMs().getAsLong();
                assertThat(sent.get(i).at()).isLessThan(deadline);
            }
            // At most one per third of the lease.
            for (int i = 2; i < sent.size(); i++) {
                assertThat(sent.get(i).at() - sent.get(i - 1).at()).isGreaterThanOrEqualTo(lease / 3);
            }
        });
    }

    @Test
    void shouldSpreadKeepAlivesEvenlyWhenTenThousandDevicesOpenAtOnce() {
        PublisherContext context = PublisherContext.acknowledging();
        open(context, 10_000);

        List<Sent> keepAlives = context.pass(6 * THIRD);

        assertThat(keepAlives).hasSize(60_000);
        assertThat(largestSlot(keepAlives)).isLessThanOrEqualTo(3 * 100);
    }

    @Test
    void shouldSpreadKeepAlivesWhenEverythingWasDueAfterAStall() {
        PublisherContext context = PublisherContext.acknowledging();
        open(context, 10_000);
        context.pass(THIRD);
        context.stall(2 * THIRD);

        List<Sent> keepAlives = context.pass(6 * THIRD);

        assertThat(largestSlot(keepAlives)).isLessThanOrEqualTo(3 * 100);
        // Every device sends within the next third of the lease.
        long end = keepAlives.get(0).at() + THIRD;
        assertThat(keepAlives.stream()
                        .takeWhile(sent -> sent.at() <= end)
                        .map(Sent::device)
                        .distinct())
                .hasSize(10_000);
    }

    @Test
    void shouldSendAThirdOfTheCallsAtMostAndDelayNoChangeWhenTenThousandDevicesCallEachSecond() {
        long seed = System.nanoTime();
        System.out.println("PresencePublisherTest seed " + seed);
        Random random = new Random(seed);
        PublisherContext context = PublisherContext.acknowledging();
        int devices = 10_000;
        open(context, devices);
        PresenceState[] emitted = new PresenceState[devices];
        long calls = 0;
        long heartbeats = 0;
        long changes = 0;
        for (int second = 0; second < 60; second++) {
            for (int device = 0; device < devices; device++) {
                calls++;
                if (random.nextInt(100) > 0) {
                    context.publisher.polled(user(device), "phone");
                    continue;
                }
                heartbeats += context.sent().size();
                PresenceState state = STATES.get(random.nextInt(3));
                context.publisher.state(user(device), "phone", state);
                List<Sent> sent = context.sent();
                heartbeats += sent.size();
                if (state != emitted[device]) {
                    changes++;
                    assertThat(heartbeats(sent)).extracting(Heartbeat::state).containsExactly(state);
                    emitted[device] = state;
                }
            }
            heartbeats += context.sent().size();
            heartbeats += context.pass(1_000).size();
        }

        System.out.printf(
                "%d calls, %d heartbeats (%.3f), of them %d changes%n",
                calls, heartbeats, (double) heartbeats / calls, changes);
        assertThat(changes).isGreaterThan(1_000);
        assertThat(heartbeats).isLessThanOrEqualTo(calls / 3);
    }

    @Test
    void shouldEndDevicesWithConnectionsAndNoOthersWhenItIsClosed() {
        PublisherContext context = PublisherContext.acknowledging();
        open(context, 1_000);
        context.publisher.opened(user(0), "phone");
        context.publisher.closed(user(1), "phone");
        context.publisher.polled(ALICE, "phone");
        context.sent();

        context.publisher.close();

        List<Sent> ends = context.sent();
        assertThat(heartbeats(ends)).extracting(Heartbeat::connectionEnded).containsOnly(true);
        assertThat(ends)
                .extracting(Sent::user)
                .hasSize(999)
                .doesNotHaveDuplicates()
                .doesNotContain(ALICE, user(1));
        assertThat(context.producer.closed()).isTrue();
    }

    @Test
    void shouldRefuseCallsAndSendNothingWhenItWasClosed() {
        PublisherContext context = PublisherContext.acknowledging();
        open(context, 10);
        context.publisher.close();
        context.publisher.close();
        assertThat(context.sent()).hasSize(10);

        assertThatIllegalStateException().isThrownBy(() -> context.publisher.polled(ALICE, "phone"));
        assertThatIllegalStateException().isThrownBy(() -> context.publisher.closed(ALICE, "phone"));
        assertThatIllegalStateException().isThrownBy(() -> context.publisher.status(ALICE, StatusText.NONE));
        assertThat(context.pass(LEASE)).isEmpty();
    }

    @Test
    void shouldFailWhatCouldNotBeSentWhenItIsClosed() {
        // The sending task never runs, as if the producer were waiting for a broker.
        PublisherContext context = new PublisherContext(true, builder -> builder, task -> {});
        CompletableFuture<Void> opened = context.publisher.opened(ALICE, "phone");

        context.publisher.close(Duration.ofMillis(20));

        assertThat(opened).isCompletedExceptionally();
        assertThatExceptionOfType(ExecutionException.class)
                .isThrownBy(opened::get)
                .withCauseInstanceOf(KafkaException.class);
        assertThat(context.publisher.pending()).isZero();
    }

    @Test
    void shouldQueueOneHeartbeatPerDeviceAtMostWhenTheBrokersAreAway() {
        PublisherContext context = new PublisherContext(false, builder -> builder);
        open(context, 1_000);
        for (int minute = 0; minute < 10; minute++) {
            context.publisher.polled(user(minute), "phone");
            context.pass(60_000);
        }

        assertThat(context.publisher.pending()).isEqualTo(1_000);

        List<CompletableFuture<Void>> changes = IntStream.range(0, 1_000)
                .mapToObj(device -> context.publisher.state(user(device), "phone", IDLE))
                .toList();
        assertThat(context.publisher.pending()).isEqualTo(2_000);
        assertThat(context.sent()).hasSize(1_000);
        while (context.producer.completeNext()) {
            // the broker is back
        }
        assertThat(changes).allSatisfy(change -> assertThat(change).isCompleted());
        assertThat(context.publisher.pending()).isZero();
        assertThat(context.pass(THIRD)).hasSize(1_000);
    }

    @Test
    void shouldFailTheFutureAndRepeatTheStateWithTheNextKeepAliveWhenAChangeWasLost() {
        PublisherContext context = new PublisherContext(false, builder -> builder);
        context.publisher.opened(ALICE, "phone", ONLINE);
        context.producer.completeNext();
        CompletableFuture<Void> change = context.publisher.state(ALICE, "phone", IDLE);
        context.sent();

        context.producer.errorNext(new TimeoutException("too late"));

        assertThatExceptionOfType(ExecutionException.class)
                .isThrownBy(change::get)
                .withCauseInstanceOf(TimeoutException.class);
        assertThat(heartbeats(context.pass(THIRD)))
                .containsExactly(new Heartbeat("phone", IDLE, false, LEASE_ON_THE_WIRE, "shard-1"));
    }

    @Test
    void shouldFailTheFutureWhenTheProducerThrows() {
        PublisherContext context = PublisherContext.acknowledging();
        context.producer.sendException = new KafkaException("no");

        assertThat(context.publisher.opened(ALICE, "phone")).isCompletedExceptionally();
        assertThat(context.publisher.pending()).isZero();
    }

    @Test
    void shouldRefuseAtOnceWhenTheMaximumIsPending() {
        PublisherContext context = new PublisherContext(false, builder -> builder.maxPending(10));
        for (int i = 0; i < 10; i++) {
            assertThat(context.publisher.appearOffline(ALICE, true)).isNotDone();
        }

        CompletableFuture<Void> oneMore = context.publisher.appearOffline(ALICE, false);

        assertThatExceptionOfType(ExecutionException.class)
                .isThrownBy(oneMore::get)
                .withCauseInstanceOf(BufferExhaustedException.class);
        context.producer.completeNext();
        assertThat(context.publisher.appearOffline(ALICE, false)).isNotDone();
    }

    @Test
    void shouldLeaveRoomForChangesWhenKeepAlivesPileUp() {
        PublisherContext context = new PublisherContext(false, builder -> builder.maxPending(10));
        for (int i = 0; i < 10; i++) {
            context.publisher.opened(user(i), "phone");
            context.producer.completeNext();
        }

        context.pass(2 * THIRD);
        assertThat(context.publisher.pending()).isEqualTo(5);

        for (int i = 0; i < 5; i++) {
            assertThat(context.publisher.state(user(i), "phone", IDLE)).isNotDone();
        }
        context.publisher.close(Duration.ZERO);
        // Ends exceed the maximum: there is one per device.
        assertThat(context.publisher.pending()).isEqualTo(20);
    }

    @Test
    void shouldRefuseAndTrackNothingWhenAnIdIsInvalid() {
        PublisherContext context = PublisherContext.acknowledging();

        assertThatIllegalArgumentException().isThrownBy(() -> context.publisher.opened(ALICE, ""));
        assertThatIllegalArgumentException().isThrownBy(() -> context.publisher.opened(UserId.of(""), "phone"));
        assertThatIllegalArgumentException().isThrownBy(() -> context.publisher.closed(ALICE, "x".repeat(256)));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> context.publisher.status(ALICE, new StatusText("x".repeat(1025), null)));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> context.publisher.opened(ALICE, "phone\uD83D"))
                .withMessageContaining("device_id");
        assertThatIllegalArgumentException().isThrownBy(() -> context.publisher.closed(ALICE, "\uDE00"));
        assertThat(context.publisher.devices()).isZero();
        assertThat(context.pass(LEASE)).isEmpty();
    }

    @Test
    void shouldNotStartWhenASettingIsInvalid() {
        Map<String, Object> settings = Map.of("bootstrap.servers", "localhost:1");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> PresencePublisher.forShard("shard\uD83D").start(settings))
                .withMessageContaining("shard");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> PresencePublisher.forShard("").start(settings));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> PresencePublisher.forShard("s").lease(Duration.ofMillis(999)));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> PresencePublisher.forShard("s").lease(Duration.ofDays(1)));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> PresencePublisher.forShard("s")
                        .start(Map.of("bootstrap.servers", "localhost:1", "partitioner.class", "x.Y")))
                .withMessageContaining("partitioner.class");
    }

    @Test
    void shouldSendEverythingInOrderWhenManyThreadsCallAtOnce() throws Exception {
        long seed = System.nanoTime();
        System.out.println("PresencePublisherTest seed " + seed);
        ExecutorService sending = Executors.newSingleThreadExecutor();
        ExecutorService shard = Executors.newFixedThreadPool(8);
        try {
            PublisherContext context = new PublisherContext(true, builder -> builder, sending);
            ConcurrentLinkedQueue<CompletableFuture<Void>> futures = new ConcurrentLinkedQueue<>();
            List<Callable<List<String>>> threads = IntStream.range(0, 8)
                    .<Callable<List<String>>>mapToObj(thread -> () -> {
                        Random random = new Random(seed + thread);
                        List<String> emitted = new ArrayList<>();
                        PresenceState last = null;
                        String own = "own-" + thread;
                        for (int i = 0; i < 5_000; i++) {
                            switch (random.nextInt(5)) {
                                case 0 -> {
                                    PresenceState state = STATES.get(random.nextInt(3));
                                    futures.add(context.publisher.state(ALICE, own, state));
                                    if (state != last) {
                                        emitted.add(state.name());
                                        last = state;
                                    }
                                }
                                case 1 -> {
                                    futures.add(context.publisher.closed(ALICE, own));
                                    emitted.add("END");
                                    last = null;
                                }
                                case 2 -> futures.add(context.publisher.opened(ALICE, "shared", ONLINE));
                                case 3 -> futures.add(context.publisher.closed(ALICE, "shared"));
                                default -> futures.add(context.publisher.polled(ALICE, "polled"));
                            }
                        }
                        return emitted;
                    })
                    .toList();
            Map<String, List<String>> expected = new HashMap<>();
            int thread = 0;
            for (Future<List<String>> emitted : shard.invokeAll(threads)) {
                expected.put("own-" + thread++, emitted.get());
            }

            context.publisher.close(Duration.ofSeconds(20));

            assertThat(futures).allSatisfy(future -> assertThat(future).isCompleted());
            assertThat(context.publisher.pending()).isZero();
            Map<String, List<Heartbeat>> sent =
                    context.sent().stream().map(Sent::heartbeat).collect(Collectors.groupingBy(Heartbeat::deviceId));
            expected.forEach((device, emitted) -> assertThat(sent.getOrDefault(device, List.of()).stream()
                            .map(beat -> beat.connectionEnded() ? "END" : String.valueOf(beat.state()))
                            .toList())
                    .isEqualTo(emitted));
            List<Heartbeat> shared = sent.getOrDefault("shared", List.of());
            assertThat(shared.get(shared.size() - 1).connectionEnded()).isTrue();
            assertThat(sent.get("polled")).hasSize(1);
        } finally {
            shard.shutdownNow();
            sending.shutdownNow();
        }
    }

    private static void open(PublisherContext context, int devices) {
        for (int device = 0; device < devices; device++) {
            context.publisher.opened(user(device), "phone");
        }
        context.sent();
    }

    private static UserId user(int number) {
        return UserId.of("@user" + number + ":example.org");
    }

    private static List<Heartbeat> heartbeats(List<Sent> sent) {
        return sent.stream().map(Sent::heartbeat).toList();
    }

    private static long largestSlot(List<Sent> sent) {
        return sent.stream().collect(Collectors.groupingBy(Sent::at, Collectors.counting())).values().stream()
                .mapToLong(count -> count)
                .max()
                .orElse(0);
    }
}
