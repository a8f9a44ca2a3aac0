package dev.rollcall.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BatchTokenTest {
    @Test
    void shouldComeBackAsItWentOut() {
        BatchToken token = new BatchToken("1f", new TreeMap<>(Map.of(0, 17L, 12, 999_999_999_999L)));

        assertThat(BatchToken.parse(token.toString())).isEqualTo(token);
        assertThat(token.offset(0)).isEqualTo(17);
        assertThat(token.offset(1)).as("a partition that is not named").isZero();
        assertThat(BatchToken.parse("s1f-3.0_99999.0").offsets())
                .as("it says nothing")
                .isEmpty();
        assertThat(BatchToken.parse("s").offsets()).isEmpty();
        assertThat(BatchToken.parse("s-").offsets()).isEmpty();
        assertThat(BatchToken.parse("s0.17").topicId())
                .as("of an earlier version")
                .isEmpty();
    }

    @Test
    void shouldBeReadWhenItHasThousandsOfPartitions() {
        String text = IntStream.range(0, 5_000).mapToObj(i -> i + ".1").collect(Collectors.joining("_", "s", ""));

        assertThat(BatchToken.parse(text).offsets()).hasSize(5_000);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "x",
                "0.1",
                "s0",
                "s0.",
                "s.1",
                "s0.1_",
                "s0.-1",
                "s0.1 ",
                "s0.1__1.1",
                "s1234567890.1",
                "sx-0.1",
                "s1--0.1"
            })
    void shouldBeRefusedWhenItIsSomethingElse(String text) {
        assertThatThrownBy(() -> BatchToken.parse(text)).isInstanceOf(IllegalArgumentException.class);
    }
}
