package dev.rollcall.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.config.RollcallConfig;
import dev.rollcall.consumer.HeartbeatBundles;
import java.util.Map;
import org.apache.kafka.streams.StreamsConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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

    @ParameterizedTest
    @CsvSource({
        "kafka.consumer.interceptor.classes, a.B, 'a.B,%s'",
        "kafka.main.consumer.interceptor.classes, 'a.B, c.D', 'a.B,c.D,%s'",
        "kafka.main.consumer.interceptor.classes, '%s,a.B', 'a.B,%s'",
        "kafka.main.consumer.interceptor.classes, '', %s",
    })
    void shouldBundleHeartbeatsBehindWhateverOtherInterceptorsAreSet(String key, String value, String expected) {
        String ours = HeartbeatBundles.class.getName();
        StreamsConfig streams = new StreamsConfig(
                KafkaSettings.streams(RollcallConfig.of(Map.of(key, value.replace("%s", ours))), "localhost:1"));

        assertThat(streams.getMainConsumerConfigs("rollcall", "client", 0))
                .containsEntry("interceptor.classes", expected.replace("%s", ours));
        assertThat(String.valueOf(streams.getRestoreConsumerConfigs("client").get("interceptor.classes")))
                .doesNotContain(ours);
    }

    @Test
    void shouldTakeWhatIsSetForTheMainConsumerWhenInterceptorsAreSetForAllToo() {
        StreamsConfig streams = new StreamsConfig(KafkaSettings.streams(
                RollcallConfig.of(Map.of(
                        "kafka.consumer.interceptor.classes", "a.B", "kafka.main.consumer.interceptor.classes", "c.D")),
                "localhost:1"));

        assertThat(streams.getMainConsumerConfigs("rollcall", "client", 0))
                .containsEntry("interceptor.classes", "c.D," + HeartbeatBundles.class.getName());
    }

    @Test
    void shouldKeepTheBundledTopicItsOwn() {
        StreamsConfig streams = new StreamsConfig(KafkaSettings.streams(
                RollcallConfig.of(Map.of("kafka.main.consumer.rollcall.bundled.topic", "other")), "localhost:1"));

        assertThat(streams.getMainConsumerConfigs("rollcall", "client", 0))
                .containsEntry("rollcall.bundled.topic", "device-heartbeat");
    }
}
