package dev.rollcall.memory;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Numbers of four bytes in an array of bytes, big-endian. */
final class Ints {
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);

    private Ints() {}

    static int get(byte[] bytes, int at) {
        return (int) INT.get(bytes, at);
    }

    static void set(byte[] bytes, int at, int value) {
        INT.set(bytes, at, value);
    }
}
