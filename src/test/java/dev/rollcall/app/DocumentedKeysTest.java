package dev.rollcall.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.config.RollcallConfig;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.streams.StreamsConfig;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Each key of Kafka that the documents name reaches each client that it is for, and no other. */
class DocumentedKeysTest {
    /** main, restore, producer, admin: the processor's; reader, writer, operator: those of the edge and of the commands. */
    @ParameterizedTest
    @CsvSource({
        "session.timeout.ms, 12345, main restore reader",
        "consumer.session.timeout.ms, 12345, main restore",
        "main.consumer.session.timeout.ms, 12345, main",
        "transaction.timeout.ms, 12345, producer writer",
        "request.timeout.ms, 12345, main restore producer admin reader writer operator",
        "security.protocol, SASL_SSL, main restore producer admin reader writer operator",
        "sasl.mechanism, SCRAM-SHA-512, main restore producer admin reader writer operator",
        "ssl.truststore.location, /etc/trust, main restore producer admin reader writer operator",
        "max.request.size, 500000, producer writer",
        "batch.size, 1234, producer writer",
        "buffer.memory, 12345678, producer writer",
        "max.poll.records, 17, main restore reader",
        "fetch.max.wait.ms, 50, main restore reader",
        "main.consumer.interceptor.classes, a.B, main",
        "producer.max.request.size, 500000, producer",
        "tracing.service.name, rollcall, main restore producer admin reader writer operator",
    })
    void shouldReachEachClientThatItIsForWhenItIsSet(String key, String value, String clients) {
        RollcallConfig config = RollcallConfig.of(Map.of("kafka." + key, value, "bootstrap.servers", "kafka:9092"));
        StreamsConfig streams = new StreamsConfig(KafkaSettings.streams(config, "kafka:9092"));
        String plain = key.replaceFirst("^(main\\.consumer|consumer|producer|admin)\\.", "");
        Map<String, Map<String, Object>> all = new HashMap<>();
        all.put("main", streams.getMainConsumerConfigs("rollcall", "client", 0));
        all.put("restore", streams.getRestoreConsumerConfigs("client"));
        all.put("producer", streams.getProducerConfigs("client"));
        all.put("admin", streams.getAdminConfigs("client"));
        all.put("reader", KafkaSettings.consumer(config, "kafka:9092"));
        all.put("writer", KafkaSettings.producer(config, "kafka:9092"));
        all.put("operator", KafkaSettings.admin(config, "kafka:9092"));

        List<String> expected = List.of(clients.split(" "));
        all.forEach((client, settings) -> {
            String is = String.valueOf(settings.get(plain));
            if (expected.contains(client)) {
                assertThat(is).as(client).startsWith(value);
            } else {
                assertThat(is).as(client).doesNotContain(value);
            }
        });
    }

    @ParameterizedTest
    @CsvSource({
        "num.stream.threads, 3",
        "processing.guarantee, at_least_once",
        "group.protocol, streams",
        "max.task.idle.ms, 7",
        "num.standby.replicas, 1",
    })
    void shouldReachKafkaStreamsWhenItIsItsOwn(String key, String value) {
        StreamsConfig streams = new StreamsConfig(
                KafkaSettings.streams(RollcallConfig.of(Map.of("kafka." + key, value)), "kafka:9092"));

        assertThat(streams.values().get(key)).hasToString(value);
    }
}
