package dev.rollcall.topology;

import static dev.rollcall.domain.PresenceState.IDLE;
import static dev.rollcall.domain.PresenceState.OFFLINE;
import static dev.rollcall.domain.PresenceState.ONLINE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rollcall.config.RollcallConfig;
import dev.rollcall.consumer.HeartbeatBundles;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.Presence;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserId;
import dev.rollcall.partition.Partition.Emitted;
import dev.rollcall.time.PartitionClock;
import dev.rollcall.wire.Inbound;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The order of heartbeats in bundles among flags and texts (rule 7), as the production path hands them over. */
class BundleOrderTest {
    private static final UserId ALICE = UserId.of("alice");
    private static final UserId BOB = UserId.of("bob");

    private final TopologyContext rollcall = TopologyContext.waitingForAllInputs(RollcallConfig.defaults());
    private long offset;

    @AfterEach
    void close() {
        rollcall.close();
    }

    /** The partition's clock allows for what is read again behind a heartbeat that was taken early. */
    @Test
    void shouldSpanNoMoreThanTheClockAllowsForAfterATakeOver() {
        assertThat((long) HeartbeatBundles.SPAN_MS).isLessThanOrEqualTo(PartitionClock.TAKEN_EARLY_MS);
    }

    @Test
    void shouldHandleEachHeartbeatOfABundleAtItsOwnTime() {
        rollcall.together(
                () -> rollcall.bundle(List.of(beat(ALICE, ONLINE, 10), beat(BOB, IDLE, 40), beat(ALICE, IDLE, 90))));

        assertThat(emitted()).containsExactly("alice ONLINE 10", "bob IDLE 40", "alice IDLE 90");
    }

    @Test
    void shouldStayHiddenWhenTheFlagWasWrittenBeforeTheHeartbeatButAfterTheFirstOfItsBundle() {
        rollcall.together(
                () -> rollcall.bundle(List.of(beat(BOB, ONLINE, 0), beat(ALICE, ONLINE, 60), beat(BOB, IDLE, 90))),
                () -> rollcall.appearOffline(ALICE, true, 40));

        assertThat(emitted()).containsExactly("bob ONLINE 0", "bob IDLE 90");
    }

    @Test
    void shouldBeSeenAndThenHideWhenTheHeartbeatWasWrittenBeforeTheFlag() {
        rollcall.together(
                () -> rollcall.bundle(List.of(beat(ALICE, ONLINE, 10), beat(ALICE, IDLE, 60), beat(BOB, IDLE, 90))),
                () -> rollcall.appearOffline(ALICE, true, 40));

        assertThat(emitted()).containsExactly("alice ONLINE 10", "alice OFFLINE 40", "bob IDLE 90");
    }

    @Test
    void shouldBeSeenAndThenHideWhenTheHeartbeatIsInTheSecondOfTwoBundles() {
        rollcall.together(
                () -> rollcall.bundle(List.of(
                        beat(BOB, ONLINE, 10), beat(BOB, IDLE, 90), beat(ALICE, ONLINE, 200), beat(BOB, ONLINE, 290))),
                () -> rollcall.appearOffline(ALICE, true, 240));

        assertThat(emitted())
                .containsExactly(
                        "bob ONLINE 10", "bob IDLE 90", "alice ONLINE 200", "alice OFFLINE 240", "bob ONLINE 290");
    }

    @Test
    void shouldNotCountAsActiveWhenTheHeartbeatWasWrittenBeforeTheFlagWasLifted() {
        rollcall.together(() -> rollcall.appearOffline(ALICE, true, 5));
        rollcall.together(
                () -> rollcall.bundle(List.of(beat(ALICE, ONLINE, 10), beat(BOB, IDLE, 90))),
                () -> rollcall.appearOffline(ALICE, false, 40));

        List<Emitted> all = rollcall.emitted();
        Presence alice = all.get(0).presence();
        assertThat(alice.state()).isEqualTo(ONLINE);
        assertThat(alice.since()).isEqualTo(40);
        assertThat(alice.lastActive()).isNull();
    }

    @Test
    void shouldHandleAHeartbeatOnceWhenATextOfItsUserIsWrittenAfterIt() {
        rollcall.together(
                () -> rollcall.bundle(List.of(beat(ALICE, IDLE, 10), beat(ALICE, ONLINE, 20), beat(BOB, OFFLINE, 90))),
                () -> rollcall.status(ALICE, new StatusText("x", null), 40));

        assertThat(emitted()).containsExactly("alice IDLE 10", "alice ONLINE 20", "alice ONLINE 20 x");
        assertThat(rollcall.metric("rollcall_input_records_total")).isEqualTo(4);
    }

    /** As the simulation found: one that was sent on lies in front of one that a text takes, and both are of one device. */
    @Test
    void shouldKeepTheOrderOfTheLogWhenATextTakesAHeartbeatBehindOneThatWasSentOn() {
        ConsumerRecord<byte[], byte[]> sentOn = beat(ALICE, ONLINE, 10);
        Rerouting.mark(sentOn.headers(), 10).forEach(sentOn.headers()::add);
        rollcall.together(
                () -> rollcall.bundle(List.of(sentOn, beat(ALICE, IDLE, 20), beat(BOB, ONLINE, 60))),
                () -> rollcall.status(ALICE, new StatusText("x", null), 40));

        assertThat(emitted()).containsExactly("alice ONLINE 10", "alice IDLE 20", "alice IDLE 20 x", "bob ONLINE 60");
    }

    @Test
    void shouldPublishNothingAgainWhenHeartbeatsThatATextTookAreReadAgainAfterACrash() {
        List<ConsumerRecord<byte[], byte[]>> log =
                List.of(beat(ALICE, IDLE, 10), beat(ALICE, ONLINE, 20), beat(BOB, ONLINE, 60));
        rollcall.together(() -> rollcall.bundle(log), () -> rollcall.status(ALICE, new StatusText("x", null), 40));
        assertThat(emitted()).containsExactly("alice IDLE 10", "alice ONLINE 20", "alice ONLINE 20 x", "bob ONLINE 60");

        rollcall.restart();
        rollcall.together(() -> rollcall.bundle(log));
        rollcall.together(() -> rollcall.bundle(List.of(beat(ALICE, IDLE, 130))));

        assertThat(emitted()).containsExactly("alice IDLE 130 x");
    }

    /** The topic was created anew: its offsets begin again. */
    @Test
    void shouldTakeHeartbeatsWhenTheirOffsetsHaveBeenTakenInAnEarlierTopic() {
        rollcall.together(
                () -> rollcall.bundle(List.of(beat(ALICE, IDLE, 10), beat(BOB, ONLINE, 60))),
                () -> rollcall.status(ALICE, new StatusText("x", null), 40));
        rollcall.restart();
        offset = 0;
        rollcall.together(() -> rollcall.bundle(List.of(beat(ALICE, ONLINE, 130))));

        assertThat(emitted()).endsWith("alice ONLINE 130 x");
    }

    /** A text and a heartbeat within 100 ms may take effect in either order, but none of them overtakes a clock tick. */
    @Test
    void shouldEndWhatATickEndsWhenAHeartbeatBehindItIsOlderThanAText() {
        Heartbeat closed = new Heartbeat("A", null, true, OptionalLong.empty(), null);
        List<ConsumerRecord<byte[], byte[]>> log = new ArrayList<>();
        log.add(beat(ALICE, ONLINE, 0));
        log.add(record(ALICE.bytes(), new Inbound.Beat(closed), 10));
        for (long second = 1_000; second < 5_000; second += 1_000) {
            log.add(record(null, new Inbound.ClockTick("one"), second));
        }
        log.add(record(null, new Inbound.ClockTick("one"), 5_020));
        log.add(beat(ALICE, ONLINE, 5_040));
        log.add(beat(BOB, IDLE, 5_090));
        rollcall.together(() -> rollcall.bundle(log), () -> rollcall.status(ALICE, new StatusText("x", null), 5_050));

        assertThat(emitted())
                .containsExactly(
                        "alice ONLINE 0",
                        "alice ONLINE 0 x",
                        "alice OFFLINE 5010 x",
                        "alice ONLINE 5040 x",
                        "bob IDLE 5090");
    }

    @Test
    void shouldCountTheLogsSilenceToAHeartbeatThatAFlagOfItsUserTookFirst() {
        rollcall.together(() -> rollcall.bundle(silence(false)), () -> rollcall.appearOffline(ALICE, false, 9_040));

        assertThat(emitted()).contains("bob OFFLINE 14000"); // grace from 9000, not from carol's 9050
    }

    @Test
    void shouldNotCountTheLogsSilenceToAHeartbeatOfAHiddenUserThatAFlagTookFirst() {
        rollcall.together(() -> rollcall.bundle(silence(true)), () -> rollcall.appearOffline(ALICE, false, 9_040));

        assertThat(emitted()).contains("bob OFFLINE 14050");
    }

    /** Bob's connection ends; nobody is heard for eight seconds; then Alice is, Carol, and eleven clock ticks. */
    private List<ConsumerRecord<byte[], byte[]>> silence(boolean isAliceHidden) {
        if (isAliceHidden) {
            rollcall.together(() -> rollcall.appearOffline(ALICE, true, 0));
        }
        List<ConsumerRecord<byte[], byte[]>> log = new ArrayList<>();
        log.add(beat(BOB, ONLINE, 0));
        log.add(record(null, new Inbound.ClockTick("one"), 900));
        log.add(record(
                BOB.bytes(), new Inbound.Beat(new Heartbeat("A", null, true, OptionalLong.empty(), null)), 1_000));
        log.add(beat(ALICE, ONLINE, 9_000));
        log.add(beat(UserId.of("carol"), ONLINE, 9_050));
        for (long second = 10; second <= 20; second++) {
            log.add(record(null, new Inbound.ClockTick("one"), second * 1_000));
        }
        return log;
    }

    @Test
    void shouldFailLoudlyWhenAnInterceptorBehindHasCopiedTheHeaders() {
        assertThatThrownBy(() -> rollcall.together(() -> rollcall.send(
                        rollcall.topics().heartbeats().name(), null, HeartbeatBundles.VALUE, rollcall.now())))
                .hasStackTraceContaining("a consumer interceptor behind Rollcall's copies the headers");
    }

    @Test
    void shouldRefuseTheValueWhenAProducerSendsTheBytesOfABundle() {
        byte[] same = HeartbeatBundles.VALUE.clone();
        rollcall.together(() -> rollcall.send(rollcall.topics().heartbeats().name(), ALICE.bytes(), same, 1));

        assertThat(rollcall.deadLetters()).hasSize(1);
    }

    private List<String> emitted() {
        return rollcall.emitted().stream()
                .map(emitted -> {
                    Presence presence = emitted.presence();
                    String text = presence.status() == null ? "" : " " + presence.status();
                    return "%s %s %d%s".formatted(emitted.user(), presence.state(), presence.since(), text);
                })
                .toList();
    }

    private ConsumerRecord<byte[], byte[]> beat(UserId user, @Nullable PresenceState state, long stamp) {
        return record(
                user.bytes(), new Inbound.Beat(new Heartbeat("A", state, false, OptionalLong.empty(), null)), stamp);
    }

    private ConsumerRecord<byte[], byte[]> record(byte @Nullable [] key, Inbound.Content content, long stamp) {
        return new ConsumerRecord<>(
                rollcall.topics().heartbeats().name(),
                0,
                offset++,
                stamp,
                TimestampType.LOG_APPEND_TIME,
                0,
                0,
                key,
                rollcall.bytes(content),
                new RecordHeaders(),
                Optional.empty());
    }
}
