package dev.rollcall.registry;

import dev.rollcall.config.ConfigException;
import dev.rollcall.config.RegistrySettings;
import dev.rollcall.config.RegistrySettings.Store;
import dev.rollcall.config.Secret;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.SslConfigs;
import org.apache.kafka.common.config.types.Password;
import org.apache.kafka.common.security.ssl.DefaultSslEngineFactory;

/** Who is trusted over https, and what is shown: read as Kafka's clients read theirs, PEM files included. */
final class Tls {
    private static final ConfigDef ALL = new ConfigDef();

    static {
        SslConfigs.addClientSslSupport(ALL);
    }

    private Tls() {}

    /** Empty: as Java has it. */
    static Optional<SSLContext> of(RegistrySettings settings) {
        if (!settings.truststore().isSet() && !settings.keystore().isSet()) {
            return Optional.empty();
        }
        Map<String, Object> ssl = new HashMap<>();
        put(
                ssl,
                settings.truststore(),
                SslConfigs.SSL_TRUSTSTORE_LOCATION_CONFIG,
                SslConfigs.SSL_TRUSTSTORE_TYPE_CONFIG,
                SslConfigs.SSL_TRUSTSTORE_PASSWORD_CONFIG);
        put(
                ssl,
                settings.keystore(),
                SslConfigs.SSL_KEYSTORE_LOCATION_CONFIG,
                SslConfigs.SSL_KEYSTORE_TYPE_CONFIG,
                SslConfigs.SSL_KEYSTORE_PASSWORD_CONFIG);
        put(ssl, SslConfigs.SSL_KEY_PASSWORD_CONFIG, settings.keyPassword());
        // Closing it does nothing.
        DefaultSslEngineFactory factory = new DefaultSslEngineFactory();
        try {
            factory.configure(ALL.parse(ssl)); // with Kafka's defaults for the rest
        } catch (KafkaException e) {
            throw new ConfigException("schema.registry.truststore or schema.registry.keystore: " + reason(e));
        }
        return Optional.of(factory.sslContext());
    }

    private static void put(Map<String, Object> ssl, Store store, String location, String type, String password) {
        if (store.isSet()) {
            ssl.put(location, store.location());
            ssl.put(type, store.type());
            put(ssl, password, store.password());
        }
    }

    private static void put(Map<String, Object> ssl, String key, Secret secret) {
        if (secret.isSet()) {
            ssl.put(key, new Password(new String(secret.bytes(), StandardCharsets.UTF_8)));
        }
    }

    private static String reason(KafkaException failure) {
        return failure.getCause() == null
                ? String.valueOf(failure.getMessage())
                : String.valueOf(failure.getCause().getMessage());
    }
}
