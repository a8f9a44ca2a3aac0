package dev.rollcall.bench;

import dev.rollcall.app.KafkaSettings;
import dev.rollcall.config.RollcallConfig;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.streams.StreamsConfig;

/** How the rivals' producers collect what they send: as Rollcall's does, so that no difference between contestants is one of settings. */
final class ProducerSettings {
    private static final List<String> SHARED = List.of(
            ProducerConfig.BATCH_SIZE_CONFIG,
            ProducerConfig.LINGER_MS_CONFIG,
            ProducerConfig.BUFFER_MEMORY_CONFIG,
            ProducerConfig.COMPRESSION_TYPE_CONFIG,
            ProducerConfig.MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION);

    private ProducerSettings() {}

    static Map<String, Object> ofRollcall(RollcallConfig config) {
        Map<String, Object> all =
                new StreamsConfig(KafkaSettings.streams(config, config.bootstrapServers())).getProducerConfigs("bench");
        Map<String, Object> shared = new HashMap<>();
        SHARED.stream().filter(all::containsKey).forEach(name -> shared.put(name, all.get(name)));
        return shared;
    }
}
