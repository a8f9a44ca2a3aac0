package dev.rollcall.chaos.held;

import dev.rollcall.chaos.held.Finding.Symptom;
import dev.rollcall.chaos.held.Transaction.End;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;

/** What a reader of committed records sees of the transactions of the {@link Tries}. */
public final class CommittedRecords {
    private static final Collection<TopicPartition> PARTITIONS = IntStream.range(0, Tries.PARTITIONS)
            .mapToObj(partition -> new TopicPartition(Tries.TOPIC, partition))
            .toList();

    private final Set<String> visible = new HashSet<>();
    private final List<String> hanging = new ArrayList<>();

    /** Reads them all, and waits up to that limit for transactions that are still open. */
    public CommittedRecords(String bootstrapServers, Duration limit) {
        long deadline = System.nanoTime() + limit.toNanos();
        Map<TopicPartition, Long> ends;
        try (KafkaConsumer<String, String> all = reader(bootstrapServers, IsolationLevel.READ_UNCOMMITTED)) {
            ends = all.endOffsets(PARTITIONS);
        }
        try (KafkaConsumer<String, String> committed = reader(bootstrapServers, IsolationLevel.READ_COMMITTED)) {
            committed.assign(PARTITIONS);
            committed.seekToBeginning(PARTITIONS);
            while (!isRead(committed, ends)) {
                if (System.nanoTime() > deadline) {
                    ends.forEach((partition, end) -> {
                        if (committed.position(partition) < end) {
                            hanging.add(
                                    "%s from %d on, of %d".formatted(partition, committed.position(partition), end));
                        }
                    });
                    return;
                }
                committed.poll(Duration.ofMillis(200)).forEach(record -> visible.add(record.value()));
            }
        }
    }

    /** What is wrong with these transactions. */
    public List<Finding> findings(Tries tries) {
        List<Finding> findings = new ArrayList<>();
        hanging.forEach(where -> findings.add(new Finding(Symptom.HANGING, "", where)));
        for (Transaction transaction : tries.transactions()) {
            List<String> seen =
                    transaction.values().stream().filter(visible::contains).toList();
            boolean isWhole = seen.size() == transaction.values().size();
            String what = "%s, visible %s of %s".formatted(transaction.end(), seen, transaction.values());
            switch (transaction.end()) {
                case COMMITTED -> {
                    if (!isWhole) {
                        Symptom symptom = seen.isEmpty() ? Symptom.LOST : Symptom.TORN;
                        findings.add(new Finding(symptom, transaction.toString(), what));
                    }
                }
                case UNKNOWN -> {
                    if (!isWhole && !seen.isEmpty()) {
                        findings.add(new Finding(Symptom.TORN, transaction.toString(), what));
                    }
                }
                case ABORTED, NONE -> {
                    if (!seen.isEmpty()) {
                        findings.add(new Finding(Symptom.SHOWN, transaction.toString(), what));
                    }
                }
            }
        }
        return findings;
    }

    /** How many of these transactions were acknowledged as committed. */
    public static long committed(Tries tries) {
        return tries.transactions().stream()
                .filter(transaction -> transaction.end() == End.COMMITTED)
                .count();
    }

    private static boolean isRead(KafkaConsumer<String, String> consumer, Map<TopicPartition, Long> ends) {
        return ends.entrySet().stream().allMatch(end -> consumer.position(end.getKey()) >= end.getValue());
    }

    private static KafkaConsumer<String, String> reader(String bootstrapServers, IsolationLevel isolation) {
        return new KafkaConsumer<>(
                Map.of(
                        ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG,
                        bootstrapServers,
                        ConsumerConfig.ISOLATION_LEVEL_CONFIG,
                        isolation.toString(),
                        ConsumerConfig.MAX_POLL_RECORDS_CONFIG,
                        10_000),
                new StringDeserializer(),
                new StringDeserializer());
    }
}
