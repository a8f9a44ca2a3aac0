package dev.rollcall.client.reading;

import java.util.Set;
import java.util.concurrent.CompletionStage;

/** Asks the brokers for a topic's description, without blocking. */
public interface TopicLookup extends AutoCloseable {
    /**
     * A topic's description.
     *
     * @param id differs if the topic was deleted and created again under the same name
     * @param leaders the ids of the brokers that lead its partitions
     * @param isLed whether each partition has a leader
     */
    record TopicInfo(String id, int partitions, Set<Integer> leaders, boolean isLed) {}

    /** Fails with the exceptions of Kafka's admin client. */
    CompletionStage<TopicInfo> describe(String topic);

    @Override
    void close();
}
