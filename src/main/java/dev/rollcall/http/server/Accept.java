package dev.rollcall.http.server;

import java.util.List;
import java.util.Locale;
import org.eclipse.jetty.http.QuotedCSV;

/** How much a request wants a media type, by its Accept fields (RFC 9110, 12.5.1). */
final class Accept {
    /** More specific than a range of all types, and than one of all subtypes. */
    private static final int EXACT = 2;

    private Accept() {}

    /** From 0 to 1: the quality of the most specific range that has the type. 1 without any field. */
    static double quality(List<String> fields, String type) {
        if (fields.isEmpty()) {
            return 1;
        }
        double quality = 0;
        int specific = -1;
        for (String range : new QuotedCSV(true, fields.toArray(new String[0]))) {
            String[] parts = range.split(";", -1);
            int matches = matches(parts[0].strip().toLowerCase(Locale.ROOT), type);
            if (matches > specific) {
                specific = matches;
                quality = quality(parts);
            }
        }
        return quality;
    }

    private static int matches(String range, String type) {
        if (range.equals(type)) {
            return EXACT;
        }
        boolean subtypes = range.endsWith("/*") && type.startsWith(range.substring(0, range.length() - 1));
        return subtypes ? 1 : range.equals("*/*") ? 0 : -1;
    }

    /** 1 if there is none, 0 for what is none. */
    private static double quality(String[] parts) {
        for (int i = 1; i < parts.length; i++) {
            String parameter = parts[i].strip().toLowerCase(Locale.ROOT);
            if (parameter.startsWith("q=")) {
                String value = parameter.substring(2);
                return value.matches("0(\\.\\d{0,3})?|1(\\.0{0,3})?") ? Double.parseDouble(value) : 0;
            }
        }
        return 1;
    }
}
