package dev.rollcall.client;

import static dev.rollcall.domain.PresenceState.IDLE;
import static dev.rollcall.domain.PresenceState.OFFLINE;
import static dev.rollcall.domain.PresenceState.ONLINE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.client.PresenceSubscriber.Options;
import dev.rollcall.client.PresenceSubscriber.Totals;
import dev.rollcall.domain.PresenceState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class PresenceSubscriberTest {
    private static final Options GROUP = Options.inGroup("notifications").retrying(3, Duration.ofMillis(100));
    private static final Options COPY = Options.fullCopy().retrying(3, Duration.ofMillis(100));

    @Nested
    class TheSnapshot {
        @Test
        void shouldHaveEachUsersLastRecordWhenAFullCopyStarts() {
            var context = new PresenceSubscriberContext(2, COPY);
            context.publish("alice", ONLINE);
            context.publish("bob", IDLE);
            context.publish("alice", OFFLINE);
            context.publish("carol", ONLINE);
            context.forgotten(0, "carol", 9000);
            context.publish(1, "dave", ONLINE);

            context.start();
            assertThat(context.subscriber().snapshotComplete()).isFalse();
            assertThat(context.subscriber().lag()).isEqualTo(6);
            context.poll();

            context.expectDelivered(
                    "SNAPSHOT bob ->IDLE #1", "SNAPSHOT alice ->OFFLINE #2", "SNAPSHOT dave ->ONLINE #1");
            assertThat(context.subscriber().snapshotComplete()).isTrue();
            assertThat(context.subscriber().lag()).isZero();
        }

        @Test
        void shouldBeFollowedByChangesWhenRecordsArePublishedAfterTheStart() {
            var context = new PresenceSubscriberContext(1, COPY);
            context.publish("alice", ONLINE);
            context.start();
            context.publish("alice", IDLE); // polled together with the records of the snapshot
            context.publish("bob", ONLINE);
            context.poll();

            context.expectDelivered(
                    "SNAPSHOT alice ->ONLINE #1", "CHANGE alice ONLINE>IDLE #2", "CHANGE bob ->ONLINE #1");
        }

        @Test
        void shouldBeCompleteWhenTheLogEndsWithATransactionMarker() {
            var context = new PresenceSubscriberContext(1, COPY);
            context.publish("alice", ONLINE);
            context.endWithTransactionMarker();
            context.startAndPoll();

            context.expectDelivered("SNAPSHOT alice ->ONLINE #1");
            assertThat(context.subscriber().snapshotComplete()).isTrue();
            assertThat(context.subscriber().lag()).isZero();
        }

        @Test
        void shouldBeCompleteAtOnceWhenTheTopicIsEmpty() {
            var context = PresenceSubscriberContext.started(1, COPY);

            assertThat(context.subscriber().snapshotComplete()).isTrue();
            context.publish("alice", ONLINE);
            context.poll();
            context.expectDelivered("CHANGE alice ->ONLINE #1");
        }

        @Test
        void shouldNotBeCompleteWhileTheListenerStillHasToGetSomeOfIt() {
            var context = new PresenceSubscriberContext(2, COPY);
            context.publish("alice", ONLINE);
            context.publish(1, "bob", ONLINE);
            context.failNext(1);
            context.startAndPoll();
            assertThat(context.subscriber().snapshotComplete()).isFalse();

            context.sleep(100);

            assertThat(context.subscriber().snapshotComplete()).isTrue();
            assertThat(context.subscriber().progress()).hasSize(2);
        }

        @Test
        void shouldNotBeDeliveredWhenItIsNotWanted() {
            var context = new PresenceSubscriberContext(1, COPY.withoutSnapshot());
            context.publish("alice", ONLINE);
            context.startAndPoll();
            context.publish("alice", IDLE, OFFLINE);
            context.publish("bob", ONLINE);
            context.poll();

            context.expectDelivered(
                    "CHANGE alice ONLINE>IDLE #2 gap", "CHANGE alice IDLE>OFFLINE #3", "CHANGE bob ->ONLINE #1");
        }
    }

    @Nested
    class AChange {
        @Test
        void shouldHaveAGapWhenCompactionRemovedRecords() {
            var context = new PresenceSubscriberContext(1, COPY);
            context.publish("alice", ONLINE);
            context.startAndPoll();
            context.publish("alice", IDLE, ONLINE, OFFLINE);
            context.compact(0, 4);
            context.publish("alice", ONLINE);
            context.poll();

            context.expectDelivered(
                    "SNAPSHOT alice ->ONLINE #1",
                    "CHANGE alice ONLINE>OFFLINE #4 gap",
                    "CHANGE alice OFFLINE>ONLINE #5");
        }

        @Test
        void shouldLeaveNoLagWhenATransactionMarkerComesAfterIt() {
            var context = PresenceSubscriberContext.started(1, GROUP);
            context.publish("alice", ONLINE);
            context.endWithTransactionMarker();
            context.poll();
            assertThat(context.subscriber().lag()).isZero();
            context.stop();

            assertThat(context.committed(0)).isEqualTo(2); // so that the group has no lag
        }

        @Test
        void shouldBeDeliveredOnceWhenItWasWrittenTwice() {
            var context = new PresenceSubscriberContext(1, COPY);
            context.start();
            context.publish("alice", ONLINE, IDLE);
            context.publish(0, "alice", ONLINE, null, 1); // the same two again, then a third
            context.publish("alice", IDLE, OFFLINE);
            context.poll();

            context.expectDelivered(
                    "CHANGE alice ->ONLINE #1", "CHANGE alice ONLINE>IDLE #2", "CHANGE alice IDLE>OFFLINE #3");
            assertThat(context.subscriber().totals()).isEqualTo(new Totals(3, 0, 0, 2));
        }

        @Test
        void shouldStartAgainAtOneWhenTheUserWasForgotten() {
            var context = new PresenceSubscriberContext(1, COPY);
            context.publish("alice", ONLINE, OFFLINE);
            context.startAndPoll();
            context.forgotten(0, "alice", 5000);
            context.publish(0, "alice", ONLINE, null, 1, 6000);
            context.poll();

            context.expectDelivered(
                    "SNAPSHOT alice ->OFFLINE #2", "FORGOTTEN alice OFFLINE>- #0", "CHANGE alice ->ONLINE #1");
        }

        @Test
        void shouldBeNoDuplicateWhenCompactionRemovedTheTombstone() {
            var context = new PresenceSubscriberContext(1, COPY);
            context.publish(0, "alice", ONLINE, null, 7);
            context.startAndPoll();
            context.publish(
                    0, "alice", IDLE, ONLINE, 2, 9000); // forgotten and back: the first records are compacted away
            context.poll();

            context.expectDelivered("SNAPSHOT alice ->ONLINE #7", "CHANGE alice ONLINE>IDLE #2 gap");
        }

        @Test
        void shouldComeInOrderPerUserWhateverTheOrderOfReading() {
            long seed = System.nanoTime();
            Random random = new Random(seed);
            var context = new PresenceSubscriberContext(3, GROUP);
            Map<String, Integer> sequences = new HashMap<>();
            List<String> expected = new ArrayList<>();
            context.startAndPoll();
            for (int i = 0; i < 300; i++) {
                String user = "user" + random.nextInt(9);
                int sequence = sequences.merge(user, 1, Integer::sum);
                PresenceState before = sequence == 1 ? null : sequence % 2 == 0 ? ONLINE : OFFLINE;
                PresenceState after = sequence % 2 == 0 ? OFFLINE : ONLINE;
                context.publish(user.charAt(4) % 3, user, after, before, sequence);
                expected.add("CHANGE %s %s>%s #%d".formatted(user, before == null ? "-" : before, after, sequence));
                switch (random.nextInt(12)) {
                    case 0 -> context.poll();
                    case 1 -> {
                        context.assign(random.nextInt(3));
                        context.poll();
                        context.assign(0, 1, 2);
                    }
                    case 2 -> {
                        context.lose(random.nextInt(3));
                        context.assign(0, 1, 2);
                        context.poll(); // a stop before that would be a crash, after which changes are repeated
                    }
                    case 3 -> {
                        context.failNext(1);
                        context.poll();
                        context.sleep(100);
                    }
                    case 4 -> {
                        context.stop();
                        context.start();
                    }
                    default -> {}
                }
            }
            context.assign(0, 1, 2);
            context.sleep(1000);

            List<String> changes = context.accepted().stream()
                    .filter(change -> change.startsWith("CHANGE")) // a snapshot comes with each assigned partition
                    .toList();
            for (String user : sequences.keySet()) {
                assertThat(changes.stream().filter(change -> change.contains(user)))
                        .as("%s, seed %d", user, seed)
                        .containsExactlyElementsOf(expected.stream()
                                .filter(change -> change.contains(user))
                                .toList());
            }
        }
    }

    @Nested
    class AGroup {
        @Test
        void shouldResumeAtItsCommittedOffsetWhenItWasStopped() {
            var context = new PresenceSubscriberContext(1, GROUP);
            context.publish("alice", ONLINE);
            context.publish("bob", ONLINE);
            context.startAndPoll();
            context.publish("alice", IDLE);
            context.poll();
            context.expectDelivered(
                    "SNAPSHOT alice ->ONLINE #1", "SNAPSHOT bob ->ONLINE #1", "CHANGE alice ONLINE>IDLE #2");
            context.stop();
            context.publish("alice", OFFLINE);

            context.startAndPoll();

            context.expectDelivered(
                    "SNAPSHOT bob ->ONLINE #1", "SNAPSHOT alice ->IDLE #2", "CHANGE alice IDLE>OFFLINE #3");
        }

        @Test
        void shouldResumeAtItsStartWhenItDiesBeforeItsFirstChange() {
            var context = new PresenceSubscriberContext(1, GROUP.withoutSnapshot());
            context.publish("alice", ONLINE);
            context.startAndPoll();
            context.publish("alice", IDLE); // no process is running

            context.startAndPoll();

            context.expectDelivered("CHANGE alice ONLINE>IDLE #2 gap");
        }

        @Test
        void shouldRepeatTheLastChangesInOrderWhenItDiedBeforeTheCommit() {
            var context = PresenceSubscriberContext.started(1, GROUP);
            context.publish("alice", ONLINE);
            context.sleep(1000);
            context.publish("alice", IDLE, OFFLINE);
            context.poll();
            context.expectDelivered(
                    "CHANGE alice ->ONLINE #1", "CHANGE alice ONLINE>IDLE #2", "CHANGE alice IDLE>OFFLINE #3");
            assertThat(context.committed(0)).isEqualTo(1);

            context.startAndPoll();

            context.expectDelivered(
                    "SNAPSHOT alice ->ONLINE #1", "CHANGE alice ONLINE>IDLE #2", "CHANGE alice IDLE>OFFLINE #3");
        }

        @Test
        void shouldHaveAGapWhenCompactionRemovedRecordsMeanwhile() {
            var context = new PresenceSubscriberContext(1, GROUP);
            context.publish("alice", ONLINE);
            context.publish("bob", ONLINE);
            context.startAndPoll();
            context.stop();
            context.publish("alice", IDLE, OFFLINE);
            context.compact(0, 4);
            context.publish("bob", IDLE);

            context.expectDelivered("SNAPSHOT alice ->ONLINE #1", "SNAPSHOT bob ->ONLINE #1");
            context.startAndPoll();

            context.expectDelivered(
                    "SNAPSHOT bob ->ONLINE #1", "CHANGE alice IDLE>OFFLINE #3 gap", "CHANGE bob ONLINE>IDLE #2");
        }

        @Test
        void shouldCommitWhatWasDeliveredWhenAPartitionIsRevoked() {
            var context = PresenceSubscriberContext.started(2, GROUP);
            context.publish("alice", ONLINE);
            context.poll();
            context.assign(1);

            assertThat(context.committed(0)).isEqualTo(1);
            assertThat(context.subscriber().progress()).hasSize(2);
            context.poll();
            assertThat(context.subscriber().progress()).containsOnlyKeys(1);
        }

        @Test
        void shouldNotDeliverAgainWhenAPartitionIsLostAndComesBack() {
            var context = PresenceSubscriberContext.started(1, GROUP);
            context.publish("alice", ONLINE);
            context.poll();
            context.lose(0);
            assertThat(context.committed(0)).isZero();
            context.assign(0);
            context.publish("alice", IDLE);
            context.poll();

            context.expectDelivered(
                    "CHANGE alice ->ONLINE #1", "SNAPSHOT alice ->ONLINE #1", "CHANGE alice ONLINE>IDLE #2");
        }

        @Test
        void shouldNotDeliverAgainWhenTheCommitIsRefusedAndThePartitionComesBack() {
            var context = PresenceSubscriberContext.started(2, GROUP.withoutSnapshot());
            context.publish("alice", ONLINE);
            context.poll();
            context.failCommits(true);
            context.assign(1);
            context.failCommits(false);
            context.assign(0, 1);
            context.poll();

            context.expectDelivered("CHANGE alice ->ONLINE #1");
        }

        @Test
        void shouldSkipWhatAnotherMemberDeliveredWhenAPartitionComesBack() {
            var context = PresenceSubscriberContext.started(2, GROUP);
            context.publish("alice", ONLINE);
            context.poll();
            context.assign(1);
            context.publish("alice", IDLE);
            context.commitByAnotherMember(0);
            context.assign(0, 1);
            context.publish("alice", OFFLINE);
            context.poll();

            context.expectDelivered(
                    "CHANGE alice ->ONLINE #1", "SNAPSHOT alice ->IDLE #2", "CHANGE alice IDLE>OFFLINE #3");
        }

        @Test
        void shouldDropTheRetryWhenThePartitionIsRevoked() {
            var context = PresenceSubscriberContext.started(2, GROUP);
            context.publish("alice", ONLINE);
            context.failNext(1);
            context.poll();
            context.assign(1);
            context.sleep(100);

            context.expectDelivered("CHANGE alice ->ONLINE #1");
            assertThat(context.committed(0)).isZero();
            context.assign(0, 1);
            context.poll();
            context.expectDelivered("CHANGE alice ->ONLINE #1");
        }
    }
}
