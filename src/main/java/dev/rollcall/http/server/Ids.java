package dev.rollcall.http.server;

import dev.rollcall.domain.Limits;
import dev.rollcall.domain.UserId;
import dev.rollcall.text.Unicode;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/** Checks ids and other text of requests: well-formed Unicode, within bounds. */
public final class Ids {

    private Ids() {}

    /** A user id, 1 to 255 bytes. */
    public static UserId user(String text) {
        return UserId.of(bounded(text, "a user id"));
    }

    /** A device id, 1 to 255 bytes. */
    public static String device(String text) {
        return bounded(text, "a device id");
    }

    /** Any other id, 1 to 255 bytes. {@code what} names it in the refusal. */
    public static String bounded(String text, String what) {
        int bytes = wellFormed(text, what).getBytes(StandardCharsets.UTF_8).length;
        if (bytes < 1 || bytes > Limits.MAX_ID_BYTES) {
            throw ApiException.invalid(
                    "%s must be 1 to %d bytes of UTF-8: it has %d".formatted(what, Limits.MAX_ID_BYTES, bytes));
        }
        if (text.indexOf(0) >= 0) { // Jetty refuses it in a URL, so such an id could not be used everywhere
            throw ApiException.invalid("%s must not have a NUL in it".formatted(what));
        }
        return text;
    }

    /** Refuses unpaired surrogates, which JSON can escape: in UTF-8 they would become question marks, and another id. */
    public static String wellFormed(String text, String what) {
        if (!Unicode.isWellFormed(text)) {
            throw ApiException.badJson("%s is not well-formed Unicode".formatted(what));
        }
        return text;
    }

    /** Decodes percent-encoding. The bytes must be UTF-8. A plus stays a plus. */
    static String decode(String raw) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(raw.length());
        for (int i = 0; i < raw.length(); i++) {
            char c = raw.charAt(i);
            if (c == '%') {
                if (i + 2 >= raw.length()
                        || !HexFormat.isHexDigit(raw.charAt(i + 1))
                        || !HexFormat.isHexDigit(raw.charAt(i + 2))) {
                    throw ApiException.invalid("the URL has a percent sign that is not followed by two digits");
                }
                bytes.write(HexFormat.fromHexDigits(raw, i + 1, i + 3));
                i += 2;
            } else if (c < 0x80) {
                bytes.write(c);
            } else {
                throw ApiException.invalid("the URL has characters that must be percent-encoded");
            }
        }
        if (!Unicode.isWellFormed(bytes.toByteArray(), 0, bytes.size())) {
            throw ApiException.invalid("the URL is not UTF-8");
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }
}
