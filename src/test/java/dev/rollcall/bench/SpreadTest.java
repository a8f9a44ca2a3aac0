package dev.rollcall.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

final class SpreadTest {
    @Test
    void shouldTakeTheMiddleOfAnOddNumber() {
        assertThat(Spread.of(List.of(9.0, 1.0, 4.0))).isEqualTo(new Spread(4, 1, 9));
    }

    @Test
    void shouldTakeTheMeanOfTheTwoInTheMiddle() {
        assertThat(Spread.of(List.of(9.0, 1.0, 4.0, 6.0))).isEqualTo(new Spread(5, 1, 9));
    }

    @Test
    void shouldBeOneValueWhereThereIsOne() {
        assertThat(Spread.of(List.of(3.0))).isEqualTo(new Spread(3, 3, 3));
    }

    @Test
    void shouldTakeThePercentileByNearestRank() {
        long[] values = {50, 10, 40, 20, 30};
        assertThat(Spread.percentile(values, 0.5)).isEqualTo(30);
        assertThat(Spread.percentile(values, 0.99)).isEqualTo(50);
        assertThat(Spread.percentile(values, 0.2)).isEqualTo(10);
        assertThat(Spread.percentile(values, 0)).isEqualTo(10);
    }
}
