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
import java.time.Duration;
import org.apache.kafka.common.errors.InterruptException;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A subscriber whose listener or parking handler throws, and one that is closed. */
@Timeout(30)
class PresenceSubscriberListenerTest {
    private static final Options GROUP = Options.inGroup("notifications").retrying(3, Duration.ofMillis(100));
    private static final Options COPY = Options.fullCopy().retrying(3, Duration.ofMillis(100));

    @Nested
    class AListenerThatThrows {
        @Test
        void shouldGetTheSameAgainAfterABackOffWhenItThrows() {
            var context = PresenceSubscriberContext.started(1, GROUP);
            context.publish("alice", ONLINE);
            context.publish("bob", ONLINE);
            context.failNext(2);
            context.poll();
            context.expectDelivered("CHANGE alice ->ONLINE #1");
            context.sleep(99);
            context.expectDelivered();
            context.sleep(1);
            context.expectDelivered("CHANGE alice ->ONLINE #1");
            context.sleep(199);
            context.expectDelivered();
            assertThat(context.subscriber().lag()).isEqualTo(2);
            context.sleep(1);

            context.expectDelivered("CHANGE alice ->ONLINE #1", "CHANGE bob ->ONLINE #1");
            assertThat(context.parked()).isEmpty();
            assertThat(context.subscriber().totals()).isEqualTo(new Totals(2, 2, 0, 0));
        }

        @Test
        void shouldNotCommitWhenTheChangeIsToBeRetried() {
            var context = PresenceSubscriberContext.started(1, GROUP.retrying(3, Duration.ofMinutes(1)));
            context.publish("alice", ONLINE);
            context.failNext(1);
            context.poll();
            context.sleep(5000);
            context.stop();

            assertThat(context.committed(0)).isZero();
        }

        @Test
        void shouldHaveTheChangeParkedAndGetTheRestInOrderWhenItThrowsEachTime() {
            var context = new PresenceSubscriberContext(1, GROUP);
            context.publish("bob", ONLINE);
            context.publish("alice", ONLINE);
            context.startAndPoll();
            context.publish("alice", IDLE, OFFLINE, ONLINE);
            context.failNext(3);
            context.poll();
            context.sleep(100);
            context.sleep(200);
            context.sleep(1000);

            context.expectDelivered(
                    "SNAPSHOT bob ->ONLINE #1",
                    "SNAPSHOT alice ->ONLINE #1",
                    "CHANGE alice ONLINE>IDLE #2",
                    "CHANGE alice ONLINE>IDLE #2",
                    "CHANGE alice ONLINE>IDLE #2",
                    "CHANGE alice ONLINE>OFFLINE #3 gap", // ONLINE is the last state that the listener got
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
            context.publish("alice", ONLINE);
            context.failNext(1);
            context.startAndPoll();
            context.publish("alice", IDLE);
            context.poll();

            context.expectDelivered("SNAPSHOT alice ->ONLINE #1", "CHANGE alice ONLINE>IDLE #2 gap");
            assertThat(context.parked()).hasSize(1);
            assertThat(context.subscriber().snapshotComplete()).isTrue();
        }

        @Test
        void shouldEndWithNothingSkippedWhenParkingFailsToo() {
            var context = PresenceSubscriberContext.started(1, GROUP.retrying(1, Duration.ZERO));
            context.publish("alice", ONLINE);
            context.failNext(1);
            context.failParking();

            assertThatIllegalStateException().isThrownBy(context::run).withMessage("cannot park");
            assertThat(context.committed(0)).isZero();
            assertThat(context.subscriber().totals().parked()).isZero();
        }

        @Test
        void shouldEndWithNothingSkippedWhenItIsInterrupted() {
            var context = PresenceSubscriberContext.started(1, GROUP);
            context.publish("alice", ONLINE);
            context.publish("bob", ONLINE);
            context.failNext(new InterruptedException());

            assertThatExceptionOfType(InterruptException.class).isThrownBy(context::run);
            assertThat(Thread.interrupted()).isTrue();
            assertThat(context.committed(0)).isZero();
            context.expectDelivered("CHANGE alice ->ONLINE #1");
        }

        @Test
        void shouldNotBeCalledWhenARecordCannotBeDecoded() {
            var context = PresenceSubscriberContext.started(1, GROUP);
            context.append(0, "alice", new byte[] {1, 2, 3}, 1000);
            context.append(0, null, null, 1000);
            context.publish("bob", ONLINE);
            context.poll();

            context.expectDelivered("CHANGE bob ->ONLINE #1");
            assertThat(context.parked()).extracting(Parked::offset).containsExactly(0L, 1L);
            assertThat(context.parked()).extracting(Parked::change).containsOnlyNulls();
        }
    }

    @Nested
    class Closing {
        @Test
        void shouldCommitWhatWasDeliveredWhenItIsClosed() {
            var context = PresenceSubscriberContext.started(1, GROUP);
            context.publish("alice", ONLINE);
            context.poll();
            assertThat(context.committed(0)).isZero();
            context.stop();
            context.stop();

            assertThat(context.committed(0)).isEqualTo(1);
        }

        @Test
        void shouldEndAfterTheCurrentChangeWhenTheListenerClosesIt() {
            var context = PresenceSubscriberContext.started(1, GROUP);
            context.publish("alice", ONLINE);
            context.publish("bob", ONLINE);
            context.closeOnNext();
            context.run();

            context.expectDelivered("CHANGE alice ->ONLINE #1");
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
