package dev.rollcall.client;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.domain.UserId;
import org.junit.jupiter.api.Test;

class WakeUpsTest {
    private final WakeUps wakeUps = new WakeUps();
    private final TrackedDevice phone = device("phone");
    private final TrackedDevice desktop = device("desktop");

    @Test
    void shouldHandOnTheLongestWaitingFirstWhenTheirTimesHaveCome() {
        wakeUps.wake(phone, 200);
        wakeUps.wake(desktop, 100);

        assertThat(wakeUps.next(99)).isNull();
        assertThat(wakeUps.next(200)).isSameAs(desktop);
        assertThat(wakeUps.next(200)).isSameAs(phone);
        assertThat(wakeUps.next(Long.MAX_VALUE)).isNull();
    }

    @Test
    void shouldHandOnADeviceOnceWhenItWasEnteredTwice() {
        wakeUps.wake(phone, 100);
        wakeUps.wake(phone, 50);
        wakeUps.wake(phone, 70);

        assertThat(wakeUps.next(60)).isSameAs(phone);
        wakeUps.wake(phone, 200);

        assertThat(wakeUps.next(199)).isNull();
        assertThat(wakeUps.size()).isEqualTo(1);
        assertThat(wakeUps.next(200)).isSameAs(phone);
    }

    @Test
    void shouldLoseNobodyWhenThoseWhoHaveEndedAreSweptOut() {
        wakeUps.wake(phone, 1_000_000);
        for (int i = 0; i < 10_000; i++) {
            TrackedDevice device = device("device" + i);
            wakeUps.wake(device, 500_000 + i);
            wakeUps.wake(device, 400_000 + i); // overtakes
            wakeUps.forget(device);
        }

        assertThat(wakeUps.size()).isLessThan(2_500);
        assertThat(wakeUps.next(1_000_000)).isSameAs(phone);
        assertThat(wakeUps.next(Long.MAX_VALUE)).isNull();
        assertThat(wakeUps.size()).isZero();
    }

    private static TrackedDevice device(String id) {
        return new TrackedDevice(new TrackedDevice.Key(UserId.of("@alice:example.org"), id), 10_000);
    }
}
