package dev.rollcall.domain;

import dev.rollcall.text.Unicode;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Arrays;

/**
 * A user, as the bytes of the record's key: UTF-8, 1 to 255 bytes. Kept as bytes, because most records only need to be
 * looked up, and a look-up needs no text. Makes no copy of the bytes, so nobody may change them afterwards.
 */
public final class UserId implements Comparable<UserId> {
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final long MULTIPLIER = 0x9E3779B97F4A7C15L;

    /** Users choose their ids. Nobody may choose them so that they all have the same hash. */
    private static final long SEED = new SecureRandom().nextLong();

    private final byte[] utf8;

    /** 0: not computed yet, as in {@link String}. */
    private int hash;

    private UserId(byte[] utf8) {
        this.utf8 = utf8;
    }

    /** Takes the key as it came, checked or not: see {@link #isValid()}. */
    public static UserId ofBytes(byte[] utf8) {
        return new UserId(utf8);
    }

    /**
     * Takes an id as text.
     *
     * @throws IllegalArgumentException if it has an unpaired surrogate, as every such id would become the same one
     */
    public static UserId of(String id) {
        return new UserId(Unicode.requireWellFormed("the user id", id).getBytes(StandardCharsets.UTF_8));
    }

    /** Whether this is 1 to 255 bytes of well-formed UTF-8. */
    public boolean isValid() {
        return utf8.length > 0 && utf8.length <= Limits.MAX_ID_BYTES && Unicode.isWellFormed(utf8, 0, utf8.length);
    }

    /** The bytes themselves, not a copy. */
    public byte[] bytes() {
        return utf8;
    }

    /** In the order of the bytes, unsigned. */
    @Override
    public int compareTo(UserId other) {
        return Arrays.compareUnsigned(utf8, other.utf8);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof UserId that && Arrays.equals(utf8, that.utf8);
    }

    /** Differs from one run of the program to the next. */
    @Override
    public int hashCode() {
        if (hash == 0) {
            hash = hash(utf8);
        }
        return hash;
    }

    @Override
    public String toString() {
        return new String(utf8, StandardCharsets.UTF_8);
    }

    private static int hash(byte[] bytes) {
        long hash = SEED ^ bytes.length;
        int at = 0;
        for (; at + Long.BYTES <= bytes.length; at += Long.BYTES) {
            hash = mix(hash ^ (long) LONG.get(bytes, at));
        }
        long rest = 0;
        for (; at < bytes.length; at++) {
            rest = rest << 8 | (bytes[at] & 0xFF);
        }
        hash = mix(hash ^ rest);
        return (int) (hash ^ hash >>> 32);
    }

    /** A folded multiplication: each bit of what comes in moves about half of those that come out. */
    private static long mix(long value) {
        long low = value * MULTIPLIER;
        long high = Math.multiplyHigh(value, MULTIPLIER);
        return low ^ high ^ SEED;
    }
}
