package dev.rollcall.client.sending;

import static dev.rollcall.domain.PresenceState.IDLE;
import static dev.rollcall.domain.PresenceState.ONLINE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.rollcall.client.sending.HeartbeatThrottle.Verdict;
import dev.rollcall.domain.PresenceState;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HeartbeatThrottleTest {
    private static final long START = 1_000_000;
    private static final long INTERVAL = 10_000;
    private static final long PHASE = 3_000;

    private final HeartbeatThrottle throttle = new HeartbeatThrottle(INTERVAL, PHASE);

    @Test
    void shouldSendAtOnceWhenItIsTheFirst() {
        assertThat(throttle.decide(null, START)).isEqualTo(Verdict.CHANGE);
    }

    @ParameterizedTest
    @CsvSource({"0, TOO_SOON", "1, TOO_SOON", "2999, TOO_SOON", "3000, DUE", "3001, DUE", "1000000, DUE"})
    void shouldSendFromThePhaseOnWhenItIsTheSecond(long after, Verdict verdict) {
        throttle.decide(ONLINE, START);

        assertThat(throttle.decide(ONLINE, START + after)).isEqualTo(verdict);
    }

    @ParameterizedTest
    @CsvSource({"0, TOO_SOON", "1, TOO_SOON", "9999, TOO_SOON", "10000, DUE", "10001, DUE", "1000000, DUE"})
    void shouldSendOnceInAnIntervalWhenNothingChanges(long after, Verdict verdict) {
        throttle.decide(ONLINE, START);
        long sent = START + PHASE + 77;
        throttle.decide(null, sent);

        assertThat(throttle.decide(null, sent + after)).isEqualTo(verdict);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, 2_999, 3_000, 3_001, 13_000})
    void shouldSendAtOnceWhenTheStateChanges(long after) {
        throttle.decide(ONLINE, START);

        assertThat(throttle.decide(IDLE, START + after)).isEqualTo(Verdict.CHANGE);
        assertThat(throttle.decide(ONLINE, START + after)).isEqualTo(Verdict.CHANGE);
    }

    @Test
    void shouldSendAtOnceWhenAStateIsGivenForTheFirstTime() {
        throttle.decide(null, START);

        assertThat(throttle.decide(ONLINE, START + 1)).isEqualTo(Verdict.CHANGE);
        assertThat(throttle.decide(ONLINE, START + 2)).isEqualTo(Verdict.TOO_SOON);
    }

    @Test
    void shouldKeepTheStateWhenNoneIsGiven() {
        throttle.decide(IDLE, START);
        throttle.decide(null, START + 1);

        assertThat(throttle.state()).isEqualTo(IDLE);
        assertThat(throttle.decide(IDLE, START + 2)).isEqualTo(Verdict.TOO_SOON);
    }

    @Test
    void shouldKeepItsPhaseWhenTheStateChanges() {
        throttle.decide(ONLINE, START);
        throttle.decide(IDLE, START + PHASE - 1);

        assertThat(throttle.decide(null, START + PHASE - 1)).isEqualTo(Verdict.TOO_SOON);
        assertThat(throttle.decide(null, START + PHASE)).isEqualTo(Verdict.DUE);
    }

    @ParameterizedTest
    @ValueSource(longs = {-1, 0, INTERVAL + 1})
    void shouldRefuseWhenThePhaseIsOutsideTheInterval(long phase) {
        assertThatIllegalArgumentException().isThrownBy(() -> new HeartbeatThrottle(INTERVAL, phase));
    }

    @Test
    void shouldNeverDelayAChangeNorRepeatTooSoonWhenHeartbeatsAreRandom() {
        long seed = System.nanoTime();
        System.out.println("HeartbeatThrottleTest seed " + seed);
        Random random = new Random(seed);
        PresenceState[] states = {null, PresenceState.OFFLINE, IDLE, ONLINE};
        for (int run = 0; run < 200; run++) {
            HeartbeatThrottle device = new HeartbeatThrottle(INTERVAL, 1 + random.nextInt((int) INTERVAL));
            long now = random.nextInt();
            PresenceState emitted = states[random.nextInt(4)];
            assertThat(device.decide(emitted, now)).isEqualTo(Verdict.CHANGE);
            long lastUnchanged = Long.MIN_VALUE / 2;
            for (int i = 0; i < 200; i++) {
                now += random.nextInt(random.nextBoolean() ? 20 : 6_000);
                PresenceState state = random.nextInt(4) > 0 ? null : states[random.nextInt(4)];
                Verdict verdict = device.decide(state, now);
                if (state != null && state != emitted) {
                    assertThat(verdict).isEqualTo(Verdict.CHANGE);
                    emitted = state;
                } else if (verdict == Verdict.DUE) {
                    assertThat(now - lastUnchanged).isGreaterThanOrEqualTo(INTERVAL);
                    lastUnchanged = now;
                } else {
                    assertThat(verdict).isEqualTo(Verdict.TOO_SOON);
                }
            }
        }
    }
}
