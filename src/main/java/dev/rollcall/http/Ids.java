package dev.rollcall.http;

import dev.rollcall.domain.UserId;
import dev.rollcall.text.Unicode;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/** Ids and other text from outside: well-formed and within their bounds, or refused. */
final class Ids {
    private static final int MAX_BYTES = 255;

    private Ids() {}

    /** A user id, 1 to 255 bytes. */
    static UserId user(String text) {
        return UserId.of(bounded(text, "a user id"));
    }

    /** A device id, 1 to 255 bytes. */
    static String device(String text) {
        return bounded(text, "a device id");
    }

    private static String bounded(String text, String what) {
        int bytes = wellFormed(text, what).getBytes(StandardCharsets.UTF_8).length;
        if (bytes < 1 || bytes > MAX_BYTES) {
            throw ApiException.invalid(
                    "%s must be 1 to %d bytes of UTF-8: it has %d".formatted(what, MAX_BYTES, bytes));
        }
        if (text.indexOf(0) >= 0) { // which the server refuses in an address, so that it is no id here at all
            throw ApiException.invalid("%s must not have a NUL in it".formatted(what));
        }
        return text;
    }

    /** JSON can escape half of a character; written as UTF-8 it would become a question mark, and another id. */
    static String wellFormed(String text, String what) {
        if (!Unicode.isWellFormed(text)) {
            throw ApiException.badJson("%s is not well-formed Unicode".formatted(what));
        }
        return text;
    }

    /** Undoes percent-encoding, strictly: what is left must be UTF-8. A plus is a plus. */
    static String decode(String raw) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(raw.length());
        for (int i = 0; i < raw.length(); i++) {
            char c = raw.charAt(i);
            if (c == '%') {
                if (i + 2 >= raw.length()
                        || !HexFormat.isHexDigit(raw.charAt(i + 1))
                        || !HexFormat.isHexDigit(raw.charAt(i + 2))) {
                    throw ApiException.invalid("the address has a percent sign that is not followed by two digits");
                }
                bytes.write(HexFormat.fromHexDigits(raw, i + 1, i + 3));
                i += 2;
            } else if (c < 0x80) {
                bytes.write(c);
            } else {
                throw ApiException.invalid("the address has characters that must be percent-encoded");
            }
        }
        if (!Unicode.isWellFormed(bytes.toByteArray(), 0, bytes.size())) {
            throw ApiException.invalid("the address is not UTF-8");
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }
}
