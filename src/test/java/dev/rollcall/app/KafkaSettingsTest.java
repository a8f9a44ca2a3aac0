package dev.rollcall.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.config.RollcallConfig;
import dev.rollcall.topology.HeartbeatBundles;
import java.util.Map;
import org.apache.kafka.streams.StreamsConfig;
import org.junit.jupiter.api.Test;

class KafkaSettingsTest {
    @Test
    void shouldLeaveTheProcessorsProtocolToThem() {
        RollcallConfig config =
                RollcallConfig.of(Map.of("kafka.group.protocol", "streams", "kafka.fetch.max.wait.ms", "50"));

        assertThat(KafkaSettings.consumer(config, "localhost:1"))
                .containsEntry("fetch.max.wait.ms", "50")
                .doesNotContainKey("group.protocol");
        assertThat(KafkaSettings.streams(config, "localhost:1")).containsEntry("group.protocol", "streams");
    }

    @Test
    void shouldBundleHeartbeatsForTheMainConsumerAlone() {
        StreamsConfig streams = new StreamsConfig(
                KafkaSettings.streams(RollcallConfig.of(Map.of("topic.device-heartbeat", "beats")), "localhost:1"));

        assertThat(streams.getMainConsumerConfigs("rollcall", "client", 0))
                .containsEntry("interceptor.classes", HeartbeatBundles.class.getName())
                .containsEntry("rollcall.bundled.topic", "beats");
        assertThat(streams.getRestoreConsumerConfigs("client")).doesNotContainKey("rollcall.bundled.topic");
    }
}
