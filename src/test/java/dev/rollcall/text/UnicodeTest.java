package dev.rollcall.text;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserId;
import java.util.Random;
import org.junit.jupiter.api.Test;

class UnicodeTest {
    @Test
    void shouldAgreeWithWritingAndReadingWhateverTheCharacters() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        String letters = "aé€\uD83D\uDE00\uD83D\uDE00\u0000\uFFFD";
        for (int round = 0; round < 20_000; round++) {
            StringBuilder text = new StringBuilder();
            for (int i = random.nextInt(8); i > 0; i--) {
                text.append(letters.charAt(random.nextInt(letters.length())));
            }
            String written = new String(text.toString().getBytes(UTF_8), UTF_8);
            assertThat(Unicode.isWellFormed(text.toString()))
                    .as("seed %d, round %d", seed, round)
                    .isEqualTo(written.contentEquals(text));
        }
    }

    @Test
    void shouldAgreeWithReadingAndWritingWhateverTheBytes() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        byte[] source = "aé€\uD83D\uDE00\uFFFD".getBytes(UTF_8);
        for (int round = 0; round < 20_000; round++) {
            byte[] bytes = new byte[random.nextInt(8)];
            for (int i = 0; i < bytes.length; i++) {
                bytes[i] = random.nextInt(8) == 0 ? (byte) random.nextInt() : source[(round + i) % source.length];
            }
            assertThat(Unicode.isWellFormed(bytes, 0, bytes.length))
                    .as("seed %d, round %d", seed, round)
                    .isEqualTo(java.util.Arrays.equals(new String(bytes, UTF_8).getBytes(UTF_8), bytes));
        }
    }

    @Test
    void shouldSayWhatIsWrongWhenTextIsNotWellFormed() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> UserId.of("@a\uD83D-R:x"))
                .withMessageContaining("user id")
                .withMessageContaining("unpaired surrogate");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new StatusText("at lunch \uD83C", null))
                .withMessageContaining("text");
        assertThat(UserId.of("@a\uD83D\uDE00:x").isValid()).isTrue();
    }
}
