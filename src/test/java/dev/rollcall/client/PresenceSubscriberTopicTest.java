package dev.rollcall.client;

import static dev.rollcall.domain.PresenceState.IDLE;
import static dev.rollcall.domain.PresenceState.OFFLINE;
import static dev.rollcall.domain.PresenceState.ONLINE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.rollcall.client.PresenceSubscriber.Options;
import dev.rollcall.client.reading.TopicMonitor;
import java.time.Duration;
import java.util.stream.Stream;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What happens to a subscriber's topic: it is missing, grows, is created again, or loses its end. */
@Timeout(60)
class PresenceSubscriberTopicTest {
    private static final Options GROUP = Options.inGroup("notifications").retrying(3, Duration.ofMillis(100));
    private static final Options COPY = Options.fullCopy().retrying(3, Duration.ofMillis(100));
    private static final long NOTICED_MS = TopicMonitor.INTERVAL.toMillis();

    static Stream<Options> bothModes() {
        return Stream.of(GROUP, COPY);
    }

    @Nested
    class WhatIsNotThere {
        static Stream<Options> bothModes() {
            return PresenceSubscriberTopicTest.bothModes();
        }

        @ParameterizedTest
        @MethodSource("bothModes")
        void shouldBeWaitedForWhenItIsTheTopic(Options options) {
            var context = new PresenceSubscriberContext(1, options);
            context.emitted(0, "alice", ONLINE, null, 1);
            context.lookupFails(new UnknownTopicOrPartitionException("test"));
            context.start();
            context.step();

            assertThat(context.subscriber().waitsFor()).contains("the topic presence, which does not exist");
            assertThat(context.subscriber().snapshotComplete()).isFalse();
            context.lookupFails(null);
            context.sleep(1_000);

            assertThat(context.subscriber().waitsFor()).isEmpty();
            assertThat(context.subscriber().snapshotComplete()).isTrue();
            context.expectHeard("SNAPSHOT alice ->ONLINE #1");
        }

        @ParameterizedTest
        @MethodSource("bothModes")
        void shouldBeWaitedForWhenItIsTheBrokers(Options options) {
            var context = new PresenceSubscriberContext(1, options);
            context.emitted(0, "alice", ONLINE, null, 1);
            context.lookupFails(new TimeoutException("no answer"));
            context.start();
            context.step();

            assertThat(context.subscriber().waitsFor()).get().asString().startsWith("the brokers");
            context.lookupFails(null);
            context.sleep(1_000);

            assertThat(context.subscriber().waitsFor()).isEmpty();
            context.expectHeard("SNAPSHOT alice ->ONLINE #1");
        }

        @Test
        void shouldNotPassForWhatWasReadWhenTheTopicIsDeleted() {
            var context = new PresenceSubscriberContext(1, COPY);
            context.start();
            context.settle();
            assertThat(context.subscriber().snapshotComplete()).isTrue();
            context.lookupFails(new UnknownTopicOrPartitionException("test"));
            context.sleep(NOTICED_MS);

            assertThat(context.subscriber().snapshotComplete()).isFalse();
            assertThat(context.subscriber().waitsFor()).isPresent();
        }

        @ParameterizedTest
        @MethodSource("bothModes")
        void shouldEndTheRunWhenTheTopicMayNotBeRead(Options options) {
            var context = new PresenceSubscriberContext(1, options);
            context.start();
            context.settle();
            context.lookupFails(new TopicAuthorizationException("presence"));
            context.passes(NOTICED_MS);

            assertThatExceptionOfType(TopicAuthorizationException.class).isThrownBy(context::run);
            assertThat(context.subscriber().failure()).get().isInstanceOf(TopicAuthorizationException.class);
            assertThat(context.isClosed()).isTrue();
        }
    }

    @Nested
    class APartitionThatIsAdded {
        @Test
        void shouldBeReadFromItsBeginningWhenAFullCopyRuns() {
            var context = new PresenceSubscriberContext(1, COPY);
            context.emitted(0, "alice", ONLINE, null, 1);
            context.start();
            context.settle();
            context.addPartition();
            context.emitted(1, "bob", ONLINE, null, 1);
            context.sleep(NOTICED_MS);

            context.expectHeard("SNAPSHOT alice ->ONLINE #1", "CHANGE bob ->ONLINE #1");
            assertThat(context.subscriber().progress()).containsOnlyKeys(0, 1);
            assertThat(context.subscriber().snapshotComplete()).isTrue();
        }

        @Test
        void shouldBeReadFromItsBeginningWhenThereIsNoSnapshot() {
            var context = new PresenceSubscriberContext(1, COPY.withoutSnapshot());
            context.emitted(0, "alice", ONLINE, null, 1);
            context.start();
            context.settle();
            context.addPartition();
            context.emitted(1, "bob", ONLINE, null, 1);
            context.sleep(NOTICED_MS);

            context.expectHeard("CHANGE bob ->ONLINE #1");
        }

        @Test
        void shouldLeaveTheSnapshotIncompleteUntilWhatItHeldIsDelivered() {
            var context = new PresenceSubscriberContext(1, COPY);
            context.start();
            context.settle();
            context.addPartition();
            context.emitted(1, "bob", ONLINE, null, 1);
            context.failNext(1);
            context.sleep(NOTICED_MS);
            assertThat(context.subscriber().snapshotComplete()).isFalse();

            context.sleep(100);
            assertThat(context.subscriber().snapshotComplete()).isTrue();
        }

        @ParameterizedTest
        @ValueSource(booleans = {true, false})
        void shouldBeReadFromItsBeginningWhenTheGroupWasStoppedMeanwhile(boolean snapshot) {
            var context = new PresenceSubscriberContext(2, snapshot ? GROUP : GROUP.withoutSnapshot());
            context.start();
            context.settle();
            context.stop();
            context.addPartition();
            context.emitted(2, "bob", ONLINE, null, 1);
            context.start();
            context.settle();

            context.expectHeard("CHANGE bob ->ONLINE #1");
            context.stop();
            context.emitted(2, "bob", IDLE, ONLINE, 2);
            context.start();
            context.settle();
            context.expectHeard(
                    snapshot
                            ? new String[] {"SNAPSHOT bob ->ONLINE #1", "CHANGE bob ONLINE>IDLE #2"}
                            : new String[] {"CHANGE bob ONLINE>IDLE #2 gap"});
        }

        @Test
        void shouldBeReadFromItsBeginningWhenTheGroupIsOfAnEarlierVersion() {
            var context = new PresenceSubscriberContext(2, GROUP);
            context.somebodyElseDealsWith(0);
            context.somebodyElseDealsWith(1);
            context.addPartition();
            context.emitted(2, "bob", ONLINE, null, 1);
            context.start();
            context.settle();

            context.expectHeard("CHANGE bob ->ONLINE #1");
        }

        @Test
        void shouldBeginWithASnapshotWhenTheGroupHasNotComeAroundToThePartition() {
            var context = new PresenceSubscriberContext(2, GROUP);
            context.start();
            context.assign(0);
            context.settle();
            context.emitted(1, "bob", ONLINE, null, 1);
            context.assign(0, 1);
            context.settle();

            context.expectHeard("SNAPSHOT bob ->ONLINE #1");
        }

        @ParameterizedTest
        @ValueSource(ints = {0, 1})
        void shouldNotBringBackWhatWasEmittedBeforeWhenTheUserIsOnAnotherOne(int old) {
            var context = new PresenceSubscriberContext(2, COPY);
            context.emitted(old, "alice", ONLINE, OFFLINE, 51, 51_000);
            context.emitted(1 - old, "alice", IDLE, null, 1, 60_000);
            context.start();
            context.settle();
            context.expectHeard("SNAPSHOT alice ->IDLE #1");

            context.emitted(1 - old, "alice", OFFLINE, IDLE, 2, 61_000);
            context.settle();
            context.expectHeard("CHANGE alice IDLE>OFFLINE #2");
        }

        @ParameterizedTest
        @ValueSource(ints = {0, 1})
        void shouldNotBringBackAUserWhenTheUserWasForgottenOnAnotherOne(int old) {
            var context = new PresenceSubscriberContext(2, COPY);
            context.emitted(old, "alice", ONLINE, OFFLINE, 51, 51_000);
            context.emitted(1 - old, "alice", OFFLINE, null, 1, 60_000);
            context.forgotten(1 - old, "alice", 70_000);
            context.start();
            context.settle();

            context.expectHeard();
        }

        @Test
        void shouldGoOnFromTheStateBeforeWhenAUserMovesToIt() {
            var context = new PresenceSubscriberContext(1, COPY);
            context.emitted(0, "alice", ONLINE, OFFLINE, 51);
            context.start();
            context.settle();
            context.addPartition();
            context.emitted(1, "alice", IDLE, ONLINE, 52);
            context.sleep(NOTICED_MS);

            context.expectHeard("SNAPSHOT alice ->ONLINE #51", "CHANGE alice ONLINE>IDLE #52");
        }
    }

    @Nested
    class ALogThatIsAnother {
        @Test
        void shouldBeReadFromItsBeginningWhenTheGroupWasBeyondItsEnd() {
            var context = new PresenceSubscriberContext(1, GROUP);
            context.emitted(0, "alice", ONLINE, null, 1);
            context.emitted(0, "alice", IDLE, ONLINE, 2);
            context.emitted(0, "alice", OFFLINE, IDLE, 3);
            context.start();
            context.settle();
            context.stop();
            context.expectHeard("SNAPSHOT alice ->OFFLINE #3");
            context.cut(0, 1);
            context.start();
            context.settle();
            context.expectHeard("SNAPSHOT alice ->ONLINE #1");
            assertThat(context.committed(0)).isEqualTo(1);

            context.emitted(0, "alice", IDLE, ONLINE, 2);
            context.settle();
            context.expectHeard("CHANGE alice ONLINE>IDLE #2");
            assertThat(context.subscriber().lag()).isZero();
        }

        @ParameterizedTest
        @ValueSource(booleans = {true, false})
        void shouldBeReadFromItsBeginningWhenItHasGrownBeyondWhereTheGroupWas(boolean snapshot) {
            var context = new PresenceSubscriberContext(1, snapshot ? GROUP : GROUP.withoutSnapshot());
            context.emitted(0, "alice", ONLINE, null, 1);
            context.start();
            context.settle();
            context.stop();
            context.expectHeard(snapshot ? new String[] {"SNAPSHOT alice ->ONLINE #1"} : new String[0]);
            context.createAgain(1);
            context.emitted(0, "bob", ONLINE, null, 1);
            context.emitted(0, "carol", ONLINE, null, 1);
            context.start();
            context.settle();

            String kind = snapshot ? "SNAPSHOT" : "CHANGE";
            context.expectHeard(kind + " bob ->ONLINE #1", kind + " carol ->ONLINE #1");
        }

        @ParameterizedTest
        @ValueSource(ints = {1, 3})
        void shouldBeReadFromItsBeginningWhenTheTopicIsCreatedAgainUnderAFullCopy(int records) {
            var context = new PresenceSubscriberContext(1, COPY);
            context.emitted(0, "alice", ONLINE, null, 1);
            context.emitted(0, "bob", ONLINE, null, 1);
            context.start();
            context.settle();
            context.expectHeard("SNAPSHOT alice ->ONLINE #1", "SNAPSHOT bob ->ONLINE #1");
            context.createAgain(1);
            for (int i = 1; i <= records; i++) {
                context.emitted(0, "bob", i % 2 == 1 ? IDLE : ONLINE, null, i, 9_000 + i);
            }
            context.sleep(NOTICED_MS);

            context.expectHeard("SNAPSHOT bob ->IDLE #" + records, "FORGOTTEN alice ONLINE>- #0 gap");
            assertThat(context.subscriber().snapshotComplete()).isTrue();
            assertThat(context.subscriber().lag()).isZero();
        }

        @Test
        void shouldTellOfThoseWhoVanishedWhenItHasFewerPartitions() {
            var context = new PresenceSubscriberContext(2, COPY);
            context.emitted(1, "alice", ONLINE, null, 1);
            context.start();
            context.settle();
            context.createAgain(1);
            context.sleep(NOTICED_MS);

            context.expectHeard("SNAPSHOT alice ->ONLINE #1", "FORGOTTEN alice ONLINE>- #0 gap");
            assertThat(context.subscriber().progress()).containsOnlyKeys(0);
        }

        @Test
        void shouldGiveOutWhatIsNewWhenTheTopicIsCreatedAgainAndThereIsNoSnapshot() {
            var context = new PresenceSubscriberContext(1, COPY.withoutSnapshot());
            context.start();
            context.settle();
            context.emitted(0, "alice", ONLINE, null, 1);
            context.emitted(0, "bob", ONLINE, null, 1);
            context.settle();
            context.createAgain(1);
            context.emitted(0, "bob", ONLINE, null, 1); // restored from a copy
            context.emitted(0, "alice", IDLE, ONLINE, 2);
            context.sleep(NOTICED_MS);

            context.expectHeard("CHANGE alice ->ONLINE #1", "CHANGE bob ->ONLINE #1", "CHANGE alice ONLINE>IDLE #2");
        }

        @ParameterizedTest
        @MethodSource("dev.rollcall.client.PresenceSubscriberTopicTest#bothModes")
        void shouldBeReadFromItsBeginningWhenItsEndIsCutOff(Options options) {
            var context = new PresenceSubscriberContext(1, options);
            context.emitted(0, "alice", ONLINE, null, 1);
            context.emitted(0, "alice", IDLE, ONLINE, 2);
            context.emitted(0, "alice", OFFLINE, IDLE, 3);
            context.start();
            context.settle();
            context.expectHeard("SNAPSHOT alice ->OFFLINE #3");
            context.cut(0, 1);
            context.settle();

            context.expectHeard("SNAPSHOT alice ->ONLINE #1");
            context.emitted(0, "alice", IDLE, ONLINE, 2);
            context.settle();
            context.expectHeard("CHANGE alice ONLINE>IDLE #2");
        }
    }

    @Nested
    class AnError {
        @Test
        void shouldEndTheRunForAllToSeeWhenTheListenerThrowsIt() {
            var context = new PresenceSubscriberContext(1, GROUP);
            context.start();
            context.settle();
            context.emitted(0, "alice", ONLINE, null, 1);
            context.settle();
            context.emitted(0, "bob", ONLINE, null, 1);
            context.failNext(new InternalError("test"));

            assertThatExceptionOfType(InternalError.class).isThrownBy(context::run);
            assertThat(context.subscriber().failure()).get().isInstanceOf(InternalError.class);
            assertThat(context.subscriber().snapshotComplete()).isFalse();
            assertThat(context.subscriber().progress()).isEmpty();
            assertThat(context.committed(0)).as("nothing is skipped").isEqualTo(1);
            assertThat(context.isClosed()).isTrue();
        }
    }
}
