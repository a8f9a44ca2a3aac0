package dev.rollcall.client.sending;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.domain.UserId;
import org.junit.jupiter.api.Test;

class DeviceScheduleTest {
    private final DeviceSchedule schedule = new DeviceSchedule();
    private final TrackedDevice phone = device("phone");
    private final TrackedDevice desktop = device("desktop");

    @Test
    void shouldReturnTheLongestDueFirstWhenSeveralAreDue() {
        schedule.schedule(phone, 200);
        schedule.schedule(desktop, 100);

        assertThat(schedule.poll(99)).isNull();
        assertThat(schedule.poll(200)).isSameAs(desktop);
        assertThat(schedule.poll(200)).isSameAs(phone);
        assertThat(schedule.poll(Long.MAX_VALUE)).isNull();
    }

    @Test
    void shouldReturnADeviceOnceWhenItWasScheduledSeveralTimes() {
        schedule.schedule(phone, 100);
        schedule.schedule(phone, 50);
        schedule.schedule(phone, 70);

        assertThat(schedule.poll(60)).isSameAs(phone);
        schedule.schedule(phone, 200);

        assertThat(schedule.poll(199)).isNull();
        assertThat(schedule.size()).isEqualTo(1);
        assertThat(schedule.poll(200)).isSameAs(phone);
    }

    @Test
    void shouldKeepTheOthersWhenStaleEntriesAreSweptOut() {
        schedule.schedule(phone, 1_000_000);
        for (int i = 0; i < 10_000; i++) {
            TrackedDevice device = device("device" + i);
            schedule.schedule(device, 500_000 + i);
            schedule.schedule(device, 400_000 + i); // replaces the first
            schedule.cancel(device);
        }

        assertThat(schedule.size()).isLessThan(2_500);
        assertThat(schedule.poll(1_000_000)).isSameAs(phone);
        assertThat(schedule.poll(Long.MAX_VALUE)).isNull();
        assertThat(schedule.size()).isZero();
    }

    private static TrackedDevice device(String id) {
        return new TrackedDevice(new TrackedDevice.Key(UserId.of("@alice:example.org"), id), 10_000);
    }
}
