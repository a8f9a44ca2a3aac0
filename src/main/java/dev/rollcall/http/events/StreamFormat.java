package dev.rollcall.http.events;

import dev.rollcall.gateway.BatchToken;
import dev.rollcall.gateway.PresenceSubscription.Batch;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** How the batches of a stream are written. An empty array stands for nothing to write. */
public enum StreamFormat {
    /** Server-Sent Events: one event per batch, with its token as the id. */
    EVENT_STREAM("text/event-stream", false) {
        /** Browsers reconnect after so many ms, which is well within the device's grace. */
        @Override
        byte[] opening() {
            return utf8("retry: 1000\n\n");
        }

        @Override
        byte[] batch(Batch batch) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            out.writeBytes(utf8("event: presence\nid: " + batch.nextBatch() + "\ndata: "));
            PresenceJson.write(out, batch);
            out.writeBytes(utf8("\n\n"));
            return out.toByteArray();
        }

        @Override
        byte[] ping() {
            return utf8(":\n\n");
        }

        @Override
        byte[] refusal(String error) {
            return utf8("event: end\ndata: " + error + "\n\n");
        }

        /** Browsers obey the retry; the event is for clients that reconnect by themselves. */
        @Override
        byte[] handOver(@Nullable BatchToken from) {
            return utf8("retry: 100\nevent: reconnect\ndata: {}\n\n");
        }
    },

    /** A long poll: the response is the first batch. */
    LONG_POLL("application/json", true) {
        @Override
        byte[] batch(Batch batch) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            PresenceJson.write(out, batch);
            return out.toByteArray();
        }

        @Override
        byte[] timedOut(@Nullable BatchToken from) {
            return utf8("{\"snapshot\":false,\"presences\":[],\"more\":false,\"next_batch\":\""
                    + (from == null ? "" : from) + "\"}");
        }

        @Override
        byte[] refusal(String error) {
            return utf8(error);
        }
    };

    private static final byte[] NOTHING = {};

    private final String contentType;
    private final boolean endsAfterBatch;

    StreamFormat(String contentType, boolean endsAfterBatch) {
        this.contentType = contentType;
        this.endsAfterBatch = endsAfterBatch;
    }

    public String contentType() {
        return contentType;
    }

    /** Whether the response ends after its first batch. */
    boolean endsAfterBatch() {
        return endsAfterBatch;
    }

    /** What is written before there is a batch. */
    byte[] opening() {
        return NOTHING;
    }

    abstract byte[] batch(Batch batch);

    /**
     * What is written when the stream has to end before its time.
     *
     * @param error a JSON object with the reason
     */
    abstract byte[] refusal(String error);

    /** What keeps proxies from closing a connection without traffic. */
    byte[] ping() {
        return NOTHING;
    }

    /** What is written when the stream ends, and there is nothing new. The client goes on from where it was. */
    byte[] timedOut(@Nullable BatchToken from) {
        return NOTHING;
    }

    /** What is written when the stream ends with its instance: the client goes on at another one, and at once. */
    byte[] handOver(@Nullable BatchToken from) {
        return timedOut(from);
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
