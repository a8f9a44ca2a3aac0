package dev.rollcall.chaos;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserId;
import dev.rollcall.wire.Inbound;
import dev.rollcall.wire.Topics;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/** What rule 12 speaks of: records that mean nothing, on all inputs, under the names of users who are there. */
final class Garbage {
    private static final Topics TOPICS = Topics.ofContract();
    private static final List<String> INPUTS =
            TOPICS.inputs().stream().map(topic -> topic.name()).toList();

    /** More than a dead letter can hold, once it is unpacked. */
    private static final int LARGE = 2_000_000;

    private final Random random;

    Garbage(Random random) {
        this.random = random;
    }

    /** Sends that many, and waits until the brokers have them. */
    void send(String bootstrapServers, int count, int users) {
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                Map.of(
                        ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
                        bootstrapServers,
                        ProducerConfig.ACKS_CONFIG,
                        "all",
                        ProducerConfig.LINGER_MS_CONFIG,
                        5,
                        ProducerConfig.COMPRESSION_TYPE_CONFIG,
                        "gzip",
                        ProducerConfig.MAX_REQUEST_SIZE_CONFIG,
                        4 * LARGE),
                new ByteArraySerializer(),
                new ByteArraySerializer())) {
            for (int sent = 0; sent < count; sent++) {
                byte[] user = UserId.of("@user-" + random.nextInt(users) + ":example.org")
                        .bytes();
                var unused = producer.send(record(INPUTS.get(random.nextInt(INPUTS.size())), user));
            }
            for (String topic : INPUTS) {
                sendLarge(producer, topic);
            }
            producer.flush();
        }
    }

    /** A few of each kind, since each takes as much as all others together. */
    private void sendLarge(KafkaProducer<byte[], byte[]> producer, String topic) {
        byte[] large = "x".repeat(LARGE).getBytes(UTF_8);
        byte[] user = UserId.of("@user-0:example.org").bytes();
        ProducerRecord<byte[], byte[]> withHeader = new ProducerRecord<>(topic, user, bytes(9));
        withHeader.headers().add("trace", large);
        for (ProducerRecord<byte[], byte[]> record : List.of(
                new ProducerRecord<>(topic, user, large), new ProducerRecord<>(topic, large, bytes(9)), withHeader)) {
            var unused = producer.send(record);
        }
    }

    private ProducerRecord<byte[], byte[]> record(String topic, byte[] user) {
        return switch (random.nextInt(7)) {
            case 5 -> new ProducerRecord<>(topic, user, illFormed(topic));
            case 0 -> new ProducerRecord<>(topic, user, bytes(1 + random.nextInt(60)));
            case 1 -> new ProducerRecord<>(topic, null, heartbeat(1_000)); // on any partition, with no user
            case 2 -> new ProducerRecord<>(topic, random.nextBoolean() ? new byte[0] : bytes(256), heartbeat(1_000));
            case 3 -> new ProducerRecord<>(topic, user, cut(heartbeat(1_000)));
            case 4 -> new ProducerRecord<>(topic, user, outOfRange(topic));
            default -> new ProducerRecord<>(topic, user, ofAnotherTopic(topic));
        };
    }

    private byte @Nullable [] outOfRange(String topic) {
        if (topic.equals(TOPICS.statuses().name())) {
            return status("much too long ".repeat(200));
        }
        if (topic.equals(TOPICS.heartbeats().name()) && random.nextBoolean()) {
            return null; // which the other two topics have a meaning for
        }
        return heartbeat(random.nextBoolean() ? 0 : Long.MAX_VALUE);
    }

    /** The id or the text is not UTF-8; a flag has neither, and is on the wrong topic. */
    private static byte[] illFormed(String topic) {
        byte[] value = topic.equals(TOPICS.statuses().name()) ? status("caf-") : heartbeat(1_000);
        for (int i = 10; i < value.length; i++) {
            value[i] = value[i] == '-' ? (byte) 0xE9 : value[i];
        }
        return value;
    }

    private static byte[] ofAnotherTopic(String topic) {
        return topic.equals(TOPICS.statuses().name()) ? heartbeat(1_000) : status("lost my way");
    }

    private static byte[] heartbeat(long leaseMs) {
        Heartbeat heartbeat = new Heartbeat("device-0-0", null, false, OptionalLong.of(leaseMs), null);
        return TOPICS.heartbeats()
                .values()
                .serializer()
                .serialize(TOPICS.heartbeats().name(), Inbound.of(new Inbound.Beat(heartbeat)));
    }

    private static byte[] status(String text) {
        return TOPICS.statuses()
                .values()
                .serializer()
                .serialize(TOPICS.statuses().name(), Inbound.of(new Inbound.Status(new StatusText(text, null))));
    }

    private byte[] cut(byte[] whole) {
        return Arrays.copyOf(whole, 1 + random.nextInt(whole.length - 1));
    }

    /** Letters, so that they are a valid key but for their number. */
    private byte[] bytes(int count) {
        StringBuilder letters = new StringBuilder();
        random.ints(count, 'a', 'z' + 1).forEach(letters::appendCodePoint);
        return letters.toString().getBytes(UTF_8);
    }
}
