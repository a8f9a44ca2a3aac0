package dev.rollcall.text;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Ids are nearly always ASCII, of which each byte is a character, and well-formed UTF-8: that saves the decoding. */
public final class Ascii {
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.nativeOrder());
    private static final long HIGH_BITS = 0x8080_8080_8080_8080L;

    private Ascii() {}

    /** Whether the bytes from the one to before the other are ASCII. */
    public static boolean isAscii(byte[] bytes, int from, int to) {
        long any = 0;
        int at = from;
        for (; at + Long.BYTES <= to; at += Long.BYTES) {
            any |= (long) LONG.get(bytes, at);
        }
        for (; at < to; at++) {
            any |= bytes[at];
        }
        return (any & HIGH_BITS) == 0;
    }
}
