package dev.rollcall.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

final class OptionsTest {
    private static final Contestant[] SCENARIO = {Contestant.NOOP, Contestant.FLINK_HEAP, Contestant.ROLLCALL};

    private final Options options = new Options();

    /** Whether the profile is on depends on how the tests are run. */
    @Test
    void shouldSayWhichProfileARivalNeedsWhenItIsOff() {
        options.contestants = List.of("rollcall", "flink-heap");
        if (Rivals.arePresent()) {
            assertThat(options.contestants(SCENARIO)).containsExactly(Contestant.ROLLCALL, Contestant.FLINK_HEAP);
        } else {
            assertThatThrownBy(() -> options.contestants(SCENARIO))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("flink-heap needs the Maven profile rivals: mvn -q -Pbench,rivals");
        }
    }

    @Test
    void shouldLeaveRivalsOutWhenTheProfileIsOffAndNobodyIsNamed() {
        assertThat(options.contestants(SCENARIO).contains(Contestant.FLINK_HEAP))
                .isEqualTo(Rivals.arePresent());
    }

    @Test
    void shouldRefuseWhoDoesNotRunInTheScenario() {
        options.contestants = List.of("redis");
        assertThatThrownBy(() -> options.contestants(SCENARIO))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("redis does not run in this scenario");
    }
}
