package dev.rollcall.client.reading;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class RetriesTest {
    private final Retries retries = new Retries();

    @Test
    void shouldTryFiveTimesAndWaitTwiceAsLongEachTime() {
        List<Long> pauses = new ArrayList<>();
        while (retries.mayTryAgain(0)) {
            pauses.add(retries.pauseMs());
        }

        assertThat(pauses).containsExactly(1_000L, 2_000L, 4_000L, 8_000L, 16_000L);
    }

    @Test
    void shouldForgetWhatFailedLongAgo() {
        for (int i = 0; i < 50; i++) {
            assertThat(retries.mayTryAgain(i * Retries.WITHIN.toNanos() / 4)).isTrue();
        }
    }
}
