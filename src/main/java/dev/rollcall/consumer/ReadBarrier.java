package dev.rollcall.consumer;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The order of stamps between the inputs (rule 7): makes Kafka Streams wait, before it handles what it has polled of one
 * input, for what had been written to the others by then.
 *
 * <p>Streams takes the records of several inputs in the order of their stamps, as far as it knows of them. An input that has
 * no record in memory, and had none to read when its broker last answered a fetch, is not waited for (KIP-695). That falls
 * short in two ways:
 *
 * <ul>
 *   <li>The answer may be older than the records of another broker that are at hand, by a turn or two of a busy thread.
 *   <li>To read is what is committed. While a transaction is open, Rollcall's own with a clock tick in it for one, what lies
 *       behind in that log cannot be read, and newer records of another input would be handled first.
 * </ul>
 *
 * So the leaders are asked for the ends of the logs no earlier than {@link #MAX_AGE} before records are handed on, and what
 * is missing up to there is named as the lag of each input. Elsewhere this is known as a read barrier, or as a read index
 * (Ongaro's dissertation on Raft, 6.4).
 *
 * <p>A leader that does not answer holds back the partitions that it leads, and no other: their time stands still
 * until it answers again.
 *
 * <p>Not safe for use by several threads: each stream thread has one.
 */
final class ReadBarrier {
    /** A flag counts if it was acknowledged 100 ms before a heartbeat was sent (rule 7), and this is a bit less. */
    static final Duration MAX_AGE = Duration.ofMillis(80);

    /** So long a stream thread waits for a leader; after that only the partitions wait. */
    static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(1);

    /** From this age on an answer is asked for again. */
    private static final Duration AGING = MAX_AGE.dividedBy(2);

    private static final Duration MIN_INTERVAL = MAX_AGE.dividedBy(4);

    private static final Logger LOG = LoggerFactory.getLogger(ReadBarrier.class);

    private final List<String> topics;
    private final Function<Set<TopicPartition>, Map<TopicPartition, KafkaFuture<ListOffsetsResultInfo>>> leaders;
    private final LongSupplier nanoTime;
    private final Map<TopicPartition, Input> inputs = new HashMap<>();
    private final Map<Integer, List<Input>> byPartition = new HashMap<>();

    /**
     * @param topics the inputs, partitioned alike
     * @param leaders asks for the ends of logs, as of a time after the call
     */
    ReadBarrier(
            List<String> topics,
            Function<Set<TopicPartition>, Map<TopicPartition, KafkaFuture<ListOffsetsResultInfo>>> leaders,
            LongSupplier nanoTime) {
        this.topics = topics;
        this.leaders = leaders;
        this.nanoTime = nanoTime;
    }

    /** One partition of an input, and how far its log is known to go. Times in ns. */
    private static final class Input {
        private final TopicPartition partition;
        private long neededAt;
        private boolean isAsked;
        private long askedAt;
        private @Nullable KafkaFuture<ListOffsetsResultInfo> question;
        private boolean isKnown;
        private long knownSince;
        private long end;
        private boolean isAway;

        Input(TopicPartition partition) {
            this.partition = partition;
        }

        boolean isFresh() {
            takeAnswer();
            return !isOlderThan(neededAt - MAX_AGE.toNanos());
        }

        boolean wasNeededAt(long nanos) {
            return neededAt - nanos >= 0;
        }

        boolean isOlderThan(long nanos) {
            return !isKnown || knownSince - nanos < 0;
        }

        boolean askedBefore(long nanos) {
            return !isAsked || askedAt - nanos <= 0;
        }

        private void takeAnswer() {
            if (question == null || !question.isDone()) {
                return;
            }
            try {
                end = question.get().offset();
                knownSince = askedAt;
                isKnown = true;
                if (isAway) {
                    LOG.info("the leader of {} answers again", partition);
                }
                isAway = false;
            } catch (ExecutionException e) {
                markAway(String.valueOf(e.getCause()));
            } catch (InterruptedException e) {
                throw new InterruptException(e);
            }
            question = null;
        }

        void markAway(String why) {
            if (!isAway) {
                LOG.warn("the leader of {} does not answer ({}): its users wait", partition, why);
            }
            isAway = true;
        }
    }

    /** Before records of these partitions are handed on: asks how far the inputs go there, and waits for the answers. */
    void await(Set<TopicPartition> polled) {
        long now = nanoTime.getAsLong();
        if (polled.isEmpty() || !needs(polled, now)) {
            return; // the latter as nearly always where one poll follows the other
        }
        // One request for all that are read, where each partition would soon have had its own.
        ask(inputs.values().stream()
                .filter(input ->
                        input.wasNeededAt(now - MAX_AGE.toNanos()) && input.isOlderThan(now - AGING.toNanos() / 2))
                .toList());
        List<Input> needed = polled.stream()
                .flatMap(partition -> inputsOf(partition.partition()).stream())
                .distinct() // two topics of one partition may have been polled
                .toList();
        while (true) {
            List<Input> stale =
                    needed.stream().filter(input -> !input.isFresh()).toList();
            ask(stale);
            List<Input> awaited = stale.stream().filter(input -> !input.isAway).toList();
            if (awaited.isEmpty()) {
                return;
            }
            if (nanoTime.getAsLong() - now >= ANSWER_TIMEOUT.toNanos()) {
                awaited.forEach(input -> input.markAway("after " + ANSWER_TIMEOUT.toMillis() + " ms"));
                return;
            }
            awaited.forEach(input -> awaitAnswer(input, now + ANSWER_TIMEOUT.toNanos()));
        }
    }

    /** Says of the inputs of these partitions how old an answer may be; returns whether one is too old, or soon will be. */
    private boolean needs(Set<TopicPartition> polled, long now) {
        boolean isAging = false;
        for (TopicPartition partition : polled) {
            for (Input input : inputsOf(partition.partition())) {
                input.neededAt = now;
                input.takeAnswer();
                isAging |= input.isOlderThan(now - AGING.toNanos());
            }
        }
        return isAging;
    }

    private List<Input> inputsOf(int partition) {
        return byPartition.computeIfAbsent(
                partition,
                any -> topics.stream()
                        .map(topic -> new Input(new TopicPartition(topic, partition)))
                        .peek(input -> inputs.put(input.partition, input))
                        .toList());
    }

    /** Asks of those who are not being asked, and have not been for a while: one that refuses does so at once. */
    private void ask(Collection<Input> all) {
        long now = nanoTime.getAsLong();
        List<Input> unasked = all.stream()
                .filter(input -> input.question == null && input.askedBefore(now - MIN_INTERVAL.toNanos()))
                .toList();
        if (unasked.isEmpty()) {
            return;
        }
        Map<TopicPartition, KafkaFuture<ListOffsetsResultInfo>> answers =
                leaders.apply(unasked.stream().map(input -> input.partition).collect(Collectors.toSet()));
        for (Input input : unasked) {
            input.question = answers.get(input.partition);
            input.askedAt = now;
            input.isAsked = true;
        }
    }

    private void awaitAnswer(Input input, long deadline) {
        try {
            requireNonNull(input.question).get(deadline - nanoTime.getAsLong(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException | ExecutionException e) {
            // seen when the answer is taken
        } catch (InterruptedException e) {
            throw new InterruptException(e);
        }
    }

    /**
     * How many records of a partition are known to be missing in memory; empty while that is not known, and then Streams waits.
     * Streams asks in each turn of the thread, also when nothing is polled any more because it waits for this one.
     *
     * @param fetched what the last fetch has told of it
     * @param position gives the offset of the next record to fetch; empty: that is being looked for
     */
    OptionalLong lag(TopicPartition partition, OptionalLong fetched, Function<TopicPartition, OptionalLong> position) {
        Input input = inputs.get(partition);
        if (input == null || fetched.isEmpty() || fetched.getAsLong() > 0) {
            return fetched;
        }
        if (!input.isFresh()) {
            ask(List.of(input));
            return OptionalLong.empty();
        }
        OptionalLong next = position.apply(partition);
        if (next.isEmpty()) {
            return next;
        }
        long missing = Math.max(0, input.end - next.getAsLong());
        if (missing > 0 && input.askedBefore(nanoTime.getAsLong() - ANSWER_TIMEOUT.toNanos())) {
            ask(List.of(input)); // the log may have lost its end
        }
        return OptionalLong.of(missing);
    }
}
