package dev.rollcall.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class AsciiTest {
    @Test
    void shouldSayNoWhereverTheOneOtherByteIs() {
        for (int length = 0; length <= 20; length++) {
            byte[] bytes = new byte[length + 2];
            Arrays.fill(bytes, (byte) 0x7F);
            bytes[0] = (byte) 0x80; // what lies before and behind is not asked about
            bytes[length + 1] = (byte) 0xFF;
            assertThat(Ascii.isAscii(bytes, 1, length + 1))
                    .as("length %d", length)
                    .isTrue();
            for (int at = 1; at <= length; at++) {
                bytes[at] = (byte) 0x80;
                assertThat(Ascii.isAscii(bytes, 1, length + 1))
                        .as("%d of %d", at, length)
                        .isFalse();
                bytes[at] = 0x7F;
            }
        }
    }
}
