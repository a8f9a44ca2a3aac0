package dev.rollcall.config;

import dev.rollcall.config.RegistrySettings.Store;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/** Turns the keys {@code schema.registry.*} into typed values. */
final class RegistryParser {
    private static final String PREFIX = "schema.registry.";
    private static final Set<String> TYPES = Set.of("JKS", "PKCS12", "PEM");

    private final Map<String, String> values;

    RegistryParser(Map<String, String> values) {
        this.values = values;
    }

    /** @param writes the value of {@code schema.registry.write} */
    RegistrySettings parse(boolean writes) {
        RegistrySettings settings = new RegistrySettings(
                urls(),
                writes,
                text("user"),
                secret("password"),
                store("truststore"),
                store("keystore"),
                secret("key.password"));
        if (!settings.isSet()) {
            refuseWithoutUrl(writes);
        }
        if (settings.user().isEmpty() == settings.password().isSet()) {
            throw new ConfigException(
                    "schema.registry.user and schema.registry.password go together: set both or neither");
        }
        return settings;
    }

    private void refuseWithoutUrl(boolean writes) {
        Stream.of("user", "password", "truststore.location", "keystore.location")
                .filter(key -> !text(key).isEmpty())
                .findFirst()
                .or(() -> Stream.of("write").filter(key -> writes).findFirst())
                .ifPresent(key -> {
                    throw new ConfigException("%s%s is set, but schema.registry.url is empty".formatted(PREFIX, key));
                });
    }

    private List<URI> urls() {
        return Stream.of(text("url").split(",", -1))
                .map(String::strip)
                .filter(url -> !url.isEmpty())
                .map(RegistryParser::url)
                .toList();
    }

    private static URI url(String text) {
        try {
            URI uri = new URI(text.replaceFirst("/+$", ""));
            if (ConfigParser.isPlainHttp(uri)) {
                return uri;
            }
        } catch (URISyntaxException e) {
            // refused below
        }
        throw new ConfigException(
                "schema.registry.url must be like https://host:port/path, or several between commas, without a user: it has \"%s\""
                        .formatted(text.replaceFirst("//[^/@]*@", "//…@")));
    }

    private Store store(String name) {
        String type = text(name + ".type").toUpperCase(Locale.ROOT);
        if (!TYPES.contains(type)) {
            throw new ConfigException(
                    "%s%s.type must be JKS, PKCS12 or PEM: it is \"%s\"".formatted(PREFIX, name, type));
        }
        return new Store(text(name + ".location"), type, secret(name + ".password"));
    }

    private Secret secret(String key) {
        return Secret.of(text(key));
    }

    private String text(String key) {
        return values.getOrDefault(PREFIX + key, "");
    }
}
