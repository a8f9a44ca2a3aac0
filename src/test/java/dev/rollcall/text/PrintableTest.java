package dev.rollcall.text;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.domain.UserId;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class PrintableTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "@alice:example.org",
                "a b\\u202e",
                "naïve, 日本語, עברית, 😀",
                "👩\u200d💻 کتاب\u200cها", // the joiners are part of how this is written
                "…"
            })
    void shouldLeaveTextAloneWhenItIsOnlyRead(String text) {
        assertThat(Printable.of(text)).isEqualTo(text);
    }

    static Stream<Integer> shouldShowTheCharacterByItsNumberWhenItSteersWhatShowsIt() {
        return IntStream.of(
                        0x00, 0x07, 0x08, 0x09, 0x0A, 0x0B, 0x0D, 0x1B, 0x1F, // C0
                        0x7F, 0x80, 0x85, 0x90, 0x9B, 0x9D, 0x9F, // DEL, C1
                        0xAD, 0x061C, 0x180E, 0x200B, 0x200E, 0x200F, 0x2028, 0x2029, // separators and what is not seen
                        0x202A, 0x202B, 0x202C, 0x202D, 0x202E, 0x2060, 0x2066, 0x2067, 0x2068, 0x2069, // bidirectional
                        0xFEFF, 0xFFF9, 0xD800, 0xDBFF, 0xDC00, 0xDFFF) // and halves of pairs
                .boxed();
    }

    @ParameterizedTest
    @MethodSource
    void shouldShowTheCharacterByItsNumberWhenItSteersWhatShowsIt(int character) {
        String text = "a" + (char) character + "b";

        assertThat(Printable.of(text)).isEqualTo("a\\u%04xb".formatted(character));
    }

    @Test
    void shouldShowAFormatCharacterByItsNumberWhenItTakesTwoChars() {
        assertThat(Printable.of("a" + Character.toString(0xE0041))).isEqualTo("a\\ue0041");
    }

    @Test
    void shouldCutTheTextWithAnEllipsisWhenItIsLong() {
        assertThat(Printable.of("a".repeat(Printable.MOST))).isEqualTo("a".repeat(Printable.MOST));
        assertThat(Printable.of("a".repeat(Printable.MOST + 1))).isEqualTo("a".repeat(Printable.MOST) + "…");
        assertThat(Printable.of("a".repeat(Printable.MOST - 1) + "😀")).isEqualTo("a".repeat(Printable.MOST - 1) + "…");
        assertThat(Printable.of("\n".repeat(1_000_000))).hasSizeLessThanOrEqualTo(Printable.MOST + 1);
    }

    @Test
    void shouldTakeWhateverHasText() {
        assertThat(Printable.of(null)).isEqualTo("null");
        assertThat(Printable.of(UserId.of("@a\n:x"))).isEqualTo("@a\\u000a:x");
    }

    @Test
    void shouldIndentEachLineButTheFirstWhenLinesAreExpected() {
        assertThat(Printable.lines("one\n10:00:00 ERROR Rollcall - two\r\n    three\u001b[2J\n\tat four"))
                .isEqualTo("one\n  10:00:00 ERROR Rollcall - two\n    three\\u001b[2J\n   at four");
        assertThat(Printable.lines(null)).isEqualTo("null");
    }
}
