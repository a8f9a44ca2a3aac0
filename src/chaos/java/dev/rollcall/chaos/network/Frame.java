package dev.rollcall.chaos.network;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.apache.kafka.common.requests.RequestHeader;

/** A request or a response as it goes over a connection, without the length in front of it. Nothing in it is changed. */
public final class Frame {
    private final byte[] bytes;

    Frame(byte[] bytes) {
        this.bytes = bytes;
    }

    /**
     * Waits for one.
     *
     * @throws EOFException if the other end has closed the connection
     */
    static Frame read(DataInputStream in) throws IOException {
        byte[] bytes = new byte[in.readInt()];
        in.readFully(bytes);
        return new Frame(bytes);
    }

    /** With the length in front, so that it goes out in one piece. */
    byte[] withLength() {
        return ByteBuffer.allocate(Integer.BYTES + bytes.length)
                .putInt(bytes.length)
                .put(bytes)
                .array();
    }

    ByteBuffer buffer() {
        return ByteBuffer.wrap(bytes);
    }

    /** The key of the request's kind, as the protocol numbers them: 26 is EndTxn. */
    public short apiKey() {
        return ByteBuffer.wrap(bytes).getShort();
    }

    /** The header of a request. */
    public RequestHeader header() {
        return RequestHeader.parse(buffer());
    }

    /** Whether this text is in it anywhere: in most requests about transactions, the transactional id is. */
    public boolean contains(String text) {
        byte[] wanted = text.getBytes(UTF_8);
        for (int i = 0; i <= bytes.length - wanted.length; i++) {
            if (Arrays.equals(bytes, i, i + wanted.length, wanted, 0, wanted.length)) {
                return true;
            }
        }
        return false;
    }
}
