package dev.rollcall.text;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/**
 * Whether text is well-formed. What is not is refused and never repaired (rule 12): repaired, two different ids become
 * one, and a text is published that nobody wrote.
 */
public final class Unicode {
    private Unicode() {}

    /** Whether the bytes from the one to before the other are well-formed UTF-8 (RFC 3629). */
    public static boolean isWellFormed(byte[] bytes, int from, int to) {
        if (Ascii.isAscii(bytes, from, to)) {
            return true;
        }
        try {
            StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes, from, to - from));
            return true;
        } catch (CharacterCodingException e) {
            return false;
        }
    }

    /** Whether each surrogate is one of a pair: another one would be written as a question mark. */
    public static boolean isWellFormed(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (Character.isSurrogate(text.charAt(i))) {
                boolean isPair = i + 1 < text.length() && Character.isSurrogatePair(text.charAt(i), text.charAt(i + 1));
                if (!isPair) {
                    return false;
                }
                i++;
            }
        }
        return true;
    }

    /** The text, or an {@link IllegalArgumentException} that says what of it is not well-formed. */
    public static String requireWellFormed(String what, String text) {
        if (!isWellFormed(text)) {
            throw new IllegalArgumentException(what + " is not well-formed Unicode: it has an unpaired surrogate");
        }
        return text;
    }
}
