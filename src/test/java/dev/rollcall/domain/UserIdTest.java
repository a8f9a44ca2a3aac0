package dev.rollcall.domain;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class UserIdTest {
    @ParameterizedTest
    @ValueSource(strings = {"a", "@alice:example.org", "é", "😀", "\u0000"})
    void shouldBeValidWhenOneTo255BytesOfUtf8(String id) {
        assertThat(UserId.of(id).isValid()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 254, 255})
    void shouldBeValidWhenUpTo255Bytes(int bytes) {
        assertThat(UserId.of("x".repeat(bytes)).isValid()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 256, 1000})
    void shouldBeInvalidWhenEmptyOrTooLong(int bytes) {
        assertThat(UserId.of("x".repeat(bytes)).isValid()).isFalse();
    }

    @Test
    void shouldCountBytesWhenCharactersTakeMoreThanOne() {
        assertThat(UserId.of("é".repeat(127) + "x").isValid()).isTrue(); // 255 bytes
        assertThat(UserId.of("é".repeat(128)).isValid()).isFalse(); // 256 bytes, 128 characters
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "80", // a continuation byte without a start
                "c3", // a start without its continuation
                "c0af", // an overlong form
                "eda080", // half of a surrogate pair
                "f4908080", // beyond the last code point
                "61ff", // never part of UTF-8
            })
    void shouldBeInvalidWhenNotUtf8(String hex) {
        assertThat(UserId.ofBytes(HexFormat.of().parseHex(hex)).isValid()).isFalse();
    }

    @Test
    void shouldBeEqualWhenBytesAre() {
        UserId one = UserId.of("alice");
        UserId same = UserId.ofBytes("alice".getBytes(StandardCharsets.UTF_8));

        assertThat(one).isEqualTo(same).hasSameHashCodeAs(same).hasToString("alice");
        assertThat(one).isNotEqualTo(UserId.of("Alice")).isNotEqualTo("alice");
        assertThat(one.bytes()).isEqualTo("alice".getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void shouldDifferWhenOnlyTheHashIsTheSame() {
        Map<Integer, UserId> byHash = new HashMap<>();
        UserId other = null;
        UserId one = UserId.of("0");
        for (int i = 1; other == null && i < 1_000_000; i++) { // of so many, about a hundred pairs have the same hash
            one = UserId.of(Integer.toString(i));
            other = byHash.put(one.hashCode(), one);
        }
        assertThat(one).hasSameHashCodeAs(other).isNotEqualTo(other);
    }
}
