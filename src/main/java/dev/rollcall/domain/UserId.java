package dev.rollcall.domain;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A user, as the bytes of the record's key: UTF-8, 1 to 255 bytes. Kept as bytes, because most records only need to be
 * looked up, and a look-up needs no text. Makes no copy of the bytes, so nobody may change them afterwards.
 */
public final class UserId implements Comparable<UserId> {
    public static final int MAX_BYTES = 255;

    private final byte[] utf8;

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
        return utf8.length > 0 && utf8.length <= MAX_BYTES && Unicode.isWellFormed(utf8, 0, utf8.length);
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

    @Override
    public int hashCode() {
        return Arrays.hashCode(utf8);
    }

    @Override
    public String toString() {
        return new String(utf8, StandardCharsets.UTF_8);
    }
}
