package dev.rollcall.app;

import dev.rollcall.admin.LocalState;
import dev.rollcall.config.ConfigException;
import dev.rollcall.consumer.ReadBarrierConsumer;
import java.util.Properties;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes the Kafka Streams client of an instance, on state that it may use. */
final class ProcessorStreams {
    private static final Logger LOG = LoggerFactory.getLogger(ProcessorStreams.class);

    private ProcessorStreams() {}

    /** @throws ConfigException for settings that are wrong, and where another instance runs on the same state */
    static KafkaStreams create(Topology topology, Properties settings, LocalState state) {
        Object directory = settings.get(StreamsConfig.STATE_DIR_CONFIG);
        try {
            KafkaStreams streams =
                    new KafkaStreams(topology, settings, ReadBarrierConsumer.supplier(), new SteadyTime());
            state.whyOutdated().ifPresent(why -> {
                LOG.info("the state in {} is deleted, and restored from the changelogs: {}", directory, why);
                streams.cleanUp();
                state.forget();
            });
            return streams;
        } catch (org.apache.kafka.common.config.ConfigException e) {
            throw new ConfigException("kafka.*: " + e.getMessage());
        } catch (StreamsException e) {
            throw new ConfigException(
                    "the processor cannot use %s: is another one running on it? Each needs a data.dir of its own (%s)"
                            .formatted(directory, e.getMessage()));
        }
    }
}
