package dev.rollcall.contract;

import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Whom the brokers take this client for. They do not tell, so it is what the settings say. */
public final class Principal {
    private static final Pattern USERNAME = Pattern.compile("\\busername=\"?([^\"\\s;]+)");

    private Principal() {}

    /** {@code User:NAME}; without a name where the settings have none, as with certificates. */
    public static String of(Map<String, String> kafka) {
        Matcher name = USERNAME.matcher(kafka.getOrDefault("sasl.jaas.config", ""));
        if (name.find()) {
            return "User:" + name.group(1);
        }
        return kafka.getOrDefault("security.protocol", "PLAINTEXT").contains("SSL")
                ? "User:(this client)"
                : "User:ANONYMOUS";
    }
}
