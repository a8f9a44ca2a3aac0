package dev.rollcall.client;

import static dev.rollcall.domain.PresenceState.IDLE;
import static dev.rollcall.domain.PresenceState.OFFLINE;
import static dev.rollcall.domain.PresenceState.ONLINE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.client.PublisherContext.Sent;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.UserId;
import dev.rollcall.session.ShardHeartbeat;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.common.errors.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The session of a publisher: when partitions hear of it, and what is sent again when they may not have. */
@Timeout(60)
@SuppressWarnings("FutureReturnValueIgnored") // the records that were sent are checked instead
class PublisherSessionTest {
    private static final UserId ALICE = UserId.of("@alice:example.org");
    private static final long LEASE = 30_000;
    private static final long THIRD = 10_000;
    private static final long ROUND = THIRD + 200;

    // ---- the shard's heartbeats ----

    @ParameterizedTest
    @ValueSource(longs = {1_000, 1_001, 30_000, 3_600_000})
    void shouldBeHeardInEachPartitionEveryThirdOfTheLeaseWhetherOrNotThereAreDevices(long lease) {
        PublisherContext context = new PublisherContext(true, builder -> builder.lease(Duration.ofMillis(lease)));

        List<Sent> sent = context.passAll(10 * lease);

        assertThat(sent)
                .extracting(Sent::shardHeartbeat)
                .containsOnly(sent.get(0).shardHeartbeat());
        ShardHeartbeat beat = sent.get(0).shardHeartbeat();
        assertThat(beat.shard()).isEqualTo("shard-1");
        assertThat(beat.startedAt()).isEqualTo(PublisherContext.STARTED_AT);
        assertThat(beat.leaseMs()).isEqualTo(OptionalLong.of(lease));
        assertThat(beat.ended()).isFalse();
        byPartition(sent).forEach((partition, beats) -> {
            for (int i = 1; i < beats.size(); i++) {
                assertThat(beats.get(i).at() - beats.get(i - 1).at()).isBetween(lease / 3 - 100, (lease + 2) / 3 + 100);
            }
            assertThat(beats).hasSizeBetween(25, 31);
        });
        assertThat(byPartition(sent)).hasSize(PublisherContext.PARTITIONS);
    }

    @Test
    void shouldBeAnotherSessionWhenItIsAnotherPublisher() {
        Set<String> sessions = new HashSet<>();
        for (int i = 0; i < 3; i++) {
            sessions.add(PublisherContext.acknowledging()
                    .passAll(THIRD)
                    .get(0)
                    .shardHeartbeat()
                    .session());
        }

        assertThat(sessions).hasSize(3);
    }

    @Test
    void shouldSpreadItsHeartbeatsOverPartitionsAndTimeAlsoAfterAStall() {
        PublisherContext context = PublisherContext.acknowledging();
        context.partitions.set(100);
        context.passAll(THIRD);
        context.stall(3 * LEASE);
        context.passAll(THIRD);

        List<Sent> sent = context.passAll(6 * THIRD);

        assertThat(sent).hasSizeBetween(590, 610);
        assertThat(sent.stream()
                        .collect(Collectors.groupingBy(Sent::at, Collectors.counting()))
                        .values())
                .allSatisfy(atOnce -> assertThat(atOnce).isLessThanOrEqualTo(3));
    }

    @Test
    void shouldBeHeardBeforeTheFirstOpenOfAPartitionAndNotAgain() {
        PublisherContext context = PublisherContext.acknowledging();
        context.partitions.set(100);

        for (int i = 0; i < 1_000; i++) {
            context.publisher.opened(user(i), "phone");
        }

        List<Sent> all = context.sentAll();
        assertThat(all.stream().filter(Sent::isOfShard)).hasSize(100);
        Set<Integer> heard = new HashSet<>();
        for (Sent sent : all) {
            if (sent.isOfShard()) {
                heard.add(sent.partition());
            } else {
                assertThat(heard).contains(sent.partition());
            }
        }
    }

    @Test
    void shouldHaveOneHeartbeatPerPartitionOnItsWayWhenTheBrokersAreAway() {
        PublisherContext context = new PublisherContext(false, builder -> builder);

        context.passAll(10 * LEASE);

        assertThat(context.publisher.pending()).isEqualTo(PublisherContext.PARTITIONS);
    }

    @Test
    void shouldTryAgainSoonWhenAHeartbeatFailed() {
        PublisherContext context = PublisherContext.acknowledging();
        context.passAll(2 * THIRD);
        context.failing.put(2, new TimeoutException("test"));
        context.passAll(2 * THIRD);
        context.failing.clear();

        assertThat(context.passAll(1_200)).extracting(Sent::partition).contains(2);
    }

    @Test
    void shouldBeHeardInNewPartitionsAndOpenThereWhatIsConnected() {
        PublisherContext context = PublisherContext.acknowledging();
        open(context, 1_000);
        context.passAll(2 * THIRD);
        context.partitions.set(6);

        List<Sent> sent = context.passAll(2 * ROUND);

        assertThat(byPartition(sent.stream().filter(Sent::isOfShard).toList())).hasSize(6);
        Set<UserId> moved = IntStream.range(0, 1_000)
                .mapToObj(PublisherSessionTest::user)
                .filter(user -> context.partition(user) >= 4)
                .collect(Collectors.toSet());
        assertThat(sent.stream().filter(one -> !one.isOfShard()).map(Sent::user))
                .containsExactlyInAnyOrderElementsOf(moved);
    }

    // ---- what is sent again ----

    @Test
    void shouldOpenAgainWhatIsConnectedWhenTheProcessWasPausedForALease() {
        PublisherContext context = PublisherContext.acknowledging();
        context.publisher.opened(user(0), "phone", ONLINE);
        context.publisher.state(user(0), "phone", IDLE);
        context.publisher.opened(user(1), "phone");
        context.publisher.opened(user(2), "phone", OFFLINE);
        context.publisher.opened(user(3), "phone");
        context.publisher.closed(user(3), "phone");
        context.publisher.polled(user(4), "phone");
        String session = context.sent().get(0).heartbeat().session();
        context.passAll(2 * THIRD);
        context.stall(LEASE);

        List<Sent> sent = context.pass(ROUND);

        assertThat(sent.stream().collect(Collectors.toMap(Sent::user, Sent::heartbeat)))
                .isEqualTo(Map.of(
                        user(0), new Heartbeat("phone", IDLE, false, OptionalLong.empty(), "shard-1", session),
                        user(1), new Heartbeat("phone", null, false, OptionalLong.empty(), "shard-1", session),
                        user(2), new Heartbeat("phone", OFFLINE, false, OptionalLong.empty(), "shard-1", session)));
        assertThat(context.pass(5 * LEASE)).isEmpty();
    }

    @Test
    void shouldOpenNothingAgainWhenThePauseWasShorter() {
        PublisherContext context = PublisherContext.acknowledging();
        open(context, 100);
        context.passAll(2 * THIRD);
        context.stall(LEASE - THIRD - 200);

        assertThat(context.pass(2 * LEASE)).isEmpty();
    }

    /** As when the machine is suspended: no time passes on its own clock. */
    @Test
    void shouldOpenAgainWhenOnlyTheBrokersClockHasSeenTheSilence() {
        PublisherContext context = PublisherContext.acknowledging();
        open(context, 100);
        context.passAll(2 * THIRD);
        context.brokersAhead.addAndGet(LEASE);

        assertThat(context.pass(ROUND)).hasSize(100);
    }

    @Test
    void shouldOpenAgainOnlyWherePartitionsWereSilent() {
        PublisherContext context = PublisherContext.acknowledging();
        open(context, 1_000);
        context.passAll(2 * THIRD);
        context.failing.put(2, new TimeoutException("test"));
        context.passAll(LEASE + THIRD);
        context.failing.clear();

        List<Sent> sent = context.pass(2 * ROUND);

        assertThat(sent).isNotEmpty();
        assertThat(sent).extracting(Sent::partition).containsOnly(2);
        assertThat(sent.stream().map(Sent::user).distinct())
                .containsExactlyInAnyOrderElementsOf(IntStream.range(0, 1_000)
                        .mapToObj(PublisherSessionTest::user)
                        .filter(user -> context.partition(user) == 2)
                        .toList());
    }

    @Test
    void shouldOpenAgainOnceTheSessionIsHeardAndNotBefore() {
        PublisherContext context = new PublisherContext(false, builder -> builder);
        open(context, 100);
        context.acknowledgeAll();
        context.pass(2 * THIRD);
        context.acknowledgeAll();
        context.sent();

        assertThat(context.pass(2 * LEASE)).isEmpty();
        context.acknowledgeAll();

        assertThat(context.pass(200)).hasSize(100);
    }

    @Test
    void shouldBoundHowManyAreOpenedAgainAtATimeAndOpenAllWithinAThirdOfTheLease() {
        PublisherContext context = PublisherContext.acknowledging();
        open(context, 50_000);
        context.passAll(2 * THIRD);
        context.stall(LEASE);

        List<Sent> sent = context.pass(ROUND);

        assertThat(sent).hasSize(50_000);
        assertThat(sent.stream()
                        .collect(Collectors.groupingBy(Sent::at, Collectors.counting()))
                        .values())
                .allSatisfy(atOnce -> assertThat(atOnce).isLessThanOrEqualTo(501));
    }

    @Test
    void shouldLeaveRoomForOthersWhenItOpensAgain() {
        PublisherContext context = new PublisherContext(false, builder -> builder.maxPending(100));
        for (int i = 0; i < 500; i++) {
            context.publisher.opened(user(i), "phone");
            context.acknowledgeAll();
        }
        context.passAll(THIRD);
        context.acknowledgeAll();
        context.stall(LEASE);
        context.pass(200);
        for (int shardHeartbeats = context.publisher.pending(); shardHeartbeats > 0; shardHeartbeats--) {
            context.producer.completeNext();
        }
        context.sent();

        context.pass(1_000);
        assertThat(context.publisher.pending()).isBetween(50, 60);
        assertThat(context.publisher.state(user(0), "phone", IDLE)).isNotDone();
        Set<UserId> opened = new HashSet<>();
        for (int i = 0; i < 100; i++) {
            context.acknowledgeAll();
            context.pass(100).forEach(sent -> opened.add(sent.user()));
        }
        assertThat(opened).hasSizeGreaterThan(440);
    }

    @Test
    void shouldSendAChangeAgainWhenItFailedAndTheDeviceIsConnected() {
        PublisherContext context = PublisherContext.acknowledging();
        context.publisher.opened(ALICE, "phone", ONLINE);
        context.passAll(2 * THIRD);
        context.failing.put(context.partition(ALICE), new TimeoutException("test"));
        CompletableFuture<Void> failed = context.publisher.state(ALICE, "phone", IDLE);
        context.failing.clear();
        context.sent();

        assertThat(failed).isCompletedExceptionally();
        assertThat(context.pass(ROUND))
                .extracting(sent -> sent.heartbeat().state())
                .containsExactly(IDLE);
        assertThat(context.pass(5 * LEASE)).isEmpty();
    }

    @Test
    void shouldSendAFailedStateWhenItIsGivenAgainAtOnce() {
        PublisherContext context = PublisherContext.acknowledging();
        context.publisher.opened(ALICE, "phone", ONLINE);
        context.failing.put(context.partition(ALICE), new TimeoutException("test"));
        context.publisher.state(ALICE, "phone", IDLE);
        context.failing.clear();
        context.sent();

        context.publisher.state(ALICE, "phone", IDLE);

        assertThat(context.sent()).extracting(sent -> sent.heartbeat().state()).containsExactly(IDLE);
    }

    /** Nobody else would end it: the session goes on. */
    @Test
    void shouldSendAnEndAgainWhenItFailed() {
        PublisherContext context = PublisherContext.acknowledging();
        context.publisher.opened(ALICE, "phone", ONLINE);
        context.passAll(2 * THIRD);
        context.failing.put(context.partition(ALICE), new TimeoutException("test"));
        assertThat(context.publisher.closed(ALICE, "phone")).isCompletedExceptionally();
        context.passAll(2 * LEASE);
        assertThat(context.publisher.devices()).isEqualTo(1);
        context.failing.clear();

        List<Sent> sent = context.pass(ROUND);

        assertThat(sent).extracting(one -> one.heartbeat().connectionEnded()).containsExactly(true);
        assertThat(sent.get(0).heartbeat().session()).isNotNull();
        assertThat(context.publisher.devices()).isZero();
        assertThat(context.pass(2 * LEASE)).isEmpty();
    }

    @Test
    void shouldNotSendAFailedEndAgainWhenTheDeviceIsBack() {
        PublisherContext context = PublisherContext.acknowledging();
        context.publisher.opened(ALICE, "phone", ONLINE);
        context.passAll(2 * THIRD);
        context.failing.put(context.partition(ALICE), new TimeoutException("test"));
        context.publisher.closed(ALICE, "phone");
        context.passAll(1_000);
        context.failing.clear();
        context.publisher.opened(ALICE, "phone", IDLE);
        context.sent();

        assertThat(context.pass(2 * LEASE))
                .extracting(one -> one.heartbeat().connectionEnded())
                .doesNotContain(true);
        assertThat(context.publisher.devices()).isEqualTo(1);
    }

    @Test
    void shouldKeepNoMoreUnsentEndsThanRecordsMayBePending() {
        PublisherContext context = new PublisherContext(true, builder -> builder.maxPending(100));
        context.passAll(THIRD);
        IntStream.range(0, PublisherContext.PARTITIONS)
                .forEach(partition -> context.failing.put(partition, new TimeoutException("test")));

        for (int i = 0; i < 1_000; i++) {
            context.publisher.opened(user(i), "phone");
            context.publisher.closed(user(i), "phone");
        }
        context.passAll(LEASE);

        assertThat(context.publisher.devices()).isEqualTo(100);
    }

    @Test
    void shouldOpenAgainInTheStateThatSomebodySetWhenItWasSetThroughIt() {
        PublisherContext context = PublisherContext.acknowledging();
        context.publisher.opened(ALICE, "phone", ONLINE);
        context.publisher.heartbeat(ALICE, new Heartbeat("phone", IDLE, false, OptionalLong.empty(), null));
        context.passAll(2 * THIRD);
        context.stall(LEASE);

        assertThat(context.pass(ROUND))
                .extracting(sent -> sent.heartbeat().state())
                .containsExactly(IDLE);
    }

    // ---- topics that are not there ----

    @Test
    void shouldFailAllThatWaitTogetherWhenTheTopicIsMissing() {
        Deque<Runnable> tasks = new ArrayDeque<>();
        PublisherContext context = new PublisherContext(true, builder -> builder, tasks::add);
        context.missingTopics.add("beats");
        List<CompletableFuture<Void>> opened = IntStream.range(0, 100)
                .mapToObj(i -> context.publisher.opened(user(i), "phone"))
                .toList();

        tasks.remove().run();

        assertThat(context.waits).hasValue(1);
        assertThat(opened).allSatisfy(future -> assertThat(future).isCompletedExceptionally());
        assertThat(context.publisher.pending()).isZero();

        // What comes later has its own chance.
        context.missingTopics.clear();
        CompletableFuture<Void> late = context.publisher.opened(ALICE, "phone");
        tasks.remove().run();
        assertThat(late).isCompleted().isNotCompletedExceptionally();
    }

    @Test
    void shouldGoOnWithOtherTopicsWhenOneIsMissing() {
        Deque<Runnable> tasks = new ArrayDeque<>();
        PublisherContext context = new PublisherContext(true, builder -> builder, tasks::add);
        context.missingTopics.add("texts");
        CompletableFuture<Void> text = context.publisher.status(ALICE, new dev.rollcall.domain.StatusText("x", null));
        CompletableFuture<Void> opened = context.publisher.opened(ALICE, "phone");

        // The producer still waits for the first topic, on the first task.
        tasks.removeLast().run();
        assertThat(opened).isCompleted();
        assertThat(text).isNotDone();

        tasks.remove().run();
        assertThat(text).isCompletedExceptionally();
    }

    @Test
    void shouldBeginWhenItsTopicAppearsLater() {
        PublisherContext context = PublisherContext.acknowledging();
        context.missingTopics.add("beats");
        assertThat(context.publisher.opened(ALICE, "phone", IDLE)).isCompletedExceptionally();
        assertThat(context.passAll(LEASE)).isEmpty();
        context.missingTopics.clear();

        List<Sent> sent = context.passAll(2 * ROUND);

        assertThat(byPartition(sent.stream().filter(Sent::isOfShard).toList())).hasSize(4);
        assertThat(sent.stream()
                        .filter(one -> !one.isOfShard())
                        .map(Sent::heartbeat)
                        .map(Heartbeat::state))
                .containsExactly(IDLE);
    }

    // ---- a deadline ----

    @Test
    void shouldNotSendWhatHasWaitedForLongerThanTheDeadlineAllows() {
        Deque<Runnable> tasks = new ArrayDeque<>();
        PublisherContext context =
                new PublisherContext(true, builder -> builder.deadline(Duration.ofSeconds(5)), tasks::add);
        CompletableFuture<Void> late = context.publisher.appearOffline(ALICE, true);
        context.stall(900);
        CompletableFuture<Void> inTime = context.publisher.appearOffline(ALICE, false);
        context.stall(101);

        tasks.remove().run();

        assertThat(late).isCompletedExceptionally();
        assertThat(inTime).isCompleted().isNotCompletedExceptionally();
        assertThat(context.sent()).hasSize(1);
    }

    private static Map<Integer, List<Sent>> byPartition(List<Sent> sent) {
        return sent.stream().collect(Collectors.groupingBy(Sent::partition));
    }

    private static void open(PublisherContext context, int devices) {
        for (int device = 0; device < devices; device++) {
            context.publisher.opened(user(device), "phone");
        }
        context.sentAll();
    }

    private static UserId user(int number) {
        return UserId.of("@user" + number + ":example.org");
    }
}
