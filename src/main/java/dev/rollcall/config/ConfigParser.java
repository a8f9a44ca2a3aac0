package dev.rollcall.config;

import dev.rollcall.domain.Limits;
import dev.rollcall.domain.PresenceRules;
import dev.rollcall.wire.TopicNames;
import java.net.InetAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeSet;

/** Turns settings from text into typed values. A value that is out of range is refused by its key. */
final class ConfigParser {
    private static final long DAY_MS = Duration.ofDays(1).toMillis();

    /** How many users one sweep may expire, which takes some 3 ms. */
    private static final int SWEEP_BUDGET = 500;

    /** A partition without a clock tick for three intervals counts as not written to. */
    private static final int MISSED_TICKS = 3;

    /** What is meant for others than this machine, which without tokens would be refused all the same. */
    private static final List<String> ONLY_WITH_TOKENS =
            List.of("http.cors.origins", "http.jwt.issuer", "http.jwt.audience");

    /** Ten seconds of it are a number that can be counted. */
    private static final long MAX_RATE = 100_000_000;

    private final SortedMap<String, String> values;
    private final Set<String> chosen;

    ConfigParser(ConfigSources.Merged settings) {
        this.values = settings.values();
        this.chosen = settings.chosen();
    }

    RollcallConfig parse() {
        long tickIntervalMs = number("pulse.interval.ms", 10, 60_000);
        RollcallConfig config = new RollcallConfig(
                new PresenceRules(
                        number("device.lease.ms", 1, Limits.MAX_LEASE_MS),
                        number("disconnect.grace.ms", 0, DAY_MS),
                        number("user.retention.ms", 1, Long.MAX_VALUE / 4),
                        (int) number("max.devices.per.user", 1, 10_000),
                        number("shard.quiet.ms", 1, DAY_MS),
                        number("shard.hold.ms", 0, DAY_MS),
                        number("shard.lease.ms", 1, Limits.MAX_SHARD_LEASE_MS),
                        number("shard.resume.ms", 0, DAY_MS),
                        number("last.seen.persist.ms", 0, DAY_MS),
                        MISSED_TICKS * tickIntervalMs,
                        SWEEP_BUDGET,
                        flag("routing.enabled")),
                tickIntervalMs,
                values.getOrDefault("bootstrap.servers", ""),
                (int) number("embedded.kafka.port", 0, 65_535),
                Path.of(text("data.dir")),
                name("application.id"),
                http(),
                matrix(),
                new TopicNames(
                        name("topic.device-heartbeat"),
                        name("topic.status"),
                        name("topic.appear-offline"),
                        name("topic.presence"),
                        name("topic.presence-dead-letters"),
                        name("topic.presence-routing")),
                (int) number("topic.partitions", 1, 10_000),
                replicationFactor(),
                new RegistryParser(values).parse(flag("schema.registry.write")),
                kafka());
        requireDistinctTopics(config.topics());
        return config;
    }

    private HttpSettings http() {
        boolean off = values.getOrDefault("http.port", "").isEmpty();
        TokenSettings tokens = new TokenSettings(
                key(),
                optional("http.jwt.jwks.file").map(Path::of),
                optional("http.jwt.issuer"),
                optional("http.jwt.audience"));
        if (!tokens.areRequired()) {
            ONLY_WITH_TOKENS.forEach(this::refuseWithoutTokens);
        }
        return new HttpSettings(
                text("http.host"),
                off ? OptionalInt.empty() : OptionalInt.of((int) number("http.port", 0, 65_535)),
                chosen.contains("http.port"),
                tokens,
                origins(),
                optional("http.simulation.enabled").isPresent()
                        ? flag("http.simulation.enabled")
                        : optional("bootstrap.servers").isEmpty(),
                (int) number("http.max.streams", 1, 1_000_000),
                (int) number("http.max.streams.per.user", 1, 10_000),
                number("http.stream.max.ms", 1_000, DAY_MS),
                httpLimits(),
                new HealthSettings(
                        number("http.health.stall.ms", 1_000, DAY_MS), number("http.health.dead.ms", 1_000, DAY_MS)));
    }

    private HttpLimits httpLimits() {
        boolean noHealthPort = values.getOrDefault("http.health.port", "").isEmpty();
        return new HttpLimits(
                (int) number("http.max.connections.per.address", 1, 1_000_000),
                proxies(),
                number("http.headers.ms", 100, 600_000),
                noHealthPort ? OptionalInt.empty() : OptionalInt.of((int) number("http.health.port", 0, 65_535)),
                number("http.drain.ms", 0, 600_000),
                rates("device"),
                rates("user"),
                rates("service"));
    }

    private HttpLimits.Rates rates(String of) {
        return new HttpLimits.Rates((int) number("http." + of + ".writes.per.s", 1, MAX_RATE), (int)
                number("http." + of + ".ids.per.s", 1, MAX_RATE));
    }

    private MatrixSettings matrix() {
        String shard = text("matrix.shard");
        if (shard.getBytes(StandardCharsets.UTF_8).length > Limits.MAX_ID_BYTES) {
            throw new ConfigException("matrix.shard must be 1 to %d bytes of UTF-8".formatted(Limits.MAX_ID_BYTES));
        }
        return new MatrixSettings(
                text("matrix.host"),
                (int) number("matrix.port", 0, 65_535),
                (int) number("matrix.syslog.port", 0, 65_535),
                homeserver(),
                shard,
                (int) number("matrix.lookups.per.s", 1, 100_000));
    }

    private URI homeserver() {
        String value = text("matrix.homeserver");
        try {
            URI uri = new URI(value.replaceFirst("/$", ""));
            if (isPlainHttp(uri) && uri.getRawPath().isEmpty()) {
                return uri;
            }
        } catch (URISyntaxException e) {
            // refused below
        }
        throw new ConfigException(
                "matrix.homeserver must be like http://host:port or https://host, without a path: it is \"%s\""
                        .formatted(value));
    }

    /** Whether it is an address over HTTP or HTTPS and nothing else; a password in it would be printed. */
    static boolean isPlainHttp(URI uri) {
        return ("http".equals(uri.getScheme()) || "https".equals(uri.getScheme()))
                && uri.getHost() != null
                && uri.getRawUserInfo() == null
                && uri.getRawQuery() == null
                && uri.getRawFragment() == null;
    }

    private Set<InetAddress> proxies() {
        Set<InetAddress> proxies = new LinkedHashSet<>();
        for (String one : values.getOrDefault("http.proxies", "").split(",", -1)) {
            String address = one.strip();
            if (address.isEmpty()) {
                continue;
            }
            try {
                if (!address.matches("[0-9.]+|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*")) { // else a name would be looked up
                    throw new UnknownHostException(address);
                }
                proxies.add(InetAddress.getByName(address));
            } catch (UnknownHostException e) {
                throw new ConfigException(
                        "http.proxies must be IP addresses between commas: it has \"%s\"".formatted(address));
            }
        }
        return Collections.unmodifiableSet(proxies);
    }

    private void refuseWithoutTokens(String key) {
        if (optional(key).isPresent()) {
            throw new ConfigException(
                    "%s must be empty while http.jwt.key and http.jwt.jwks.file are: without tokens the edge is for programs and pages of this machine alone. Set one of them, or clear %s"
                            .formatted(key, key));
        }
    }

    private Secret key() {
        Secret key = Secret.of(values.getOrDefault("http.jwt.key", ""));
        if (key.isSet() && key.bytes().length < TokenSettings.MIN_KEY_BYTES) {
            // The message must not contain the key itself.
            throw new ConfigException("http.jwt.key must be empty or at least %d bytes: it is shorter"
                    .formatted(TokenSettings.MIN_KEY_BYTES));
        }
        return key;
    }

    private Set<String> origins() {
        String all = values.getOrDefault("http.cors.origins", "");
        Set<String> origins = new TreeSet<>();
        for (String origin : all.split(",", -1)) {
            String trimmed = origin.strip();
            if (trimmed.isEmpty()) {
                continue;
            }
            if (!trimmed.matches("https?://[a-zA-Z0-9.\\[\\]:-]+")) {
                throw new ConfigException(
                        "http.cors.origins must be origins like https://host:port: it has \"%s\"".formatted(trimmed));
            }
            origins.add(trimmed.toLowerCase(Locale.ROOT));
        }
        return Collections.unmodifiableSet(origins);
    }

    private short replicationFactor() {
        long factor = number("topic.replication.factor", -1, 100);
        if (factor == 0) {
            throw new ConfigException(
                    "topic.replication.factor must be -1 (the broker's default) or 1 to 100: it is 0");
        }
        return (short) factor;
    }

    private SortedMap<String, String> kafka() {
        SortedMap<String, String> kafka = KafkaKeys.resolve(ConfigSources.kafka(values));
        KafkaKeys.check(kafka.keySet());
        KafkaOverrides.check(kafka);
        return Collections.unmodifiableSortedMap(kafka);
    }

    private long number(String key, long least, long most) {
        String value = text(key);
        long number;
        try {
            number = Long.parseLong(value);
        } catch (NumberFormatException e) {
            throw new ConfigException(
                    "%s must be a whole number from %d to %d: it is \"%s\"".formatted(key, least, most, value));
        }
        if (number < least || number > most) {
            throw new ConfigException("%s must be %d to %d: it is %d".formatted(key, least, most, number));
        }
        return number;
    }

    private boolean flag(String key) {
        return switch (text(key)) {
            case "true" -> true;
            case "false" -> false;
            default -> throw new ConfigException("%s must be true or false: it is \"%s\"".formatted(key, text(key)));
        };
    }

    /** Empty if the value is. */
    private Optional<String> optional(String key) {
        return Optional.of(values.getOrDefault(key, "")).filter(value -> !value.isEmpty());
    }

    private String text(String key) {
        String value = values.getOrDefault(key, "");
        if (value.isEmpty()) {
            throw new ConfigException("%s must not be empty".formatted(key));
        }
        return value;
    }

    /** A name that Kafka takes for a topic or a group's internal topics. */
    private String name(String key) {
        String value = text(key);
        if (!value.matches("[a-zA-Z0-9._-]{1,200}") || value.equals(".") || value.equals("..")) {
            throw new ConfigException("%s must be 1 to 200 letters, digits, dots, underscores or hyphens: it is \"%s\""
                    .formatted(key, value));
        }
        return value;
    }

    private static void requireDistinctTopics(TopicNames names) {
        List<String> all = new ArrayList<>(List.of(
                names.deviceHeartbeat(),
                names.status(),
                names.appearOffline(),
                names.presence(),
                names.deadLetters(),
                names.routing()));
        for (String name : all) {
            if (all.indexOf(name) != all.lastIndexOf(name)) {
                throw new ConfigException(
                        "topic.*: each topic needs a name of its own, but two are called \"%s\"".formatted(name));
            }
        }
    }
}
