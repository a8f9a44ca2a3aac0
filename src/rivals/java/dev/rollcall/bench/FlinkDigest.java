package dev.rollcall.bench;

import dev.rollcall.domain.UserId;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.api.connector.sink2.SinkWriter;
import org.apache.flink.api.connector.sink2.WriterInitContext;

/** Throws away what is emitted, and keeps its digest. */
final class FlinkDigest implements Sink<FlinkChange> {
    private static final long serialVersionUID = 1;

    @Override
    public SinkWriter<FlinkChange> createWriter(WriterInitContext context) {
        OutputDigest digest = FlinkRun.digestHere();
        return new SinkWriter<>() {
            @Override
            public void write(FlinkChange change, Context unused) {
                digest.transition(UserId.of(change.user), change.state, change.since);
            }

            @Override
            public void flush(boolean endOfInput) {}

            @Override
            public void close() {}
        };
    }
}
