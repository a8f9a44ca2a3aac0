package dev.rollcall.registry;

import dev.rollcall.config.RegistrySettings;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.wire.Registered;
import dev.rollcall.wire.Topics;
import java.util.Optional;

/** The formats that are configured. */
public final class Registry {
    private Registry() {}

    /**
     * What reads, and perhaps writes, values in a registry's format; empty: none is configured.
     *
     * @throws dev.rollcall.wire.registry.RegistryUnavailableException if it is to be written, and the registry does not answer
     * @throws dev.rollcall.config.ConfigException if the registry refuses a schema that is to be written, or a store of
     *     certificates cannot be used
     */
    public static Optional<Registered> of(RegistrySettings settings) {
        if (!settings.isSet()) {
            return Optional.empty();
        }
        HttpSchemaRegistry registry = new HttpSchemaRegistry(settings);
        return Optional.of(settings.writes() ? Registered.readingAndWriting(registry) : Registered.reading(registry));
    }

    /** The topics under the names and in the formats that are configured; fails as above. */
    public static Topics topics(RollcallConfig config) {
        return topics(config, of(config.registry()));
    }

    /** As above, with what was made before. */
    public static Topics topics(RollcallConfig config, Optional<Registered> registered) {
        return registered
                .map(formats -> Topics.of(config.topics(), formats))
                .orElseGet(() -> Topics.of(config.topics()));
    }
}
