package dev.rollcall.domain;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EventTimeTest {
    private static final long NOW = 1_000_000;
    private static final long SKEW = 5_000;

    @ParameterizedTest(name = "{0} counts as {1}")
    @CsvSource({
        "1000000, 1000000", // now
        " 999999,  999999", // the past is believed, however far
        "      1,       1",
        "      0,       0",
        "1004999, 1004999", // ahead, within what is allowed
        "1005000, 1005000", // at its edge
        "1005001, 1005000", // beyond it
        "4600000, 1005000", // an hour ahead
        "9223372036854775807, 1005000",
        "     -1, 1000000", // not stamped at all
    })
    void shouldBelieveAStampWhenNotTooFarAhead(long stamp, long believed) {
        assertThat(EventTime.ofProducerStamp(stamp, NOW, SKEW)).isEqualTo(believed);
    }

    @ParameterizedTest(name = "{0} counts as {1}")
    @CsvSource({"1000000, 1000000", "1000001, 1000000"})
    void shouldAllowNothingAheadWhenTheSkewIsZero(long stamp, long believed) {
        assertThat(EventTime.ofProducerStamp(stamp, NOW, 0)).isEqualTo(believed);
    }
}
