package dev.rollcall.app.repair.user;

import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.rollcall.app.repair.Clients;
import dev.rollcall.app.repair.Output;
import dev.rollcall.app.repair.TopicScan;
import dev.rollcall.domain.UserId;
import dev.rollcall.wire.Topic;
import dev.rollcall.wire.Topics;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.TopicConfig;
import org.jspecify.annotations.Nullable;

/** Where the id of a user is still to be found, in which partition of which topic. */
final class Traces {
    private final Clients clients;
    private final Map<TopicPartition, Trace> all = new HashMap<>();

    /** The records of a user in one partition. */
    private static final class Trace {
        private long values;
        private long tombstones;
        private long lastOffset;
        private long lastTimestamp;
        private boolean isLastAValue;

        void add(ConsumerRecord<byte[], byte[]> record) {
            isLastAValue = record.value() != null;
            values += isLastAValue ? 1 : 0;
            tombstones += isLastAValue ? 0 : 1;
            lastOffset = record.offset();
            lastTimestamp = Math.max(lastTimestamp, record.timestamp());
        }
    }

    private Traces(Clients clients) {
        this.clients = clients;
    }

    /** All topics that may have one. */
    static List<String> topics(Clients clients) {
        Topics topics = clients.topics();
        List<String> names =
                new ArrayList<>(topics.inputs().stream().map(Topic::name).toList());
        names.addAll(List.of(topics.presence().name(), topics.deadLetters().name(), clients.usersChangelog()));
        if (clients.config().rules().routing()) {
            names.add(topics.routing().name());
        }
        return names;
    }

    /** Reads all of these topics, also what was not committed: it is on the brokers' disks. */
    static Traces read(Clients clients, UserId user, List<String> topics) {
        Traces traces = new Traces(clients);
        TopicScan scan = clients.scanUncommitted();
        String deadLetters = clients.topics().deadLetters().name();
        for (String topic : topics) {
            scan.all(topic, record -> {
                boolean isOf = Arrays.equals(record.key(), user.bytes())
                        || (topic.equals(deadLetters) && contains(record.value(), user.bytes()));
                if (isOf) {
                    traces.all
                            .computeIfAbsent(new TopicPartition(topic, record.partition()), any -> new Trace())
                            .add(record);
                }
            });
        }
        return traces;
    }

    private static boolean contains(byte @Nullable [] value, byte[] id) {
        for (int at = 0; value != null && at + id.length <= value.length; at++) {
            if (Arrays.equals(value, at, at + id.length, id, 0, id.length)) {
                return true;
            }
        }
        return false;
    }

    boolean isEmpty() {
        return all.isEmpty();
    }

    /** Where the last record of the user is no tombstone. */
    List<TopicPartition> withValues() {
        return sorted().stream().filter(at -> trace(at).isLastAValue).toList();
    }

    Map<TopicPartition, Long> lastOffsets() {
        Map<TopicPartition, Long> last = new HashMap<>();
        all.forEach((at, trace) -> last.put(at, trace.lastOffset));
        return last;
    }

    ArrayNode json() {
        ArrayNode traces = Output.object().putArray("traces");
        for (TopicPartition at : sorted()) {
            Trace trace = trace(at);
            traces.addObject()
                    .put("topic", at.topic())
                    .put("partition", at.partition())
                    .put("values", trace.values)
                    .put("tombstones", trace.tombstones)
                    .put("last_offset", trace.lastOffset)
                    .put("last_timestamp", Output.time(trace.lastTimestamp))
                    .put("why", why(at.topic(), trace));
        }
        return traces;
    }

    List<String> lines() {
        return sorted().stream()
                .map(at -> "%s: %d records and %d tombstones: %s"
                        .formatted(at, trace(at).values, trace(at).tombstones, why(at.topic(), trace(at))))
                .toList();
    }

    /** Until when a topic keeps records. */
    static String retention(Clients clients, String topic) {
        return "%s: kept for %s ms (retention.ms), by the segment"
                .formatted(
                        topic,
                        clients.settings(topic).getOrDefault(TopicConfig.RETENTION_MS_CONFIG, "an unknown number of"));
    }

    private String why(String topic, Trace trace) {
        Map<String, String> settings = clients.settings(topic);
        boolean isCompacted = settings.getOrDefault(TopicConfig.CLEANUP_POLICY_CONFIG, "")
                .contains(TopicConfig.CLEANUP_POLICY_COMPACT);
        if (!isCompacted) {
            return retention(clients, topic);
        } else if (trace.isLastAValue) {
            Topics topics = clients.topics();
            boolean isAnInput = topic.equals(topics.statuses().name())
                    || topic.equals(topics.appearOffline().name());
            return isAnInput
                    ? "it holds: rollcall forget clears it"
                    : "it holds until the processor forgets the user (user.retention.ms), or rollcall forget --now";
        }
        return "erased, but compaction is still to come (min.cleanable.dirty.ratio=%s, segment.ms=%s; tombstones are kept for delete.retention.ms=%s)"
                .formatted(
                        settings.get(TopicConfig.MIN_CLEANABLE_DIRTY_RATIO_CONFIG),
                        settings.get(TopicConfig.SEGMENT_MS_CONFIG),
                        settings.get(TopicConfig.DELETE_RETENTION_MS_CONFIG));
    }

    private List<TopicPartition> sorted() {
        return all.keySet().stream()
                .sorted(Comparator.comparing(TopicPartition::topic).thenComparing(TopicPartition::partition))
                .toList();
    }

    private Trace trace(TopicPartition at) {
        @Nullable Trace trace = all.get(at);
        if (trace == null) {
            throw new IllegalStateException("nothing was found in " + at);
        }
        return trace;
    }
}
