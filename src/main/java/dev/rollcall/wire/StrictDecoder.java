package dev.rollcall.wire;

import dev.rollcall.text.Unicode;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.Decoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.util.Utf8;

/**
 * Avro's decoder of bytes in memory, but for text that is not well-formed: it comes out as {@link #ILL_FORMED}, where Avro
 * would repair it, so that whoever knows the field's name can refuse it (rule 12).
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
    public long readArrayStart() throws IOException {
        return in.readArrayStart();
    }

    @Override
    public long arrayNext() throws IOException {
        return in.arrayNext();
    }

    @Override
    public long readMapStart() throws IOException {
        return in.readMapStart();
    }

    @Override
    public long mapNext() throws IOException {
        return in.mapNext();
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

    /** By this Avro refuses an array that claims more items than can be there, before it makes room for them. */
    @Override
    public int remainingBytes() {
        return in.remainingBytes();
    }
}
