package dev.rollcall.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What breaks a promise in silence is refused by name; what Kafka's own defaults are, and what only costs, is not. */
class KafkaOverridesTest {
    @ParameterizedTest
    @CsvSource({
        "processing.exception.handler, org.apache.kafka.streams.errors.LogAndContinueProcessingExceptionHandler",
        "processing.exception.handler, com.example.OwnHandler",
        "deserialization.exception.handler, org.apache.kafka.streams.errors.LogAndContinueExceptionHandler",
        "default.deserialization.exception.handler, org.apache.kafka.streams.errors.LogAndContinueExceptionHandler",
        "production.exception.handler, com.example.OwnHandler",
        "default.production.exception.handler, com.example.OwnHandler",
        "max.task.idle.ms, -1",
        "state.cleanup.delay.ms, 10800001",
        "state.dir, /var/lib/other",
        "interceptor.classes, com.example.Tracing",
        "application.id, other",
        "bootstrap.servers, other:9092",
        "consumer.bootstrap.servers, other:9092",
        "main.consumer.bootstrap.servers, other:9092",
        "restore.consumer.bootstrap.servers, other:9092",
        "producer.bootstrap.servers, other:9092",
        "admin.bootstrap.servers, other:9092",
        "isolation.level, read_uncommitted",
        "consumer.isolation.level, read_uncommitted",
        "main.consumer.isolation.level, read_uncommitted",
        "restore.consumer.isolation.level, read_uncommitted",
        "partitioner.class, org.apache.kafka.clients.producer.RoundRobinPartitioner",
        "producer.partitioner.class, org.apache.kafka.clients.producer.RoundRobinPartitioner",
        "partitioner.ignore.keys, true",
        "producer.partitioner.ignore.keys, true",
        "acks, 1",
        "producer.acks, 0",
        "enable.idempotence, false",
        "producer.enable.idempotence, false",
        "topic.delete.retention.ms, 86399999",
        "topic.cleanup.policy, delete",
        "topic.cleanup.policy, 'compact,delete'",
    })
    void shouldBeRefusedByNameWhenItBreaksAPromiseInSilence(String key, String value) {
        assertThatThrownBy(() -> RollcallConfig.of(Map.of("kafka." + key, value)))
                .isInstanceOf(ConfigException.class)
                .hasMessageStartingWith("kafka." + key + " must ")
                .hasMessageEndingWith("it is \"" + value + "\"");
    }

    @ParameterizedTest
    @CsvSource({
        "processing.exception.handler, org.apache.kafka.streams.errors.LogAndFailProcessingExceptionHandler",
        "deserialization.exception.handler, org.apache.kafka.streams.errors.LogAndFailExceptionHandler",
        "default.deserialization.exception.handler, org.apache.kafka.streams.errors.LogAndFailExceptionHandler",
        "production.exception.handler, org.apache.kafka.streams.errors.DefaultProductionExceptionHandler",
        "max.task.idle.ms, 500",
        "state.cleanup.delay.ms, 10800000",
        "consumer.interceptor.classes, com.example.Tracing",
        "main.consumer.interceptor.classes, com.example.Tracing",
        "producer.interceptor.classes, com.example.Tracing",
        "isolation.level, read_committed",
        "partitioner.ignore.keys, false",
        "acks, all",
        "producer.acks, -1",
        "topic.delete.retention.ms, 86400000",
        "topic.cleanup.policy, compact",
        "topic.min.insync.replicas, 2",
        "processing.guarantee, at_least_once",
        "num.stream.threads, 2",
    })
    void shouldBePassedOnWhenItKeepsThePromises(String key, String value) {
        assertThat(RollcallConfig.of(Map.of("kafka." + key, value)).kafka()).containsEntry(key, value);
    }
}
