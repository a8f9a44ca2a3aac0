package dev.rollcall.wire;

import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.Limits;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.text.Ascii;
import dev.rollcall.v1.DeviceHeartbeat;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.OptionalLong;
import org.apache.avro.SchemaNormalization;
import org.jspecify.annotations.Nullable;

/**
 * Reads the one value that comes by the million straight from its bytes: a {@link DeviceHeartbeat} of the present schema
 * or the first one, which lacks the session, right in every field, with ids in ASCII. To all else it says no, and leaves it to {@link SingleObject} and {@link Wire},
 * which know the other schemas, the other characters, and what to say of what is wrong.
 *
 * <p>Source: <a href="https://avro.apache.org/docs/1.12.0/specification/#binary-encoding">Avro specification, binary
 * encoding</a>; the fields in the order of {@code schemas/DeviceHeartbeat.avsc}.
 */
final class HeartbeatReader {
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final long FINGERPRINT = SchemaNormalization.parsingFingerprint64(DeviceHeartbeat.getClassSchema());
    private static final long FIRST_FINGERPRINT = 0x7F4994E19784DB83L;

    // Numbers are zigzag-encoded, so the second branch of a union, and the second symbol of an enum, is a 2.
    private static final int NULL = 0;
    private static final int PRESENT = 2;
    private static final int OPEN = 0;
    private static final int CLOSED = 2;

    /** Shards and sessions met last, by hash: all heartbeats name one of a few, and need no string of their own for that. */
    private static final String[] NAMES = new String[256];

    private final byte[] bytes;
    private final boolean hasSession;
    private int at = SingleObject.HEADER_BYTES;
    private boolean isUnsupported;

    private HeartbeatReader(byte[] bytes, boolean hasSession) {
        this.bytes = bytes;
        this.hasSession = hasSession;
    }

    /** What the heartbeat says; null: this is left to {@link Wire}. */
    static @Nullable Heartbeat read(byte[] bytes) {
        if (bytes.length <= SingleObject.HEADER_BYTES || bytes[0] != (byte) 0xC3 || bytes[1] != 1) {
            return null;
        }
        long fingerprint = (long) LONG.get(bytes, 2);
        return fingerprint == FINGERPRINT || fingerprint == FIRST_FINGERPRINT
                ? new HeartbeatReader(bytes, fingerprint == FINGERPRINT).read()
                : null;
    }

    private @Nullable Heartbeat read() {
        int idLength = idLength();
        String deviceId = new String(bytes, at - idLength, idLength, StandardCharsets.ISO_8859_1);
        PresenceState state = isPresent() ? state() : null;
        int phase = next();
        OptionalLong leaseMs = isPresent() ? OptionalLong.of(lease()) : OptionalLong.empty();
        String shard = isPresent() ? name() : null;
        String session = hasSession && isPresent() ? name() : null;
        if (session != null && shard == null) {
            return null;
        }
        if (isUnsupported || at != bytes.length || (phase != OPEN && phase != CLOSED)) {
            return null;
        }
        return new Heartbeat(deviceId, state, phase == CLOSED, leaseMs, shard, session);
    }

    private int next() {
        return at < bytes.length ? bytes[at++] : unsupported();
    }

    private int unsupported() {
        isUnsupported = true;
        return 0;
    }

    private boolean isPresent() {
        int branch = next();
        if (branch != NULL && branch != PRESENT) {
            unsupported();
        }
        return branch == PRESENT;
    }

    private @Nullable PresenceState state() {
        return switch (next()) {
            case 0 -> PresenceState.OFFLINE;
            case 2 -> PresenceState.IDLE;
            case 4 -> PresenceState.ONLINE;
            default -> {
                unsupported();
                yield null;
            }
        };
    }

    private long lease() {
        long lease = number();
        if (lease <= 0 || lease > Limits.MAX_LEASE_MS) {
            unsupported();
        }
        return lease;
    }

    private long number() {
        long zigzag = 0;
        for (int shift = 0; shift <= 28; shift += 7) {
            int part = next();
            zigzag |= (long) (part & 0x7F) << shift;
            if (part >= 0) {
                return zigzag >>> 1 ^ -(zigzag & 1);
            }
        }
        return unsupported(); // more than any field may hold
    }

    /** The length of an id of 1 to 255 ASCII characters, which are passed over; 0 if it is not one. */
    private int idLength() {
        long length = number();
        if (length < 1 || length > Limits.MAX_ID_BYTES || length > bytes.length - at) {
            return unsupported();
        }
        int start = at;
        at += (int) length;
        if (!Ascii.isAscii(bytes, start, at)) {
            unsupported();
        }
        return (int) length;
    }

    private String name() {
        int length = idLength();
        int start = at - length;
        int hash = length;
        for (int i = start; i < at; i++) {
            hash = 31 * hash + bytes[i];
        }
        int place = (hash ^ hash >>> 8) & (NAMES.length - 1);
        String met = NAMES[place]; // threads may overwrite each other's: it is only to save work
        if (met == null || !isAt(start, length, met)) {
            met = new String(bytes, start, length, StandardCharsets.ISO_8859_1);
            NAMES[place] = met;
        }
        return met;
    }

    private boolean isAt(int start, int length, String text) {
        if (text.length() != length) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            if (bytes[start + i] != text.charAt(i)) {
                return false;
            }
        }
        return true;
    }
}
