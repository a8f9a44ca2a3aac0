package dev.rollcall.domain;

import static dev.rollcall.domain.PresenceState.IDLE;
import static dev.rollcall.domain.PresenceState.OFFLINE;
import static dev.rollcall.domain.PresenceState.ONLINE;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class UnionTest {
    @ParameterizedTest
    @CsvSource({
        "ONLINE,  ONLINE,  ONLINE",
        "ONLINE,  IDLE,    ONLINE",
        "ONLINE,  OFFLINE, ONLINE",
        "IDLE,    IDLE,    IDLE",
        "IDLE,    OFFLINE, IDLE",
        "OFFLINE, OFFLINE, OFFLINE",
    })
    void shouldTakeTheHigherWhenTwoDevicesMeet(PresenceState one, PresenceState other, PresenceState union) {
        assertThat(PresenceState.union(one, other)).isEqualTo(union);
        assertThat(PresenceState.union(other, one)).isEqualTo(union);
    }

    @ParameterizedTest
    @EnumSource
    void shouldNotDependOnOrderOrGroupingWhenThreeDevicesMeet(PresenceState a) {
        for (PresenceState b : PresenceState.values()) {
            for (PresenceState c : PresenceState.values()) {
                assertThat(PresenceState.union(PresenceState.union(a, b), c))
                        .isEqualTo(PresenceState.union(a, PresenceState.union(b, c)))
                        .isEqualTo(PresenceState.union(PresenceState.union(c, a), b));
            }
        }
    }

    @Test
    void shouldKeepTheOrderOfTheWireWhenListed() {
        assertThat(PresenceState.values()).containsExactly(OFFLINE, IDLE, ONLINE);
    }
}
