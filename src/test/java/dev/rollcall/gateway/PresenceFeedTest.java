package dev.rollcall.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rollcall.domain.Presence;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.UserId;
import dev.rollcall.gateway.PresenceFeed.Progress;
import dev.rollcall.gateway.PresenceSubscription.Batch;
import dev.rollcall.gateway.PresenceSubscription.Found;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What the copy of the topic answers, and what its subscribers get, while the topic is read. */
class PresenceFeedTest {
    private static final UserId ALICE = UserId.of("@alice:example.org");
    private static final UserId BOB = UserId.of("@bob:example.org");

    private final PresenceFeed feed = new PresenceFeed();
    private final AtomicInteger wakes = new AtomicInteger();
    private long offset;

    @Test
    void shouldAnswerNothingUntilAllIsRead() {
        feed.readsTopic("topic", 3);
        publish(ALICE, 0, 1);
        feed.advance(new Progress(false, 1, 3, 2, null, 0));

        assertThatThrownBy(() -> feed.presence(ALICE))
                .isInstanceOf(UnavailableException.class)
                .hasMessageContaining("the topic of presence to be read: 1 of 3");
        assertThatThrownBy(() -> feed.presence(BOB)).isInstanceOf(UnavailableException.class);
        assertThatThrownBy(() -> feed.subscribe(null, null, () -> {})).isInstanceOf(UnavailableException.class);
        complete();
        assertThat(feed.presence(ALICE))
                .hasValueSatisfying(presence -> assertThat(presence.sequence()).isEqualTo(1));
        assertThat(feed.presence(BOB)).isEmpty();
        assertThat(feed.waitsFor()).isEmpty();
    }

    @Test
    void shouldSayWhatItWaitsForWhenThereIsNoTopicOrReadingHasFailed() {
        feed.advance(new Progress(false, 0, 0, 0, "the brokers", 0));
        assertThat(feed.waitsFor()).contains("the brokers");
        complete();
        feed.fail("presence to be read again");
        assertThat(feed.waitsFor()).hasValueSatisfying(what -> assertThat(what).contains("to be read again"));
        assertThatThrownBy(() -> feed.presence(ALICE)).isInstanceOf(UnavailableException.class);
    }

    @Test
    void shouldBeUnknownWhenForgotten() {
        complete();
        publish(ALICE, 0, 1);
        feed.apply(List.of(new PresenceRecord(ALICE, null, 2_000, 0, offset++)));
        assertThat(feed.presence(ALICE)).isEmpty();
    }

    @Test
    void shouldGetEverybodyInPartsAndThenTheChangesWhenSubscribedToAll() {
        complete();
        for (int i = 0; i < 10; i++) {
            publish(UserId.of("user" + i), i % 3, 1);
        }
        try (PresenceSubscription all = feed.subscribe(null, null, wakes::incrementAndGet)) {
            List<String> told = new ArrayList<>();
            boolean more = true;
            for (int batches = 1; more; batches++) {
                Batch batch = Objects.requireNonNull(all.poll(3));
                assertThat(batch.snapshot()).isEqualTo(batches == 1);
                assertThat(batch.presences().size()).isBetween(1, 3);
                told.addAll(texts(batch));
                more = batch.more();
                if (batches == 1) {
                    publish(UserId.of("user0"), 0, 2); // was told: it is told again
                    publish(UserId.of("user8"), 2, 2); // was not: it is told once
                }
            }
            assertThat(told).hasSize(11).doesNotHaveDuplicates();
            assertThat(all.poll(3)).isNull();
            wakes.set(0);
            publish(UserId.of("new"), 1, 1);
            assertThat(wakes).hasPositiveValue();
            assertThat(texts(all.poll(3))).singleElement().asString().contains("user=new");
        }
    }

    @Test
    void shouldGoOnFromAnyBatchWhenSubscribedToAll() {
        complete();
        for (int i = 0; i < 100; i++) {
            publish(UserId.of("user" + i), i % 7, 1);
        }
        List<String> told = new ArrayList<>();
        @Nullable BatchToken token = null;
        boolean more = true;
        while (more) { // as a client that polls: each time a new subscription
            try (PresenceSubscription all = feed.subscribe(null, token, () -> {})) {
                Batch batch = Objects.requireNonNull(all.poll(9));
                assertThat(batch.snapshot()).isEqualTo(token == null);
                told.addAll(texts(batch));
                token = BatchToken.parse(batch.nextBatch().toString());
                more = batch.more();
            }
        }
        assertThat(told).hasSize(100).doesNotHaveDuplicates();
    }

    @Test
    void shouldLeaveOutTheForgottenFromASnapshotButTellOfThemAfterwards() {
        complete();
        publish(ALICE, 0, 1);
        publish(BOB, 0, 1);
        feed.apply(List.of(new PresenceRecord(BOB, null, 2_000, 0, offset++)));
        try (PresenceSubscription all = feed.subscribe(null, null, () -> {})) {
            Batch snapshot = Objects.requireNonNull(all.poll(1));
            assertThat(texts(snapshot)).singleElement().asString().contains("alice");
            assertThat(snapshot.more()).isFalse();
            feed.apply(List.of(new PresenceRecord(ALICE, null, 3_000, 0, offset++)));
            assertThat(texts(all.poll(1))).singleElement().asString().contains("alice", "presence=null");
        }
    }

    @Test
    void shouldGetWhatChangedWhenSubscribedToSome() {
        complete();
        publish(ALICE, 0, 1);
        BatchToken token;
        try (PresenceSubscription some = feed.subscribe(Set.of(ALICE, BOB), null, wakes::incrementAndGet)) {
            Batch snapshot = Objects.requireNonNull(some.poll(1));
            assertThat(texts(snapshot)).hasSize(2);
            assertThat(some.poll(1)).isNull();
            publish(UserId.of("other"), 0, 1);
            assertThat(wakes).hasValue(0);
            token = snapshot.nextBatch();
            publish(BOB, 1, 1);
            assertThat(wakes).hasValue(1);
            assertThat(texts(some.poll(1))).singleElement().asString().contains("bob", "state=ONLINE");
        }
        try (PresenceSubscription back = feed.subscribe(Set.of(ALICE, BOB), token, () -> {})) {
            Batch missed = Objects.requireNonNull(back.poll(1));
            assertThat(missed.snapshot()).isFalse();
            assertThat(texts(missed)).singleElement().asString().contains("bob");
        }
    }

    @Test
    void shouldBeginAnewOnceAllIsReadWhenTheTopicIsCreatedAgain() {
        feed.readsTopic("one", 3);
        complete();
        publish(ALICE, 0, 1);
        try (PresenceSubscription all = feed.subscribe(null, null, wakes::incrementAndGet);
                PresenceSubscription some = feed.subscribe(Set.of(ALICE), null, () -> {})) {
            BatchToken old = Objects.requireNonNull(all.poll(9)).nextBatch();
            assertThat(some.poll(9)).isNotNull();
            feed.clear(List.of(0));
            feed.readsTopic("two", 3);
            offset = 0;
            publish(BOB, 0, 1);
            assertThatThrownBy(() -> feed.presence(ALICE)).isInstanceOf(UnavailableException.class);
            assertThat(all.poll(9)).as("nothing while it is read again").isNull();
            wakes.set(0);
            complete();

            assertThat(wakes).hasValue(1);
            Batch again = Objects.requireNonNull(all.poll(9));
            assertThat(again.snapshot()).isTrue();
            assertThat(texts(again)).singleElement().asString().contains("bob");
            Batch unknown = Objects.requireNonNull(some.poll(9));
            assertThat(unknown.snapshot()).isTrue();
            assertThat(texts(unknown)).singleElement().asString().contains("alice", "presence=null");
            try (PresenceSubscription back = feed.subscribe(null, old, () -> {})) {
                assertThat(Objects.requireNonNull(back.poll(9)).snapshot()).isTrue();
            }
        }
    }

    @Test
    void shouldGetASnapshotWhenWhatIsNeededOfTheForgottenIsNotKept() {
        complete();
        publish(ALICE, 0, 1);
        BatchToken old;
        try (PresenceSubscription all = feed.subscribe(null, null, () -> {})) {
            old = Objects.requireNonNull(all.poll(1)).nextBatch();
        }
        for (int i = 0; i <= PresenceCopy.MAX_FORGOTTEN; i++) {
            feed.apply(List.of(new PresenceRecord(UserId.of("user" + i), null, 1_000, 0, offset++)));
        }
        try (PresenceSubscription back = feed.subscribe(null, old, () -> {})) {
            assertThat(Objects.requireNonNull(back.poll(1)).snapshot()).isTrue();
        }
    }

    @Test
    void shouldWaitWhenATokenIsOfAnInstanceThatHasReadMore() {
        feed.readsTopic("topic", 3);
        complete();
        publish(ALICE, 0, 1);
        BatchToken here = tokenHere();
        BatchToken ahead = new BatchToken(here.topicId(), new TreeMap<>(Map.of(0, 1L, 2, 3L)));
        try (PresenceSubscription all = feed.subscribe(null, ahead, wakes::incrementAndGet);
                PresenceSubscription some = feed.subscribe(Set.of(ALICE, BOB), ahead, () -> {})) {
            assertThat(all.poll(9)).isNull();
            assertThat(some.poll(9)).isNull();
            assertThat(all.position())
                    .as("a poll that ends meanwhile gives it back")
                    .isEqualTo(ahead);
            publish(BOB, 2, 1); // at 1, which the other instance has delivered
            assertThat(all.poll(9)).isNull();
            wakes.set(0);
            feed.readUpTo(Map.of(2, 3L)); // what follows is no record: a transaction's end
            complete();
            assertThat(wakes).hasPositiveValue();
            assertThat(all.poll(9)).isNull();
            assertThat(some.poll(9)).isNull();
            offset = 3;
            publish(BOB, 2, 2);
            assertThat(Objects.requireNonNull(all.poll(9)).snapshot()).isFalse();
            assertThat(texts(some.poll(9))).singleElement().asString().contains("bob", "sequence=2");
        }
    }

    @Test
    void shouldGiveASnapshotWhenATokenNamesPartitionsThatAreNotThere() {
        feed.readsTopic("topic", 3);
        complete();
        publish(ALICE, 0, 1);
        BatchToken wrong = new BatchToken(tokenHere().topicId(), new TreeMap<>(Map.of(0, 1L, 3, 1L)));
        try (PresenceSubscription all = feed.subscribe(null, wrong, () -> {})) {
            Batch batch = Objects.requireNonNull(all.poll(9));
            assertThat(batch.snapshot()).isTrue();
            assertThat(batch.nextBatch().offsets()).containsOnlyKeys(0);
        }
    }

    @Test
    void shouldWatchOthersFromNowOn() {
        feed.readsTopic("topic", 3);
        complete();
        publish(ALICE, 0, 1);
        publish(BOB, 1, 1);
        try (PresenceSubscription all = feed.subscribe(null, null, () -> {})) {
            PresenceSubscription some = feed.subscribe(Set.of(ALICE), null, wakes::incrementAndGet);
            assertThat(texts(some.poll(9))).hasSize(1);
            publish(ALICE, 0, 2); // and is not watched any more before it is polled
            wakes.set(0);
            assertThat(some.watch(Set.of(BOB))).isTrue();
            assertThat(wakes).hasValue(1);
            Batch batch = Objects.requireNonNull(some.poll(9));
            assertThat(batch.snapshot()).isFalse();
            assertThat(texts(batch)).singleElement().asString().contains("bob");
            publish(ALICE, 0, 3);
            assertThat(some.poll(9)).isNull();
            publish(BOB, 1, 2);
            assertThat(texts(some.poll(9))).singleElement().asString().contains("bob");
            assertThat(all.watch(Set.of(BOB))).isFalse();
            some.close();
            some.watch(Set.of(ALICE));
            wakes.set(0);
            publish(ALICE, 0, 4);
            assertThat(wakes).as("it is closed").hasValue(0);
        }
    }

    private BatchToken tokenHere() {
        try (PresenceSubscription all = feed.subscribe(null, null, () -> {})) {
            return Objects.requireNonNull(all.poll(9)).nextBatch();
        }
    }

    private void complete() {
        feed.advance(new Progress(true, 3, 3, 0, null, 0));
    }

    private void publish(UserId user, int partition, long sequence) {
        Presence presence = new Presence(PresenceState.ONLINE, null, null, 1_000, null, sequence);
        feed.apply(List.of(new PresenceRecord(user, presence, sequence * 1_000, partition, offset++)));
    }

    private static List<String> texts(@Nullable Batch batch) {
        return Objects.requireNonNull(batch).presences().stream()
                .map(Found::toString)
                .toList();
    }
}
