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

/** A subscriber whose topic is missing, gets more partitions, is created again, or is truncated. */
@Timeout(60)
class PresenceSubscriberTopicTest {
    private static final Options GROUP = Options.inGroup("notifications").retrying(3, Duration.ofMillis(100));
    private static final Options COPY = Options.fullCopy().retrying(3, Duration.ofMillis(100));
    private static final long NOTICED_MS = TopicMonitor.INTERVAL.toMillis();

    static Stream<Options> bothModes() {
        return Stream.of(GROUP, COPY);
    }

    @Nested
    class WhatIsMissing {
        static Stream<Options> bothModes() {
            return PresenceSubscriberTopicTest.bothModes();
        }

        @ParameterizedTest
        @MethodSource("bothModes")
        void shouldBeWaitedForWhenTheTopicIsMissing(Options options) {
            var context = new PresenceSubscriberContext(1, options);
            context.publish("alice", ONLINE);
            context.lookupFails(new UnknownTopicOrPartitionException("test"));
            context.start();
            context.step();

            assertThat(context.subscriber().waitsFor()).contains("the topic presence, which does not exist");
            assertThat(context.subscriber().snapshotComplete()).isFalse();
            context.lookupFails(null);
            context.sleep(1_000);

            assertThat(context.subscriber().waitsFor()).isEmpty();
            assertThat(context.subscriber().snapshotComplete()).isTrue();
            context.expectDelivered("SNAPSHOT alice ->ONLINE #1");
        }

        @ParameterizedTest
        @MethodSource("bothModes")
        void shouldBeWaitedForWhenTheBrokersAreMissing(Options options) {
            var context = new PresenceSubscriberContext(1, options);
            context.publish("alice", ONLINE);
            context.lookupFails(new TimeoutException("no answer"));
            context.start();
            context.step();

            assertThat(context.subscriber().waitsFor()).get().asString().startsWith("the brokers");
            context.lookupFails(null);
            context.sleep(1_000);

            assertThat(context.subscriber().waitsFor()).isEmpty();
            context.expectDelivered("SNAPSHOT alice ->ONLINE #1");
        }

        @Test
        void shouldMakeTheSnapshotIncompleteWhenTheTopicIsDeleted() {
            var context = PresenceSubscriberContext.started(1, COPY);
            assertThat(context.subscriber().snapshotComplete()).isTrue();
            context.lookupFails(new UnknownTopicOrPartitionException("test"));
            context.sleep(NOTICED_MS);

            assertThat(context.subscriber().snapshotComplete()).isFalse();
            assertThat(context.subscriber().waitsFor()).isPresent();
        }

        @ParameterizedTest
        @MethodSource("bothModes")
        void shouldEndTheRunWhenTheTopicMayNotBeRead(Options options) {
            var context = PresenceSubscriberContext.started(1, options);
            context.lookupFails(new TopicAuthorizationException("presence"));
            context.advanceClock(NOTICED_MS);

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
            context.publish("alice", ONLINE);
            context.startAndPoll();
            context.addPartition();
            context.publish(1, "bob", ONLINE);
            context.sleep(NOTICED_MS);

            context.expectDelivered("SNAPSHOT alice ->ONLINE #1", "CHANGE bob ->ONLINE #1");
            assertThat(context.subscriber().progress()).containsOnlyKeys(0, 1);
            assertThat(context.subscriber().snapshotComplete()).isTrue();
        }

        @Test
        void shouldBeReadFromItsBeginningWhenThereIsNoSnapshot() {
            var context = new PresenceSubscriberContext(1, COPY.withoutSnapshot());
            context.publish("alice", ONLINE);
            context.startAndPoll();
            context.addPartition();
            context.publish(1, "bob", ONLINE);
            context.sleep(NOTICED_MS);

            context.expectDelivered("CHANGE bob ->ONLINE #1");
        }

        @Test
        void shouldLeaveTheSnapshotIncompleteUntilItsRecordsAreDelivered() {
            var context = PresenceSubscriberContext.started(1, COPY);
            context.addPartition();
            context.publish(1, "bob", ONLINE);
            context.failNext(1);
            context.sleep(NOTICED_MS);
            assertThat(context.subscriber().snapshotComplete()).isFalse();

            context.sleep(100);
            assertThat(context.subscriber().snapshotComplete()).isTrue();
        }

        @ParameterizedTest
        @ValueSource(booleans = {true, false})
        void shouldBeReadFromItsBeginningWhenTheGroupWasStoppedMeanwhile(boolean snapshot) {
            var context = PresenceSubscriberContext.started(2, snapshot ? GROUP : GROUP.withoutSnapshot());
            context.stop();
            context.addPartition();
            context.publish(2, "bob", ONLINE);
            context.startAndPoll();

            context.expectDelivered("CHANGE bob ->ONLINE #1");
            context.stop();
            context.publish(2, "bob", IDLE);
            context.startAndPoll();
            context.expectDelivered(
                    snapshot
                            ? new String[] {"SNAPSHOT bob ->ONLINE #1", "CHANGE bob ONLINE>IDLE #2"}
                            : new String[] {"CHANGE bob ONLINE>IDLE #2 gap"});
        }

        @Test
        void shouldBeReadFromItsBeginningWhenTheGroupIsOfAnEarlierVersion() {
            var context = new PresenceSubscriberContext(2, GROUP);
            context.commitByAnotherMember(0);
            context.commitByAnotherMember(1);
            context.addPartition();
            context.publish(2, "bob", ONLINE);
            context.startAndPoll();

            context.expectDelivered("CHANGE bob ->ONLINE #1");
        }

        @Test
        void shouldStartWithASnapshotWhenTheGroupHasNotCommittedThePartition() {
            var context = new PresenceSubscriberContext(2, GROUP);
            context.start();
            context.assign(0);
            context.poll();
            context.publish(1, "bob", ONLINE);
            context.assign(0, 1);
            context.poll();

            context.expectDelivered("SNAPSHOT bob ->ONLINE #1");
        }

        @ParameterizedTest
        @ValueSource(ints = {0, 1})
        void shouldNotDeliverTheEarlierRecordWhenTheUserIsOnAnotherOne(int old) {
            var context = new PresenceSubscriberContext(2, COPY);
            context.publish(old, "alice", ONLINE, OFFLINE, 51, 51_000);
            context.publish(1 - old, "alice", IDLE, null, 1, 60_000);
            context.startAndPoll();
            context.expectDelivered("SNAPSHOT alice ->IDLE #1");

            context.publish(1 - old, "alice", OFFLINE, IDLE, 2, 61_000);
            context.poll();
            context.expectDelivered("CHANGE alice IDLE>OFFLINE #2");
        }

        @ParameterizedTest
        @ValueSource(ints = {0, 1})
        void shouldNotBringBackAUserWhenTheUserWasForgottenOnAnotherOne(int old) {
            var context = new PresenceSubscriberContext(2, COPY);
            context.publish(old, "alice", ONLINE, OFFLINE, 51, 51_000);
            context.publish(1 - old, "alice", OFFLINE, null, 1, 60_000);
            context.forgotten(1 - old, "alice", 70_000);
            context.startAndPoll();

            context.expectDelivered();
        }

        @Test
        void shouldContinueFromTheStateBeforeWhenAUserMovesToIt() {
            var context = new PresenceSubscriberContext(1, COPY);
            context.publish(0, "alice", ONLINE, OFFLINE, 51);
            context.startAndPoll();
            context.addPartition();
            context.publish(1, "alice", IDLE);
            context.sleep(NOTICED_MS);

            context.expectDelivered("SNAPSHOT alice ->ONLINE #51", "CHANGE alice ONLINE>IDLE #52");
        }
    }

    @Nested
    class AReplacedLog {
        @Test
        void shouldBeReadFromItsBeginningWhenTheGroupsOffsetIsBeyondItsEnd() {
            var context = new PresenceSubscriberContext(1, GROUP);
            context.publish("alice", ONLINE, IDLE, OFFLINE);
            context.startAndPoll();
            context.stop();
            context.expectDelivered("SNAPSHOT alice ->OFFLINE #3");
            context.truncate(0, 1);
            context.startAndPoll();
            context.expectDelivered("SNAPSHOT alice ->ONLINE #1");
            assertThat(context.committed(0)).isEqualTo(1);

            context.publish(0, "alice", IDLE, ONLINE, 2);
            context.poll();
            context.expectDelivered("CHANGE alice ONLINE>IDLE #2");
            assertThat(context.subscriber().lag()).isZero();
        }

        @ParameterizedTest
        @ValueSource(booleans = {true, false})
        void shouldBeReadFromItsBeginningWhenItHasGrownBeyondTheGroupsOffset(boolean snapshot) {
            var context = new PresenceSubscriberContext(1, snapshot ? GROUP : GROUP.withoutSnapshot());
            context.publish("alice", ONLINE);
            context.startAndPoll();
            context.stop();
            context.expectDelivered(snapshot ? new String[] {"SNAPSHOT alice ->ONLINE #1"} : new String[0]);
            context.recreateTopic(1);
            context.publish("bob", ONLINE);
            context.publish("carol", ONLINE);
            context.startAndPoll();

            String kind = snapshot ? "SNAPSHOT" : "CHANGE";
            context.expectDelivered(kind + " bob ->ONLINE #1", kind + " carol ->ONLINE #1");
        }

        @ParameterizedTest
        @ValueSource(ints = {1, 3})
        void shouldBeReadFromItsBeginningWhenTheTopicIsCreatedAgainUnderAFullCopy(int records) {
            var context = new PresenceSubscriberContext(1, COPY);
            context.publish("alice", ONLINE);
            context.publish("bob", ONLINE);
            context.startAndPoll();
            context.expectDelivered("SNAPSHOT alice ->ONLINE #1", "SNAPSHOT bob ->ONLINE #1");
            context.recreateTopic(1);
            for (int i = 1; i <= records; i++) {
                context.publish(0, "bob", i % 2 == 1 ? IDLE : ONLINE, null, i, 9_000 + i);
            }
            context.sleep(NOTICED_MS);

            context.expectDelivered("SNAPSHOT bob ->IDLE #" + records, "FORGOTTEN alice ONLINE>- #0 gap");
            assertThat(context.subscriber().snapshotComplete()).isTrue();
            assertThat(context.subscriber().lag()).isZero();
        }

        @Test
        void shouldDeliverRemovedUsersAsForgottenWhenItHasFewerPartitions() {
            var context = new PresenceSubscriberContext(2, COPY);
            context.publish(1, "alice", ONLINE);
            context.startAndPoll();
            context.recreateTopic(1);
            context.sleep(NOTICED_MS);

            context.expectDelivered("SNAPSHOT alice ->ONLINE #1", "FORGOTTEN alice ONLINE>- #0 gap");
            assertThat(context.subscriber().progress()).containsOnlyKeys(0);
        }

        @Test
        void shouldDeliverWhatIsNewWhenTheTopicIsCreatedAgainAndThereIsNoSnapshot() {
            var context = PresenceSubscriberContext.started(1, COPY.withoutSnapshot());
            context.publish("alice", ONLINE);
            context.publish("bob", ONLINE);
            context.poll();
            context.recreateTopic(1);
            context.publish("bob", ONLINE); // restored from a copy
            context.publish(0, "alice", IDLE, ONLINE, 2);
            context.sleep(NOTICED_MS);

            context.expectDelivered(
                    "CHANGE alice ->ONLINE #1", "CHANGE bob ->ONLINE #1", "CHANGE alice ONLINE>IDLE #2");
        }

        @ParameterizedTest
        @MethodSource("dev.rollcall.client.PresenceSubscriberTopicTest#bothModes")
        void shouldBeReadFromItsBeginningWhenItsEndIsCutOff(Options options) {
            var context = new PresenceSubscriberContext(1, options);
            context.publish("alice", ONLINE, IDLE, OFFLINE);
            context.startAndPoll();
            context.expectDelivered("SNAPSHOT alice ->OFFLINE #3");
            context.truncate(0, 1);
            context.poll();

            context.expectDelivered("SNAPSHOT alice ->ONLINE #1");
            context.publish(0, "alice", IDLE, ONLINE, 2);
            context.poll();
            context.expectDelivered("CHANGE alice ONLINE>IDLE #2");
        }
    }

    @Nested
    class AnError {
        @Test
        void shouldEndTheRunAndBeReportedWhenTheListenerThrowsIt() {
            var context = PresenceSubscriberContext.started(1, GROUP);
            context.publish("alice", ONLINE);
            context.poll();
            context.publish("bob", ONLINE);
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
