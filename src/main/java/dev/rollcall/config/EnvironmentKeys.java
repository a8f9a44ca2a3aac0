package dev.rollcall.config;

import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The settings among the environment variables. */
final class EnvironmentKeys {
    private static final String PREFIX = "ROLLCALL_";
    private static final String FILE = "_FILE";

    /**
     * What Kubernetes sets in every container for a Service whose name begins with "rollcall", as Docker's links did: for one
     * that is called rollcall, ROLLCALL_SERVICE_HOST, ROLLCALL_SERVICE_PORT_HTTP, ROLLCALL_PORT_8080_TCP_ADDR. No key of
     * Rollcall has such a name.
     */
    private static final Pattern SERVICE = Pattern.compile(
            "ROLLCALL_(.+_)?(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT_\\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)");

    /** ROLLCALL_PORT=tcp://10.0.0.1:8080. The name alone does not tell: a Service rollcall-http sets ROLLCALL_HTTP_PORT. */
    private static final Pattern SERVICE_PORT = Pattern.compile("ROLLCALL_(.+_)?PORT");

    private static final Pattern SERVICE_URL = Pattern.compile("(tcp|udp|sctp)://.*");

    private EnvironmentKeys() {}

    /**
     * The keys with their values.
     *
     * @param keys all that there are, but for {@code kafka.*}
     * @throws ConfigException naming the variable, if it begins with {@code ROLLCALL_} and is none
     */
    static SortedMap<String, String> of(Map<String, String> environment, Set<String> keys) {
        Map<String, String> keyOf = keys.stream().collect(Collectors.toMap(EnvironmentKeys::variable, key -> key));
        SortedMap<String, String> found = new TreeMap<>();
        environment.forEach((variable, value) -> {
            if (variable.startsWith(PREFIX) && !isOfAService(variable, value)) {
                found.put(key(variable, keyOf), value);
            }
        });
        return found;
    }

    private static boolean isOfAService(String variable, String value) {
        return SERVICE.matcher(variable).matches()
                || (SERVICE_PORT.matcher(variable).matches()
                        && SERVICE_URL.matcher(value).matches());
    }

    private static String key(String variable, Map<String, String> keyOf) {
        if (keyOf.containsKey(variable)) {
            return keyOf.getOrDefault(variable, "");
        }
        if (variable.endsWith(FILE)) {
            String base = variable.substring(0, variable.length() - FILE.length());
            if (keyOf.containsKey(base)) {
                return keyOf.get(base) + SecretFiles.SUFFIX;
            }
        }
        String key =
                variable.substring(PREFIX.length()).toLowerCase(Locale.ROOT).replace('_', '.');
        if (!ConfigSources.isKafka(key)) {
            throw new ConfigException("unknown environment variable %s; the keys are in config/rollcall.properties%s"
                    .formatted(variable, Misspelt.suggestion(key, keyOf.values())));
        }
        return key;
    }

    /** {@code device.lease.ms} is {@code ROLLCALL_DEVICE_LEASE_MS}. */
    private static String variable(String key) {
        return PREFIX + key.toUpperCase(Locale.ROOT).replaceAll("[^A-Z0-9]", "_");
    }
}
