package dev.rollcall.topology;

import dev.rollcall.domain.UserId;
import dev.rollcall.wire.Inbound;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.streams.processor.api.RecordMetadata;
import org.jspecify.annotations.Nullable;

/**
 * One record of an input, and where it lay.
 *
 * @param stamp when the broker says that it was written (rule 7), in ms since the epoch
 */
record InputRecord(
        @Nullable UserId user, Inbound value, long stamp, Headers headers, String topic, int partition, long offset)
        implements RecordMetadata {}
