package dev.rollcall.topology;

import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.streams.processor.TimestampExtractor;

/**
 * The time by which Kafka Streams chooses between the inputs (rule 7): the broker's stamp. Streams tells of every record that
 * its producer had stamped it, so what type a stamp has is not looked at here: that the inputs have LogAppendTime is checked
 * at start.
 */
final class BrokerStamp implements TimestampExtractor {
    @Override
    public long extract(ConsumerRecord<Object, Object> record, long partitionTime) {
        return Math.max(0, record.timestamp()); // one below 0 would be dropped without a word
    }
}
