package dev.rollcall.client;

import static dev.rollcall.domain.PresenceState.IDLE;
import static dev.rollcall.domain.PresenceState.OFFLINE;
import static dev.rollcall.domain.PresenceState.ONLINE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.tuple;

import dev.rollcall.client.PublisherContext.Sent;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserId;
import dev.rollcall.wire.Inbound;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
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
    void shouldSendOneRecordWithStateShardAndSessionWhenAConnectionOpens() {
        PublisherContext context = PublisherContext.acknowledging();

        CompletableFuture<Void> sent = context.publisher.opened(ALICE, "phone", IDLE);

        assertThat(sent).isCompleted();
        List<Sent> all = context.sentAll();
        assertThat(all).hasSize(2);
        String session = all.get(0).shardHeartbeat().session();
        assertThat(all.get(1).heartbeat())
                .isEqualTo(new Heartbeat("phone", IDLE, false, OptionalLong.empty(), "shard-1", session));
        assertThat(all.get(1).partition()).isEqualTo(context.partition(ALICE));
    }

    @Test
    void shouldSendNoStateWhenTheShardGivesNone() {
        PublisherContext context = PublisherContext.acknowledging();

        context.publisher.opened(ALICE, "phone");

        assertThat(heartbeats(context.sent())).extracting(Heartbeat::state).containsExactly((PresenceState) null);
    }

    @Test
    void shouldSendNothingForADeviceWhenItsConnectionIsOpen() {
        PublisherContext context = PublisherContext.acknowledging();
        open(context, 1_000);

        for (int i = 0; i < 100; i++) {
            assertThat(context.publisher.polled(user(i), "phone")).isCompleted();
        }

        assertThat(context.pass(20 * LEASE)).isEmpty();
        assertThat(context.publisher.devices()).isEqualTo(1_000);
    }

    @Test
    void shouldSendEachOpenAndEachChangeAndNoRepetitionWhenItIsConnected() {
        PublisherContext context = PublisherContext.acknowledging();
        context.publisher.opened(ALICE, "phone", ONLINE);

        context.publisher.state(ALICE, "phone", ONLINE);
        context.publisher.state(ALICE, "phone", OFFLINE);
        context.publisher.state(ALICE, "phone", OFFLINE);
        context.publisher.polled(ALICE, "phone");
        context.publisher.opened(ALICE, "phone", OFFLINE);
        context.publisher.opened(ALICE, "phone");
        context.publisher.state(ALICE, "phone", IDLE);

        List<Heartbeat> sent = heartbeats(context.sent());
        assertThat(sent).extracting(Heartbeat::state).containsExactly(ONLINE, OFFLINE, OFFLINE, null, IDLE);
        assertThat(sent).extracting(Heartbeat::session).doesNotContainNull();
    }

    @Test
    void shouldEndInItsSessionAndStayEndedWhenTheConnectionCloses() {
        PublisherContext context = PublisherContext.acknowledging();
        context.publisher.opened(ALICE, "phone", IDLE);
        String session = heartbeats(context.sent()).get(0).session();

        context.publisher.closed(ALICE, "phone");

        assertThat(heartbeats(context.pass(3 * LEASE)))
                .containsExactly(new Heartbeat("phone", null, true, OptionalLong.empty(), "shard-1", session));
        assertThat(context.publisher.devices()).isZero();
    }

    @Test
    void shouldHaveALeaseAndNoSessionWhenADeviceOnlyPolls() {
        PublisherContext context = PublisherContext.acknowledging();

        context.publisher.polled(ALICE, "phone");
        context.publisher.state(ALICE, "phone", IDLE);
        context.publisher.closed(ALICE, "phone");

        assertThat(heartbeats(context.sent()))
                .containsExactly(
                        new Heartbeat("phone", null, false, LEASE_ON_THE_WIRE, "shard-1"),
                        new Heartbeat("phone", IDLE, false, LEASE_ON_THE_WIRE, "shard-1"),
                        new Heartbeat("phone", null, true, LEASE_ON_THE_WIRE, "shard-1"));
        assertThat(context.publisher.devices()).isZero();
    }

    @Test
    void shouldGoOverToTheSessionAndBackWhenAPollingDeviceConnectsForATime() {
        PublisherContext context = PublisherContext.acknowledging();
        context.publisher.polled(ALICE, "phone");
        context.publisher.opened(ALICE, "phone");
        context.publisher.polled(ALICE, "phone");
        context.publisher.closed(ALICE, "phone");
        context.publisher.polled(ALICE, "phone");

        List<Heartbeat> sent = heartbeats(context.sent());
        assertThat(sent).extracting(Heartbeat::connectionEnded).containsExactly(false, false, true, false);
        assertThat(sent).extracting(beat -> beat.session() != null).containsExactly(false, true, true, false);
    }

    @Test
    void shouldEndWithTheLastConnectionWhenADeviceHasTwo() {
        PublisherContext context = PublisherContext.acknowledging();
        context.publisher.opened(ALICE, "phone", ONLINE);
        context.publisher.opened(ALICE, "phone");
        context.sent();

        context.publisher.closed(ALICE, "phone");
        assertThat(context.pass(LEASE)).isEmpty();
        context.publisher.closed(ALICE, "phone");

        assertThat(heartbeats(context.sent()))
                .extracting(Heartbeat::connectionEnded)
                .containsExactly(true);
    }

    @Test
    void shouldSendTheEndInItsSessionWhenAnUnknownDeviceCloses() {
        PublisherContext context = PublisherContext.acknowledging();

        context.publisher.closed(ALICE, "phone");

        assertThat(heartbeats(context.sent()))
                .allSatisfy(end -> assertThat(end.session()).isNotNull())
                .extracting(Heartbeat::connectionEnded)
                .containsExactly(true);
    }

    @Test
    void shouldForgetADeviceWhenItHasNotPolledForALease() {
        PublisherContext context = PublisherContext.acknowledging();
        context.publisher.polled(ALICE, "phone");
        context.sent();

        assertThat(context.pass(LEASE - 1)).isEmpty();
        assertThat(context.publisher.devices()).isEqualTo(1);
        assertThat(context.pass(THIRD + 100)).isEmpty();
        assertThat(context.publisher.devices()).isZero();
    }

    @ParameterizedTest
    @ValueSource(longs = {1_000, 1_001, 30_000, 300_000})
    void shouldOutliveTwoLostHeartbeatsWhateverTheLeaseWhenADevicePolls(long lease) {
        PublisherContext context = new PublisherContext(true, builder -> builder.lease(Duration.ofMillis(lease)));
        List<Sent> all = new ArrayList<>();
        long step = Math.min(100, lease / 100);
        for (long ms = 0; ms < 6 * lease; ms += step) {
            for (int i = 0; i < 20; i++) {
                context.publisher.polled(ALICE, "device-" + i);
            }
            all.addAll(context.sent());
            context.stall(step);
        }

        Map<String, List<Sent>> byDevice = all.stream().collect(Collectors.groupingBy(Sent::device));
        assertThat(byDevice).hasSize(20);
        byDevice.values().forEach(sent -> {
            for (int i = 3; i < sent.size(); i++) {
                long deadline =
                        sent.get(i - 3).at() + sent.get(i).heartbeat().leaseMs().getAsLong();
                assertThat(sent.get(i).at()).isLessThan(deadline);
            }
            for (int i = 2; i < sent.size(); i++) {
                assertThat(sent.get(i).at() - sent.get(i - 1).at()).isGreaterThanOrEqualTo(lease / 3);
            }
        });
    }

    @Test
    void shouldSendAsItIsWhenAHeartbeatIsGiven() {
        PublisherContext context = PublisherContext.acknowledging();
        Heartbeat plain = new Heartbeat("phone", IDLE, false, OptionalLong.empty(), null);

        context.publisher.heartbeat(ALICE, plain);
        context.publisher.heartbeat(ALICE, plain);

        assertThat(heartbeats(context.sent())).containsExactly(plain, plain);
        assertThat(context.publisher.devices()).isZero();
    }

    @Test
    void shouldRepeatTheStateOfAGivenHeartbeatWhenTheDevicePollsOn() {
        PublisherContext context = PublisherContext.acknowledging();
        context.publisher.state(ALICE, "phone", OFFLINE);
        context.publisher.heartbeat(ALICE, new Heartbeat("phone", IDLE, false, OptionalLong.empty(), null));
        context.sent();

        context.pass(15_000);
        context.publisher.polled(ALICE, "phone");

        assertThat(heartbeats(context.sent())).extracting(Heartbeat::state).containsExactly(IDLE);
    }

    @Test
    void shouldRepeatNoStateFromBeforeAnEndThatIsGivenWhenTheDevicePollsAgain() {
        PublisherContext context = PublisherContext.acknowledging();
        context.publisher.state(ALICE, "phone", OFFLINE);
        context.publisher.heartbeat(ALICE, new Heartbeat("phone", null, true, OptionalLong.empty(), null));
        context.sent();

        context.publisher.polled(ALICE, "phone");

        assertThat(heartbeats(context.sent())).extracting(Heartbeat::state).containsExactly((PresenceState) null);
    }

    @Test
    void shouldOpenAgainWithTheStateOfAGivenHeartbeatWhenThatCouldNotBeSent() {
        PublisherContext context = PublisherContext.acknowledging();
        context.publisher.opened(ALICE, "phone");
        context.failing.put(context.partition(ALICE), new TimeoutException("away"));
        context.publisher.heartbeat(ALICE, new Heartbeat("phone", IDLE, false, OptionalLong.empty(), null));
        context.failing.clear();
        context.sent();

        assertThat(context.pass(15_000))
                .extracting(sent -> sent.heartbeat().state())
                .containsExactly(IDLE);
    }

    @Test
    void shouldEndTheSessionInEveryPartitionAndNoDeviceWhenItIsClosed() {
        PublisherContext context = PublisherContext.acknowledging();
        open(context, 100);
        context.publisher.polled(ALICE, "phone");
        context.sentAll();

        context.publisher.close();

        assertThat(context.sentAll())
                .allSatisfy(last -> assertThat(last.shardHeartbeat().ended()).isTrue())
                .extracting(Sent::partition)
                .containsExactlyInAnyOrder(0, 1, 2, 3);
        assertThat(context.producer.closed()).isTrue();
    }

    @Test
    void shouldEndNothingAndFallSilentWhenItHandsOver() {
        PublisherContext context = PublisherContext.acknowledging();
        open(context, 100);

        context.publisher.handOver();
        context.publisher.close();

        // So that the devices have a whole lease from here.
        assertThat(context.sentAll())
                .allSatisfy(last -> assertThat(last.shardHeartbeat().ended()).isFalse())
                .extracting(Sent::partition)
                .containsExactlyInAnyOrder(0, 1, 2, 3);
        assertThat(context.passAll(3 * LEASE)).isEmpty();
        assertThat(context.producer.closed()).isTrue();
    }

    @Test
    void shouldSendWhatWaitsBeforeTheEndOfTheSessionWhenItIsClosed() {
        Deque<Runnable> tasks = new ArrayDeque<>();
        PublisherContext context = new PublisherContext(true, builder -> builder, tasks::add);
        context.publisher.opened(ALICE, "phone");
        Thread sending = new Thread(() -> {
            while (context.publisher.pending() < 2) {
                Thread.onSpinWait();
            }
            tasks.remove().run();
        });
        sending.start();

        context.publisher.close();

        List<Sent> all = context.sentAll();
        assertThat(all).hasSize(6);
        assertThat(all.get(1).heartbeat().deviceId()).isEqualTo("phone");
        assertThat(all.subList(2, 6))
                .allSatisfy(last -> assertThat(last.shardHeartbeat().ended()).isTrue());
    }

    @Test
    void shouldRefuseCallsAndSendNothingWhenItWasClosed() {
        PublisherContext context = PublisherContext.acknowledging();
        open(context, 10);
        context.publisher.close();
        context.publisher.close();
        context.sent();

        assertThatIllegalStateException().isThrownBy(() -> context.publisher.polled(ALICE, "phone"));
        assertThatIllegalStateException().isThrownBy(() -> context.publisher.closed(ALICE, "phone"));
        assertThatIllegalStateException().isThrownBy(() -> context.publisher.status(ALICE, StatusText.NONE));
        assertThat(context.passAll(LEASE)).isEmpty();
    }

    @Test
    void shouldNameTheArgumentWhenItIsNull() {
        PresencePublisher publisher = PublisherContext.acknowledging().publisher;
        UserId noUser = nothing();
        String noDevice = nothing();
        PresenceState noState = nothing();
        StatusText noText = nothing();

        assertNames("user", () -> publisher.opened(noUser, "phone"));
        assertNames("user", () -> publisher.opened(noUser, "phone", IDLE));
        assertNames("user", () -> publisher.state(noUser, "phone", IDLE));
        assertNames("user", () -> publisher.polled(noUser, "phone"));
        assertNames("user", () -> publisher.closed(noUser, "phone"));
        assertNames("user", () -> publisher.status(noUser, StatusText.NONE));
        assertNames("user", () -> publisher.appearOffline(noUser, true));
        assertNames("deviceId", () -> publisher.opened(ALICE, noDevice));
        assertNames("deviceId", () -> publisher.state(ALICE, noDevice, IDLE));
        assertNames("deviceId", () -> publisher.polled(ALICE, noDevice));
        assertNames("deviceId", () -> publisher.closed(ALICE, noDevice));
        assertNames("state", () -> publisher.opened(ALICE, "phone", noState));
        assertNames("state", () -> publisher.state(ALICE, "phone", noState));
        assertNames("text", () -> publisher.status(ALICE, noText));
        assertThat(publisher.pending()).isZero();
        assertThat(publisher.devices()).isZero();
    }

    private static void assertNames(String argument, Runnable call) {
        assertThatNullPointerException().isThrownBy(call::run).withMessageStartingWith(argument + " ");
    }

    /** A null that the compiler does not see, as from callers without its checks. */
    @SuppressWarnings({"NullAway", "TypeParameterUnusedInFormals"})
    private static <T> T nothing() {
        return null;
    }

    @Test
    void shouldQueueOneHeartbeatPerPollingDeviceAtMostWhenTheBrokersAreAway() {
        PublisherContext context = new PublisherContext(false, builder -> builder);
        for (int minute = 0; minute < 10; minute++) {
            for (int i = 0; i < 1_000; i++) {
                context.publisher.polled(user(i), "phone");
            }
            context.pass(20_000);
        }

        // And one of the shard in each partition.
        assertThat(context.publisher.pending()).isEqualTo(1_000 + PublisherContext.PARTITIONS);

        List<CompletableFuture<Void>> changes = IntStream.range(0, 1_000)
                .mapToObj(device -> context.publisher.state(user(device), "phone", IDLE))
                .toList();
        context.acknowledgeAll();
        assertThat(changes).allSatisfy(change -> assertThat(change).isCompleted());
        assertThat(context.publisher.pending()).isZero();
    }

    @Test
    void shouldLeaveRoomForChangesWhenHeartbeatsPileUp() {
        PublisherContext context = new PublisherContext(false, builder -> builder.maxPending(20));
        for (int i = 0; i < 20; i++) {
            context.publisher.polled(user(i), "phone");
            context.producer.completeNext();
        }
        context.stall(THIRD);

        for (int i = 0; i < 20; i++) {
            context.publisher.polled(user(i), "phone");
        }
        assertThat(context.publisher.pending()).isEqualTo(10);

        assertThat(context.publisher.state(user(0), "phone", IDLE)).isNotDone();
    }

    @Test
    void shouldSendAThirdOfTheCallsAtMostAndDelayNoChangeWhenTenThousandDevicesPollEachSecond() {
        long seed = System.nanoTime();
        System.out.println("PresencePublisherTest seed " + seed);
        Random random = new Random(seed);
        PublisherContext context = PublisherContext.acknowledging();
        int devices = 10_000;
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
    void shouldKeepDevicesApartWhenTheirIdsAreTheSame() {
        PublisherContext context = PublisherContext.acknowledging();
        context.publisher.opened(ALICE, "phone");
        context.publisher.opened(UserId.of("@bob:example.org"), "phone");

        context.publisher.closed(ALICE, "phone");

        assertThat(context.sent()).hasSize(3);
        assertThat(context.publisher.devices()).isEqualTo(1);
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
                .isThrownBy(() -> PresencePublisher.forShard("s").lease(Duration.ofMillis(3_600_001)));
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
}
