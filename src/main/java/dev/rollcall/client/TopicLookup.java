package dev.rollcall.client;

import java.util.concurrent.CompletionStage;

/** Asks the brokers what a topic is at the moment, without waiting for their answer. */
interface TopicLookup extends AutoCloseable {
    /**
     * What the brokers say of it.
     *
     * @param id another one if a topic is deleted and created again under the same name
     */
    record TopicInfo(String id, int partitions) {}

    /** Fails with what Kafka's admin client fails with. */
    CompletionStage<TopicInfo> ask(String topic);

    @Override
    void close();
}
