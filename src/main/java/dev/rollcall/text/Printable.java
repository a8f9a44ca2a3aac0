package dev.rollcall.text;

import org.jspecify.annotations.Nullable;

/**
 * Text from outside (ids, shards, status texts, settings, the messages of other programs) as it may go to a log, a terminal
 * or an exception's message. Whoever may write a record must not be able to begin a line there, to steer the terminal, or
 * to turn around what stands beside it.
 *
 * <p>Escaped as {@code \}{@code u202e}, by the number of the code point in hexadecimal: control characters (C0, C1 and DEL,
 * so also line feeds and ESC), line and paragraph separators, format characters (bidirectional marks, embeddings,
 * overrides and isolates, and what is not seen at all) and halves of surrogate pairs. All else stays as it is; so do the
 * two joiners, which words and emoji need, and which neither move nor hide anything.
 */
public final class Printable {
    /** As many characters as the longest text that a user may set has. */
    static final int MOST = 1024;

    private static final int ZERO_WIDTH_NON_JOINER = 0x200C;
    private static final int ZERO_WIDTH_JOINER = 0x200D;

    private Printable() {}

    /** The value's text on one line, at most 1024 characters and an ellipsis. */
    public static String of(@Nullable Object value) {
        String text = String.valueOf(value);
        return isPrintable(text) ? text : escape(text);
    }

    /** As {@link #of}, but line by line, where line feeds are expected; each line but the first is indented. */
    public static String lines(@Nullable Object value) {
        StringBuilder lines = new StringBuilder();
        String.valueOf(value).lines().forEach(line -> {
            boolean first = lines.length() == 0;
            lines.append(first ? "" : "\n").append(first || line.startsWith("  ") ? "" : "  ");
            lines.append(of(line.replace('\t', ' ')));
        });
        return lines.toString();
    }

    /** Nearly all is, and then nothing is copied. */
    private static boolean isPrintable(String text) {
        return text.length() <= MOST && text.codePoints().noneMatch(Printable::isEscaped);
    }

    private static String escape(String text) {
        StringBuilder printable = new StringBuilder();
        for (int at = 0; at < text.length(); ) {
            int codePoint = text.codePointAt(at);
            String one = isEscaped(codePoint) ? "\\u%04x".formatted(codePoint) : Character.toString(codePoint);
            if (printable.length() + one.length() > MOST) {
                return printable.append('…').toString();
            }
            printable.append(one);
            at += Character.charCount(codePoint);
        }
        return printable.toString();
    }

    private static boolean isEscaped(int codePoint) {
        return switch (Character.getType(codePoint)) {
            case Character.CONTROL, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR, Character.SURROGATE ->
                true;
            case Character.FORMAT -> codePoint != ZERO_WIDTH_NON_JOINER && codePoint != ZERO_WIDTH_JOINER;
            default -> false;
        };
    }
}
