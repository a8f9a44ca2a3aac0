package dev.rollcall.client;

import static dev.rollcall.domain.PresenceState.IDLE;
import static dev.rollcall.domain.PresenceState.OFFLINE;
import static dev.rollcall.domain.PresenceState.ONLINE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.rollcall.client.PresenceSubscriber.Options;
import dev.rollcall.client.PresenceSubscriber.Parked;
import dev.rollcall.client.PresenceSubscriber.Totals;
import dev.rollcall.domain.PresenceState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.kafka.common.errors.InterruptException;
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
        void shouldSayTheLastWordOnEachUserOnceWhenAFullCopyStarts() {
            var context = new PresenceSubscriberContext(2, COPY);
            context.emitted(0, "alice", ONLINE, null, 1);
            context.emitted(0, "bob", IDLE, null, 1);
            context.emitted(0, "alice", OFFLINE, ONLINE, 2);
            context.emitted(0, "carol", ONLINE, null, 1);
            context.forgotten(0, "carol", 9000);
            context.emitted(1, "dave", ONLINE, null, 1);

            context.start();
            assertThat(context.subscriber().snapshotComplete()).isFalse();
            assertThat(context.subscriber().lag()).isEqualTo(6);
            context.settle();

            context.expectHeard("SNAPSHOT bob ->IDLE #1", "SNAPSHOT alice ->OFFLINE #2", "SNAPSHOT dave ->ONLINE #1");
            assertThat(context.subscriber().snapshotComplete()).isTrue();
            assertThat(context.subscriber().lag()).isZero();
        }

        @Test
        void shouldBeFollowedByChangesWhenSomethingWasEmittedAfterTheStart() {
            var context = new PresenceSubscriberContext(1, COPY);
            context.emitted(0, "alice", ONLINE, null, 1);
            context.start();
            context.emitted(0, "alice", IDLE, ONLINE, 2); // read together with what the snapshot is made of
            context.emitted(0, "bob", ONLINE, null, 1);
            context.settle();

            context.expectHeard("SNAPSHOT alice ->ONLINE #1", "CHANGE alice ONLINE>IDLE #2", "CHANGE bob ->ONLINE #1");
        }

        @Test
        void shouldBeCompleteWhenTheLogEndsWithATransactionMarker() {
            var context = new PresenceSubscriberContext(1, COPY);
            context.emitted(0, "alice", ONLINE, null, 1);
            context.endWithAMarker();
            context.start();
            context.settle();

            context.expectHeard("SNAPSHOT alice ->ONLINE #1");
            assertThat(context.subscriber().snapshotComplete()).isTrue();
            assertThat(context.subscriber().lag()).isZero();
        }

        @Test
        void shouldBeCompleteAtOnceWhenNothingWasEverEmitted() {
            var context = new PresenceSubscriberContext(1, COPY);
            context.start();
            context.settle();

            assertThat(context.subscriber().snapshotComplete()).isTrue();
            context.emitted(0, "alice", ONLINE, null, 1);
            context.settle();
            context.expectHeard("CHANGE alice ->ONLINE #1");
        }

        @Test
        void shouldNotBeCompleteWhileTheListenerStillHasToGetSomeOfIt() {
            var context = new PresenceSubscriberContext(2, COPY);
            context.emitted(0, "alice", ONLINE, null, 1);
            context.emitted(1, "bob", ONLINE, null, 1);
            context.failNext(1);
            context.start();
            context.settle();
            assertThat(context.subscriber().snapshotComplete()).isFalse();

            context.sleep(100);

            assertThat(context.subscriber().snapshotComplete()).isTrue();
            assertThat(context.subscriber().progress()).hasSize(2);
        }

        @Test
        void shouldNotBeEmittedWhenItIsNotWanted() {
            var context = new PresenceSubscriberContext(1, COPY.withoutSnapshot());
            context.emitted(0, "alice", ONLINE, null, 1);
            context.start();
            context.settle();
            context.emitted(0, "alice", IDLE, ONLINE, 2);
            context.emitted(0, "alice", OFFLINE, IDLE, 3);
            context.emitted(0, "bob", ONLINE, null, 1);
            context.settle();

            context.expectHeard(
                    "CHANGE alice ONLINE>IDLE #2 gap", "CHANGE alice IDLE>OFFLINE #3", "CHANGE bob ->ONLINE #1");
        }
    }

    @Nested
    class AChange {
        @Test
        void shouldSayThatThereIsAGapWhenCompactionTookRecordsAway() {
            var context = new PresenceSubscriberContext(1, COPY);
            context.emitted(0, "alice", ONLINE, null, 1);
            context.start();
            context.settle();
            context.emitted(0, "alice", IDLE, ONLINE, 2);
            context.emitted(0, "alice", ONLINE, IDLE, 3);
            context.emitted(0, "alice", OFFLINE, ONLINE, 4);
            context.compact(0, 4);
            context.emitted(0, "alice", ONLINE, OFFLINE, 5);
            context.settle();

            context.expectHeard(
                    "SNAPSHOT alice ->ONLINE #1",
                    "CHANGE alice ONLINE>OFFLINE #4 gap",
                    "CHANGE alice OFFLINE>ONLINE #5");
        }

        @Test
        void shouldLeaveNothingToDoWhenATransactionMarkerComesAfterIt() {
            var context = new PresenceSubscriberContext(1, GROUP);
            context.start();
            context.settle();
            context.emitted(0, "alice", ONLINE, null, 1);
            context.endWithAMarker();
            context.settle();
            assertThat(context.subscriber().lag()).isZero();
            context.stop();

            assertThat(context.committed(0)).isEqualTo(2); // so that the group's lag is none, either
        }

        @Test
        void shouldBeDeliveredOnceWhenItWasWrittenTwice() {
            var context = new PresenceSubscriberContext(1, COPY);
            context.start();
            context.emitted(0, "alice", ONLINE, null, 1);
            context.emitted(0, "alice", IDLE, ONLINE, 2);
            context.emitted(0, "alice", ONLINE, null, 1);
            context.emitted(0, "alice", IDLE, ONLINE, 2);
            context.emitted(0, "alice", OFFLINE, IDLE, 3);
            context.settle();

            context.expectHeard(
                    "CHANGE alice ->ONLINE #1", "CHANGE alice ONLINE>IDLE #2", "CHANGE alice IDLE>OFFLINE #3");
            assertThat(context.subscriber().totals()).isEqualTo(new Totals(3, 0, 0, 2));
        }

        @Test
        void shouldStartAgainAtOneWhenTheUserWasForgotten() {
            var context = new PresenceSubscriberContext(1, COPY);
            context.emitted(0, "alice", ONLINE, null, 1);
            context.emitted(0, "alice", OFFLINE, ONLINE, 2);
            context.start();
            context.settle();
            context.forgotten(0, "alice", 5000);
            context.emitted(0, "alice", ONLINE, null, 1, 6000);
            context.settle();

            context.expectHeard(
                    "SNAPSHOT alice ->OFFLINE #2", "FORGOTTEN alice OFFLINE>- #0", "CHANGE alice ->ONLINE #1");
        }

        @Test
        void shouldNotBeTakenForADuplicateWhenCompactionTookTheTombstoneAway() {
            var context = new PresenceSubscriberContext(1, COPY);
            context.emitted(0, "alice", ONLINE, null, 7);
            context.start();
            context.settle();
            context.emitted(0, "alice", IDLE, ONLINE, 2, 9000); // a new life: its beginning is compacted away
            context.settle();

            context.expectHeard("SNAPSHOT alice ->ONLINE #7", "CHANGE alice ONLINE>IDLE #2 gap");
        }

        @Test
        void shouldComeInOrderPerUserWhateverTheOrderOfReading() {
            long seed = System.nanoTime();
            Random random = new Random(seed);
            var context = new PresenceSubscriberContext(3, GROUP);
            Map<String, Integer> sequences = new HashMap<>();
            List<String> expected = new ArrayList<>();
            context.start();
            context.settle();
            for (int i = 0; i < 300; i++) {
                String user = "user" + random.nextInt(9);
                int sequence = sequences.merge(user, 1, Integer::sum);
                PresenceState before = sequence == 1 ? null : sequence % 2 == 0 ? ONLINE : OFFLINE;
                PresenceState after = sequence % 2 == 0 ? OFFLINE : ONLINE;
                context.emitted(user.charAt(4) % 3, user, after, before, sequence);
                expected.add("CHANGE %s %s>%s #%d".formatted(user, before == null ? "-" : before, after, sequence));
                switch (random.nextInt(12)) {
                    case 0 -> context.settle();
                    case 1 -> {
                        context.assign(random.nextInt(3));
                        context.settle();
                        context.assign(0, 1, 2);
                    }
                    case 2 -> {
                        context.lose(random.nextInt(3));
                        context.assign(0, 1, 2);
                        context.settle(); // a stop before that would be a death, and those do repeat
                    }
                    case 3 -> {
                        context.failNext(1);
                        context.settle();
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

            List<String> changes = context.taken().stream()
                    .filter(change -> change.startsWith("CHANGE")) // a snapshot comes with each partition that is taken
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
        void shouldGoOnWhereItHadComeToWhenItWasStopped() {
            var context = new PresenceSubscriberContext(1, GROUP);
            context.emitted(0, "alice", ONLINE, null, 1);
            context.emitted(0, "bob", ONLINE, null, 1);
            context.start();
            context.settle();
            context.emitted(0, "alice", IDLE, ONLINE, 2);
            context.settle();
            context.expectHeard(
                    "SNAPSHOT alice ->ONLINE #1", "SNAPSHOT bob ->ONLINE #1", "CHANGE alice ONLINE>IDLE #2");
            context.stop();
            context.emitted(0, "alice", OFFLINE, IDLE, 3);

            context.start();
            context.settle();

            context.expectHeard("SNAPSHOT bob ->ONLINE #1", "SNAPSHOT alice ->IDLE #2", "CHANGE alice IDLE>OFFLINE #3");
        }

        @Test
        void shouldBeginWithTheGroupWhenItDiesBeforeItsFirstChange() {
            var context = new PresenceSubscriberContext(1, GROUP.withoutSnapshot());
            context.emitted(0, "alice", ONLINE, null, 1);
            context.start();
            context.settle();
            context.emitted(0, "alice", IDLE, ONLINE, 2); // nobody is there

            context.start();
            context.settle();

            context.expectHeard("CHANGE alice ONLINE>IDLE #2 gap");
        }

        @Test
        void shouldGetTheLastOnesAgainInOrderWhenItDiedBeforeTheyWereCommitted() {
            var context = new PresenceSubscriberContext(1, GROUP);
            context.start();
            context.settle();
            context.emitted(0, "alice", ONLINE, null, 1);
            context.sleep(1000);
            context.emitted(0, "alice", IDLE, ONLINE, 2);
            context.emitted(0, "alice", OFFLINE, IDLE, 3);
            context.settle();
            context.expectHeard(
                    "CHANGE alice ->ONLINE #1", "CHANGE alice ONLINE>IDLE #2", "CHANGE alice IDLE>OFFLINE #3");
            assertThat(context.committed(0)).isEqualTo(1);

            context.start();
            context.settle();

            context.expectHeard(
                    "SNAPSHOT alice ->ONLINE #1", "CHANGE alice ONLINE>IDLE #2", "CHANGE alice IDLE>OFFLINE #3");
        }

        @Test
        void shouldSayThatThereIsAGapWhenCompactionTookRecordsAwayMeanwhile() {
            var context = new PresenceSubscriberContext(1, GROUP);
            context.emitted(0, "alice", ONLINE, null, 1);
            context.emitted(0, "bob", ONLINE, null, 1);
            context.start();
            context.settle();
            context.stop();
            context.emitted(0, "alice", IDLE, ONLINE, 2);
            context.emitted(0, "alice", OFFLINE, IDLE, 3);
            context.compact(0, 4);
            context.emitted(0, "bob", IDLE, ONLINE, 2);

            context.expectHeard("SNAPSHOT alice ->ONLINE #1", "SNAPSHOT bob ->ONLINE #1");
            context.start();
            context.settle();

            context.expectHeard(
                    "SNAPSHOT bob ->ONLINE #1", "CHANGE alice IDLE>OFFLINE #3 gap", "CHANGE bob ONLINE>IDLE #2");
        }

        @Test
        void shouldCommitWhatTheListenerHasWhenAPartitionIsTakenAway() {
            var context = new PresenceSubscriberContext(2, GROUP);
            context.start();
            context.settle();
            context.emitted(0, "alice", ONLINE, null, 1);
            context.settle();
            context.assign(1);

            assertThat(context.committed(0)).isEqualTo(1);
            assertThat(context.subscriber().progress()).hasSize(2);
            context.settle();
            assertThat(context.subscriber().progress()).containsOnlyKeys(1);
        }

        @Test
        void shouldNotDeliverAgainWhenAPartitionIsLostAndComesBack() {
            var context = new PresenceSubscriberContext(1, GROUP);
            context.start();
            context.settle();
            context.emitted(0, "alice", ONLINE, null, 1);
            context.settle();
            context.lose(0);
            assertThat(context.committed(0)).isZero();
            context.assign(0);
            context.emitted(0, "alice", IDLE, ONLINE, 2);
            context.settle();

            context.expectHeard(
                    "CHANGE alice ->ONLINE #1", "SNAPSHOT alice ->ONLINE #1", "CHANGE alice ONLINE>IDLE #2");
        }

        @Test
        void shouldNotDeliverAgainWhenTheCommitIsRefusedAndThePartitionComesBack() {
            var context = new PresenceSubscriberContext(2, GROUP.withoutSnapshot());
            context.start();
            context.settle();
            context.emitted(0, "alice", ONLINE, null, 1);
            context.settle();
            context.failCommits(true);
            context.assign(1);
            context.failCommits(false);
            context.assign(0, 1);
            context.settle();

            context.expectHeard("CHANGE alice ->ONLINE #1");
        }

        @Test
        void shouldLeaveToOthersWhatTheyHaveDealtWithWhenAPartitionComesBack() {
            var context = new PresenceSubscriberContext(2, GROUP);
            context.start();
            context.settle();
            context.emitted(0, "alice", ONLINE, null, 1);
            context.settle();
            context.assign(1);
            context.emitted(0, "alice", IDLE, ONLINE, 2);
            context.somebodyElseDealsWith(0);
            context.assign(0, 1);
            context.emitted(0, "alice", OFFLINE, IDLE, 3);
            context.settle();

            context.expectHeard("CHANGE alice ->ONLINE #1", "SNAPSHOT alice ->IDLE #2", "CHANGE alice IDLE>OFFLINE #3");
        }

        @Test
        void shouldLeaveTheRetryToOthersWhenThePartitionIsTakenAway() {
            var context = new PresenceSubscriberContext(2, GROUP);
            context.start();
            context.settle();
            context.emitted(0, "alice", ONLINE, null, 1);
            context.failNext(1);
            context.settle();
            context.assign(1);
            context.sleep(100);

            context.expectHeard("CHANGE alice ->ONLINE #1");
            assertThat(context.committed(0)).isZero();
            context.assign(0, 1);
            context.settle();
            context.expectHeard("CHANGE alice ->ONLINE #1");
        }
    }

    @Nested
    class AListenerThatThrows {
        @Test
        void shouldGetTheSameAgainAfterABackOffWhenItThrows() {
            var context = new PresenceSubscriberContext(1, GROUP);
            context.start();
            context.settle();
            context.emitted(0, "alice", ONLINE, null, 1);
            context.emitted(0, "bob", ONLINE, null, 1);
            context.failNext(2);
            context.settle();
            context.expectHeard("CHANGE alice ->ONLINE #1");
            context.sleep(99);
            context.expectHeard();
            context.sleep(1);
            context.expectHeard("CHANGE alice ->ONLINE #1");
            context.sleep(199);
            context.expectHeard();
            assertThat(context.subscriber().lag()).isEqualTo(2);
            context.sleep(1);

            context.expectHeard("CHANGE alice ->ONLINE #1", "CHANGE bob ->ONLINE #1");
            assertThat(context.parked()).isEmpty();
            assertThat(context.subscriber().totals()).isEqualTo(new Totals(2, 2, 0, 0));
        }

        @Test
        void shouldNotHaveCommittedWhenTheChangeIsStillToBeTriedAgain() {
            var context = new PresenceSubscriberContext(1, GROUP.retrying(3, Duration.ofMinutes(1)));
            context.start();
            context.settle();
            context.emitted(0, "alice", ONLINE, null, 1);
            context.failNext(1);
            context.settle();
            context.sleep(5000);
            context.stop();

            assertThat(context.committed(0)).isZero();
        }

        @Test
        void shouldHaveItParkedAndGoOnInOrderWhenItThrowsEachTime() {
            var context = new PresenceSubscriberContext(1, GROUP);
            context.emitted(0, "bob", ONLINE, null, 1);
            context.emitted(0, "alice", ONLINE, null, 1);
            context.start();
            context.settle();
            context.emitted(0, "alice", IDLE, ONLINE, 2);
            context.emitted(0, "alice", OFFLINE, IDLE, 3);
            context.emitted(0, "alice", ONLINE, OFFLINE, 4);
            context.failNext(3);
            context.settle();
            context.sleep(100);
            context.sleep(200);
            context.sleep(1000);

            context.expectHeard(
                    "SNAPSHOT bob ->ONLINE #1",
                    "SNAPSHOT alice ->ONLINE #1",
                    "CHANGE alice ONLINE>IDLE #2",
                    "CHANGE alice ONLINE>IDLE #2",
                    "CHANGE alice ONLINE>IDLE #2",
                    "CHANGE alice ONLINE>OFFLINE #3 gap", // ONLINE is what the listener knew last
                    "CHANGE alice OFFLINE>ONLINE #4");
            assertThat(context.parked()).singleElement().satisfies(parked -> {
                assertThat(parked.topic()).isEqualTo("presence");
                assertThat(parked.partition()).isZero();
                assertThat(parked.offset()).isEqualTo(2);
                assertThat(parked.change()).isNotNull();
                assertThat(parked.failure()).hasMessage("cannot notify");
            });
            assertThat(context.subscriber().totals()).isEqualTo(new Totals(4, 2, 1, 0));
            assertThat(context.committed(0)).isEqualTo(5);
        }

        @Test
        void shouldHaveTheSnapshotOfAUserParkedWhenItThrowsEachTime() {
            var context = new PresenceSubscriberContext(1, COPY.retrying(1, Duration.ZERO));
            context.emitted(0, "alice", ONLINE, null, 1);
            context.failNext(1);
            context.start();
            context.settle();
            context.emitted(0, "alice", IDLE, ONLINE, 2);
            context.settle();

            context.expectHeard("SNAPSHOT alice ->ONLINE #1", "CHANGE alice ONLINE>IDLE #2 gap");
            assertThat(context.parked()).hasSize(1);
            assertThat(context.subscriber().snapshotComplete()).isTrue();
        }

        @Test
        void shouldEndWithNothingSkippedWhenParkingFailsToo() {
            var context = new PresenceSubscriberContext(1, GROUP.retrying(1, Duration.ZERO));
            context.start();
            context.settle();
            context.emitted(0, "alice", ONLINE, null, 1);
            context.failNext(1);
            context.failParking();

            assertThatIllegalStateException().isThrownBy(context::run).withMessage("cannot park");
            assertThat(context.committed(0)).isZero();
            assertThat(context.subscriber().totals().parked()).isZero();
        }

        @Test
        void shouldEndWithNothingSkippedWhenItIsInterrupted() {
            var context = new PresenceSubscriberContext(1, GROUP);
            context.start();
            context.settle();
            context.emitted(0, "alice", ONLINE, null, 1);
            context.emitted(0, "bob", ONLINE, null, 1);
            context.failNext(new InterruptedException());

            assertThatExceptionOfType(InterruptException.class).isThrownBy(context::run);
            assertThat(Thread.interrupted()).isTrue();
            assertThat(context.committed(0)).isZero();
            context.expectHeard("CHANGE alice ->ONLINE #1");
        }

        @Test
        void shouldBeSparedWhenARecordIsNotPresence() {
            var context = new PresenceSubscriberContext(1, GROUP);
            context.start();
            context.settle();
            context.append(0, "alice", new byte[] {1, 2, 3}, 1000);
            context.append(0, null, null, 1000);
            context.emitted(0, "bob", ONLINE, null, 1);
            context.settle();

            context.expectHeard("CHANGE bob ->ONLINE #1");
            assertThat(context.parked()).extracting(Parked::offset).containsExactly(0L, 1L);
            assertThat(context.parked()).extracting(Parked::change).containsOnlyNulls();
        }
    }

    @Nested
    class Closing {
        @Test
        void shouldCommitWhatTheListenerHasWhenItIsClosed() {
            var context = new PresenceSubscriberContext(1, GROUP);
            context.start();
            context.settle();
            context.emitted(0, "alice", ONLINE, null, 1);
            context.settle();
            assertThat(context.committed(0)).isZero();
            context.stop();
            context.stop();

            assertThat(context.committed(0)).isEqualTo(1);
        }

        @Test
        void shouldEndAfterTheChangeInHandWhenTheListenerClosesIt() {
            var context = new PresenceSubscriberContext(1, GROUP);
            context.start();
            context.settle();
            context.emitted(0, "alice", ONLINE, null, 1);
            context.emitted(0, "bob", ONLINE, null, 1);
            context.closeOnNext();
            context.run();

            context.expectHeard("CHANGE alice ->ONLINE #1");
            assertThat(context.committed(0)).isEqualTo(1);
        }

        @Test
        void shouldBeRefusedWhenItIsRunTwice() {
            var context = new PresenceSubscriberContext(1, COPY);
            context.start();
            context.stop();
            assertThatIllegalStateException().isThrownBy(context::run);
        }
    }

    @Test
    void shouldBeRefusedWhenThereIsNoAttemptAtAllOrNoGroup() {
        assertThatIllegalArgumentException().isThrownBy(() -> COPY.retrying(0, Duration.ZERO));
        assertThatIllegalArgumentException().isThrownBy(() -> Options.inGroup(""));
    }
}
