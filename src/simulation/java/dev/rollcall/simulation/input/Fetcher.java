package dev.rollcall.simulation.input;

import dev.rollcall.simulation.kafka.Broker;
import dev.rollcall.simulation.kafka.Cluster;
import dev.rollcall.simulation.kafka.Log;
import dev.rollcall.simulation.kafka.LogRecord;
import dev.rollcall.simulation.time.EventQueue;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;

/**
 * A consumer's fetches: of each broker one at a time, with that broker's latency and a bounded answer, so that the inputs arrive
 * in another order than they were written in.
 */
public final class Fetcher {
    /** One partition that is read. */
    private static final class Source {
        private final Log log;
        private long fetched;
        private long position;
        private long stable = -1;
        private boolean isPaused;
        private int answers;

        Source(Log log, long from) {
            this.log = log;
            fetched = from;
            position = from;
        }
    }

    private record Answer(Source source, Deque<LogRecord> records, long next, long stable) {}

    private final EventQueue time;
    private final int limit;
    private final Runnable onData;
    private final Map<TopicPartition, Source> sources = new LinkedHashMap<>();
    private final Map<TopicPartition, Runnable> readers = new LinkedHashMap<>();
    private final Deque<Answer> answers = new ArrayDeque<>();
    private final boolean[] isInFlight;
    private final Cluster cluster;
    private final Consumer<Broker> watcher = this::request;
    private int turn;

    public Fetcher(EventQueue time, Cluster cluster, int limit, Runnable onData) {
        this.time = time;
        this.limit = limit;
        this.onData = onData;
        isInFlight = new boolean[cluster.brokers().size()];
        this.cluster = cluster;
        cluster.watch(watcher);
    }

    public void add(Log log, long from) {
        sources.put(log.name(), new Source(log, from));
        Runnable reader = () -> request(log.leader());
        readers.put(log.name(), reader);
        log.addReader(reader);
        request(log.leader());
    }

    public void remove(Log log) {
        sources.remove(log.name());
        Runnable reader = readers.remove(log.name());
        if (reader != null) {
            log.removeReader(reader);
        }
        answers.removeIf(answer -> answer.source.log == log);
    }

    public void close() {
        cluster.unwatch(watcher);
    }

    public void pause(TopicPartition partition, boolean paused) {
        Source source = sources.get(partition);
        if (source != null && source.isPaused != paused) {
            source.isPaused = paused;
            if (!paused) {
                request(source.log.leader());
            }
        }
    }

    private void request(Broker broker) {
        if (!isInFlight[broker.id()] && broker.isUp() && !sources.isEmpty()) {
            isInFlight[broker.id()] = true;
            time.afterMicros(broker.latencyMicros() / 2, () -> answer(broker));
        }
    }

    private void answer(Broker broker) {
        List<Answer> all = new ArrayList<>(3);
        int left = limit;
        List<Source> led = new ArrayList<>(sources.values());
        int first = led.isEmpty() ? 0 : turn++ % led.size();
        for (int i = 0; i < led.size(); i++) {
            Source source = led.get((first + i) % led.size());
            if (source.log.leader() != broker || !source.log.isAvailable() || source.isPaused || source.answers > 0) {
                continue;
            }
            source.fetched = Math.max(source.fetched, source.log.startOffset());
            List<LogRecord> records = new ArrayList<>(4);
            long next = left > 0 ? source.log.read(source.fetched, left, records) : source.fetched;
            left -= records.size();
            long stable = source.log.stableOffset();
            if (next > source.fetched || source.stable < 0) {
                source.answers++;
                source.fetched = next;
                all.add(new Answer(source, new ArrayDeque<>(records), next, stable));
            }
        }
        if (all.isEmpty()) {
            isInFlight[broker.id()] = false; // until there is something
            return;
        }
        time.afterMicros(broker.latencyMicros() / 2, () -> {
            isInFlight[broker.id()] = false;
            for (Answer answer : all) {
                if (sources.get(answer.source.log.name()) == answer.source) {
                    answers.add(answer);
                }
            }
            onData.run();
        });
    }

    public boolean hasData() {
        for (Answer answer : answers) {
            if (!answer.source.isPaused) {
                return true;
            }
        }
        return false;
    }

    /** What has arrived, up to a number of records. */
    public Map<TopicPartition, List<ConsumerRecord<byte[], byte[]>>> poll(int most) {
        Map<TopicPartition, List<ConsumerRecord<byte[], byte[]>>> polled = new LinkedHashMap<>();
        int left = most;
        for (Iterator<Answer> all = answers.iterator(); all.hasNext() && left > 0; ) {
            Answer answer = all.next();
            Source source = answer.source;
            if (source.isPaused) {
                continue;
            }
            while (left > 0 && !answer.records.isEmpty()) {
                LogRecord record = answer.records.poll();
                source.position = record.offset() + 1;
                polled.computeIfAbsent(source.log.name(), any -> new ArrayList<>())
                        .add(record);
                left--;
            }
            if (answer.records.isEmpty()) {
                source.position = answer.next;
                source.answers--;
                all.remove();
                request(source.log.leader());
            }
            source.stable = answer.stable;
        }
        return polled;
    }

    /** How many records are missing, as far as the last fetch has told. */
    public OptionalLong lag(TopicPartition partition) {
        Source source = sources.get(partition);
        return source == null || source.stable < 0
                ? OptionalLong.empty()
                : OptionalLong.of(Math.max(0, source.stable - source.position));
    }

    public OptionalLong position(TopicPartition partition) {
        Source source = sources.get(partition);
        return source == null ? OptionalLong.empty() : OptionalLong.of(source.position);
    }
}
