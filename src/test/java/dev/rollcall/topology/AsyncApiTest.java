package dev.rollcall.topology;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.contract.TopicContract;
import dev.rollcall.domain.Rejection;
import dev.rollcall.wire.CarriedHeartbeat;
import dev.rollcall.wire.Topics;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The AsyncAPI document says of the topics what the code does. That it is a valid one, {@code .ci/run} checks. */
class AsyncApiTest {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final Path SCHEMAS = Path.of("schemas");

    private final JsonNode document = read();

    @Test
    void shouldHaveEveryTopicAndNoOther() {
        Topics topics = Topics.ofContract();

        assertThat(channels().values().stream()
                        .map(channel -> channel.path("address").asText()))
                .containsExactlyInAnyOrder(
                        topics.heartbeats().name(),
                        topics.statuses().name(),
                        topics.appearOffline().name(),
                        topics.presence().name(),
                        topics.deadLetters().name(),
                        topics.routing().name());
    }

    @Test
    void shouldHaveTheSettingsThatTheTopicsAreMadeWith() {
        TopicContract contract = new TopicContract(RollcallConfig.of(Map.of("routing.enabled", "true")));
        for (JsonNode channel : channels().values()) {
            String topic = channel.path("address").asText();
            JsonNode binding = channel.path("bindings").path("kafka");
            Map<String, String> documented = new TreeMap<>();
            binding.path("topicConfiguration").properties().forEach(setting -> {
                JsonNode value = setting.getValue();
                documented.put(setting.getKey(), value.isArray() ? value.get(0).asText() : value.asText());
            });
            assertThat(binding.path("topic").asText()).isEqualTo(topic);
            assertThat(contract.settings(topic)).as(topic).containsAllEntriesOf(documented);
            assertThat(documented).containsKeys("cleanup.policy", "message.timestamp.type");
        }
    }

    @Test
    void shouldHaveEverySchemaAsItIsCommitted() throws Exception {
        Set<String> records = new TreeSet<>();
        try (var files = Files.list(SCHEMAS)) {
            for (Path file :
                    files.filter(one -> one.toString().endsWith(".avsc")).toList()) {
                String record = file.getFileName().toString().replace(".avsc", "");
                records.add(record);
                JsonNode payload = message(record).path("payload");
                assertThat(payload.path("schema")).as(record).isEqualTo(MAPPER.readTree(Files.readString(file)));
                assertThat(payload.path("schemaFormat").asText()).startsWith("application/vnd.apache.avro");
            }
        }
        records.add("DeadLetter");
        assertThat(names(document.path("components").path("messages"))).isEqualTo(records);
    }

    @Test
    void shouldPutEachRecordOnTheTopicThatTakesIt() {
        Map<String, String> homes = new TreeMap<>();
        channels()
                .values()
                .forEach(channel -> channel.path("messages")
                        .fieldNames()
                        .forEachRemaining(message ->
                                homes.put(message, channel.path("address").asText())));

        assertThat(homes)
                .isEqualTo(Map.of(
                        "DeviceHeartbeat", "device-heartbeat",
                        "ShardHeartbeat", "device-heartbeat",
                        "ClockPulse", "device-heartbeat",
                        "UserStatus", "status",
                        "AppearOffline", "appear-offline",
                        "UserPresence", "presence",
                        "DeadLetter", "presence-dead-letters",
                        "RoutingView", "presence-routing"));
        for (String message : homes.keySet()) {
            boolean isOfAUser =
                    !List.of("ShardHeartbeat", "ClockPulse", "DeadLetter").contains(message);
            assertThat(message(message).path("bindings").path("kafka").has("key"))
                    .as("%s has a key", message)
                    .isEqualTo(isOfAUser);
        }
    }

    @Test
    void shouldNameEveryHeader() {
        assertThat(headers("UserStatus")).containsExactlyInAnyOrder(CarriedHeartbeat.HEADER, Rerouting.FIRST_TIME);
        assertThat(headers("DeviceHeartbeat")).containsExactly(Rerouting.FIRST_TIME);
        assertThat(headers("AppearOffline")).containsExactly(Rerouting.FIRST_TIME);
        assertThat(headers("DeadLetter"))
                .containsExactlyInAnyOrder(
                        DeadLetter.REASON,
                        DeadLetter.MESSAGE,
                        DeadLetter.TOPIC,
                        DeadLetter.PARTITION,
                        DeadLetter.OFFSET,
                        DeadLetter.VALUE_LENGTH,
                        DeadLetter.HEADERS_LENGTH,
                        DeadLetter.KEY_LENGTH);
    }

    @Test
    void shouldNameEveryReason() {
        JsonNode reasons = message("DeadLetter")
                .path("headers")
                .path("properties")
                .path(DeadLetter.REASON)
                .path("enum");

        assertThat(reasons)
                .extracting(JsonNode::asText)
                .containsExactlyElementsOf(Arrays.stream(Rejection.Reason.values())
                        .map(reason -> reason.name().toLowerCase(Locale.ROOT))
                        .toList());
    }

    @Test
    void shouldSendWhatTheTopologySendsAndReceiveWhatItReads() {
        assertThat(operations("receive")).isEqualTo(Set.of("device-heartbeat", "status", "appear-offline"));
        assertThat(operations("send"))
                .isEqualTo(Set.of(
                        "device-heartbeat",
                        "status",
                        "appear-offline",
                        "presence",
                        "presence-dead-letters",
                        "presence-routing"));
    }

    private Set<String> operations(String action) {
        return document.path("operations").properties().stream()
                .map(Map.Entry::getValue)
                .filter(operation -> operation.path("action").asText().equals(action))
                .map(operation ->
                        operation.path("channel").path("$ref").asText().replace("#/channels/", ""))
                .map(channel ->
                        document.path("channels").path(channel).path("address").asText())
                .collect(Collectors.toSet());
    }

    private Map<String, JsonNode> channels() {
        return document.path("channels").properties().stream()
                .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
    }

    private JsonNode message(String name) {
        return document.path("components").path("messages").path(name);
    }

    private Set<String> headers(String message) {
        return names(message(message).path("headers").path("properties"));
    }

    private static Set<String> names(JsonNode object) {
        return object.properties().stream().map(Map.Entry::getKey).collect(Collectors.toCollection(TreeSet::new));
    }

    private static JsonNode read() {
        try (InputStream in = AsyncApiTest.class.getResourceAsStream("/asyncapi.json")) {
            return MAPPER.readTree(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
