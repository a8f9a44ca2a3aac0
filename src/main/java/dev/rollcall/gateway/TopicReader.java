package dev.rollcall.gateway;

import dev.rollcall.client.reading.AssignmentListener;
import dev.rollcall.client.reading.LeaderWatch;
import dev.rollcall.client.reading.PartitionAssignment;
import dev.rollcall.client.reading.ReaderClients;
import dev.rollcall.client.reading.Retries;
import dev.rollcall.client.reading.SchemaWait;
import dev.rollcall.client.reading.StartOffsets;
import dev.rollcall.client.reading.TopicLookup.TopicInfo;
import dev.rollcall.client.reading.TopicMonitor;
import dev.rollcall.domain.UserId;
import dev.rollcall.gateway.PresenceFeed.Progress;
import dev.rollcall.wire.Topic;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.InvalidOffsetException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.SerializationException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a {@link TopicCopy}: reads all partitions of the topic from their beginnings, what is committed, and goes on until
 * it is closed. Records are fetched from all brokers at once, and decoded on all cores while there are many. Waits for the
 * brokers and the topic; reads partitions that are added; begins anew if the topic is created again, or truncated.
 */
public final class TopicReader implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(TopicReader.class);
    private static final Duration POLL_TIMEOUT = Duration.ofMillis(200);
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(15);
    private static final int MAX_POLL_RECORDS = 5_000;

    /** Fewer records are decoded sooner by one thread. */
    private static final int PARALLEL_FROM = 1_000;

    private final String topic;
    private final Decoding<?, ?> decoding;
    private final Map<String, Object> settings;
    private final Consumer<Throwable> onDead;
    private final Thread thread;
    private volatile boolean stopped;

    /**
     * Starts reading.
     *
     * @param settings of a Kafka consumer; {@code bootstrap.servers} is required
     * @param onDead called once when reading keeps failing (see {@link Retries})
     */
    public <V, R> TopicReader(
            Topic<UserId, V> topic, Map<String, ?> settings, TopicCopy<V, R> copy, Consumer<Throwable> onDead) {
        this.topic = topic.name();
        this.decoding = new Decoding<>(topic, copy);
        this.settings = new HashMap<>(settings);
        this.settings.putIfAbsent(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, MAX_POLL_RECORDS);
        this.onDead = onDead;
        thread = new Thread(this::read, "copy-of-" + topic.name());
        thread.setDaemon(true);
        thread.start();
    }

    /** Ends reading, and waits up to 15 s for that. */
    @Override
    public void close() {
        stopped = true;
        try {
            thread.join(CLOSE_TIMEOUT.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void read() {
        Retries retries = new Retries();
        while (!stopped) {
            try (Reading reading = new Reading()) {
                while (!stopped) {
                    reading.step();
                }
            } catch (Throwable e) {
                boolean isLast = e instanceof Error || !retries.mayTryAgain(System.nanoTime());
                String why = isLast ? ", whose reading has ended" : " to be read again: " + e.getMessage();
                decoding.copy.fail(topic + why);
                if (isLast) {
                    LOG.error("the reading of {} has ended, and nothing is answered from it any more", topic, e);
                    onDead.accept(e);
                    return;
                }
                LOG.warn("the reading of {} has failed, and begins anew: {}", topic, String.valueOf(e.getMessage()));
                retries.pause(() -> stopped);
            }
        }
    }

    /** One pass, from the beginning until something fails. Nothing is committed. */
    private final class Reading implements AssignmentListener, AutoCloseable {
        private final ReaderClients clients = ReaderClients.connect(settings, null);
        private final TopicMonitor monitor = new TopicMonitor(topic, clients.lookup(), System::nanoTime);
        private final LeaderWatch leaders = new LeaderWatch(clients.consumer(), System::nanoTime);
        private final PartitionAssignment assignment =
                new PartitionAssignment(topic, false, true, clients.consumer(), monitor, this);
        private final Map<TopicPartition, StartOffsets> started = new HashMap<>();
        private final SchemaWait schema = new SchemaWait(topic);

        void step() {
            TopicInfo described = monitor.poll();
            if (described != null) {
                assignment.update(described);
                leaders.described(described);
                decoding.copy.readsTopic(described.id(), described.partitions());
            }
            if (assignment.canPoll()) {
                assignment.resume();
                poll();
            } else {
                monitor.await(POLL_TIMEOUT);
            }
            assignment.startAssigned();
            advance();
        }

        private void poll() {
            try {
                ConsumerRecords<byte[], byte[]> records = clients.consumer().poll(POLL_TIMEOUT);
                List<ConsumerRecord<byte[], byte[]>> read = new ArrayList<>(records.count());
                for (TopicPartition partition : records.partitions()) {
                    if (started.containsKey(partition)) {
                        read.addAll(records.records(partition));
                    }
                }
                schema.read(() -> decoding.apply(read), decoding.copy::fail, () -> stopped);
            } catch (InvalidOffsetException e) {
                assignment.outOfRange(e.partitions(), e);
            }
        }

        private void advance() {
            boolean complete = !started.isEmpty() && assignment.starting().isEmpty() && !monitor.isMissing();
            long read = 0;
            long total = 0;
            long behind = 0;
            Map<Integer, Long> positions = new HashMap<>();
            for (var entry : started.entrySet()) {
                StartOffsets start = entry.getValue();
                long position = assignment.position(entry.getKey()).orElse(start.position());
                complete &= position >= start.completeAt();
                positions.put(entry.getKey().partition(), position);
                read += Math.min(position, start.completeAt()) - start.position();
                total += start.completeAt() - start.position();
                behind += assignment.lag(entry.getKey()).orElse(Math.max(0, start.end() - position));
            }
            decoding.copy.readUpTo(positions);
            decoding.copy.advance(new Progress(complete, read, total, behind, monitor.waitsFor(), leaders.stalledMs()));
        }

        @Override
        public void started(TopicPartition partition, StartOffsets offsets) {
            started.put(partition, offsets);
        }

        @Override
        public void reset(Collection<TopicPartition> partitions) {
            started.keySet().removeAll(partitions);
            decoding.copy.clear(
                    partitions.stream().map(TopicPartition::partition).toList());
        }

        @Override
        public void close() {
            clients.close();
            if (!stopped) {
                reset(List.copyOf(started.keySet())); // another pass follows
            }
        }
    }

    /** A topic and the copy of it, whose types belong together. */
    private record Decoding<V, R>(Topic<UserId, V> topic, TopicCopy<V, R> copy) {
        void apply(List<ConsumerRecord<byte[], byte[]>> read) {
            var stream = read.size() < PARALLEL_FROM ? read.stream() : read.parallelStream();
            List<R> records = stream.<R>mapMulti(this::decode).toList();
            if (!records.isEmpty()) {
                copy.apply(records);
            }
        }

        private void decode(ConsumerRecord<byte[], byte[]> record, Consumer<R> to) {
            try {
                UserId user = topic.keys().deserializer().deserialize(record.topic(), record.key());
                V value = topic.values().deserializer().deserialize(record.topic(), record.value());
                if (user == null || !user.isValid()) {
                    throw new SerializationException("the key is not a user's id");
                }
                to.accept(copy.record(user, value, record.timestamp(), record.partition(), record.offset()));
            } catch (SerializationException e) {
                LOG.error("{}-{} at offset {} cannot be read", record.topic(), record.partition(), record.offset(), e);
            }
        }
    }
}
