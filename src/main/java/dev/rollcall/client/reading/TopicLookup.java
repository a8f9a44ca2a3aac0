package dev.rollcall.client.reading;

import java.util.concurrent.CompletionStage;

/** Asks the brokers for a topic's description, without blocking. */
public interface TopicLookup extends AutoCloseable {
    /**
     * A topic's description.
     *
     * @param id differs if the topic was deleted and created again under the same name
     */
    record TopicInfo(String id, int partitions) {}

    /** Fails with the exceptions of Kafka's admin client. */
    CompletionStage<TopicInfo> describe(String topic);

    @Override
    void close();
}
