package dev.rollcall.config;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;

/** Which key was meant by one that does not exist. */
final class Misspelt {
    /** Two letters that are wrong, missing or too many. */
    private static final int TYPOS = 2;

    /** In a shorter key, two letters are another word. */
    private static final int SHORT = 6;

    private Misspelt() {}

    /** The nearest of the known keys, if one is near: other separators, or a typo or two. */
    static Optional<String> nearest(String key, Collection<String> known) {
        String plain = plain(key);
        int allowed = plain.length() > SHORT ? TYPOS : 1;
        return known.stream()
                .filter(candidate -> Math.abs(plain(candidate).length() - plain.length()) <= allowed)
                .filter(candidate -> distance(plain, plain(candidate)) <= allowed)
                .min(Comparator.comparingInt((String candidate) -> distance(plain, plain(candidate)))
                        .thenComparing(Comparator.naturalOrder()));
    }

    /** A clause for the end of a message; empty: nothing is near. */
    static String suggestion(String key, Collection<String> known) {
        return nearest(key, known)
                .map(candidate -> " (did you mean " + candidate + "?)")
                .orElse("");
    }

    private static String plain(String key) {
        return key.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]", "");
    }

    /** Levenshtein's: how many letters have to be replaced, added or removed. */
    private static int distance(String one, String other) {
        int[] row = new int[other.length() + 1];
        for (int j = 0; j < row.length; j++) {
            row[j] = j;
        }
        for (int i = 1; i <= one.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j < row.length; j++) {
                int replaced = diagonal + (one.charAt(i - 1) == other.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(replaced, Math.min(row[j], row[j - 1]) + 1);
            }
        }
        return row[other.length()];
    }
}
