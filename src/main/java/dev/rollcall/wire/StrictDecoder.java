package dev.rollcall.wire;

import dev.rollcall.domain.Unicode;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.Decoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.util.Utf8;

/**
 * Avro's decoder of bytes in memory, for bytes that anybody may have written. Two things differ:
 *
 * <ul>
 *   <li>Text that is not well-formed comes out as {@link #ILL_FORMED}, where Avro would repair it: whoever knows the
 *       field's name can then refuse it (rule 12).
 *   <li>An array that claims more items than there are bytes left is refused before it is allocated: an item of ours takes
 *       a byte at least, and an {@link OutOfMemoryError} would end the thread.
 * </ul>
 */
final class StrictDecoder extends Decoder {
    /** An unpaired surrogate, which no bytes decode to. */
    static final String ILL_FORMED = "\uD800";

    private final BinaryDecoder in;

    StrictDecoder(byte[] bytes, int from) {
        in = DecoderFactory.get().binaryDecoder(bytes, from, bytes.length - from, null);
    }

    boolean isEnd() throws IOException {
        return in.isEnd();
    }

    @Override
    public String readString() throws IOException {
        Utf8 text = in.readString(null);
        return Unicode.isWellFormed(text.getBytes(), 0, text.getByteLength()) ? text.toString() : ILL_FORMED;
    }

    @Override
    public Utf8 readString(Utf8 old) throws IOException {
        return new Utf8(readString());
    }

    @Override
    public long readArrayStart() throws IOException {
        return bounded(in.readArrayStart());
    }

    @Override
    public long arrayNext() throws IOException {
        return bounded(in.arrayNext());
    }

    @Override
    public long readMapStart() throws IOException {
        return bounded(in.readMapStart());
    }

    @Override
    public long mapNext() throws IOException {
        return bounded(in.mapNext());
    }

    private long bounded(long items) throws IOException {
        if (items > in.remainingBytes()) {
            throw new EOFException("%d items are claimed in %d bytes".formatted(items, in.remainingBytes()));
        }
        return items;
    }

    // ---- as it is ----

    @Override
    public void readNull() throws IOException {
        in.readNull();
    }

    @Override
    public boolean readBoolean() throws IOException {
        return in.readBoolean();
    }

    @Override
    public int readInt() throws IOException {
        return in.readInt();
    }

    @Override
    public long readLong() throws IOException {
        return in.readLong();
    }

    @Override
    public float readFloat() throws IOException {
        return in.readFloat();
    }

    @Override
    public double readDouble() throws IOException {
        return in.readDouble();
    }

    @Override
    public void skipString() throws IOException {
        in.skipString();
    }

    @Override
    public ByteBuffer readBytes(ByteBuffer old) throws IOException {
        return in.readBytes(old);
    }

    @Override
    public void skipBytes() throws IOException {
        in.skipBytes();
    }

    @Override
    public void readFixed(byte[] bytes, int start, int length) throws IOException {
        in.readFixed(bytes, start, length);
    }

    @Override
    public void skipFixed(int length) throws IOException {
        in.skipFixed(length);
    }

    @Override
    public int readEnum() throws IOException {
        return in.readEnum();
    }

    @Override
    public long skipArray() throws IOException {
        return in.skipArray();
    }

    @Override
    public long skipMap() throws IOException {
        return in.skipMap();
    }

    @Override
    public int readIndex() throws IOException {
        return in.readIndex();
    }

    @Override
    public int remainingBytes() {
        return in.remainingBytes();
    }
}
