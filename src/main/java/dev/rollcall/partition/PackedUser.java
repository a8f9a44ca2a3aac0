package dev.rollcall.partition;

import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.UserId;
import dev.rollcall.domain.UserSnapshot;
import dev.rollcall.session.Sessions;
import dev.rollcall.time.PartitionClock;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The layout of a user in one array of bytes, as a flyweight: named offsets, an accessor for what is read or written in place,
 * and nothing else. An array takes less than half of the memory of the objects, and lies in one place (ADR 9).
 *
 * <pre>
 *   bucket 8 · last active 8 · flags 2 · number of devices 2 · [text expiry 8] · [appear offline at 8] · id · device … · rest
 *   device: last record 8 · deadline 8 · held until 8 · stored record 8 · since 8 · lease 4 · state 1 · id
 *           · shard, or the number of the session that holds it 4
 *   rest:   [status at 8] · [forgettable since 8] · [left ONLINE 8] · [left IDLE 8] · [routing sequence 8] · [text]
 *           · [emitted: state 1 · since 8 · sequence 8]
 * </pre>
 *
 * Numbers are big-endian. Ids and shards have a byte with their length in front, the text has two; what is in brackets is there
 * if its flag is set. {@link UserCodec} writes and reads all of it.
 */
final class PackedUser {
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);
    private static final VarHandle SHORT = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.BIG_ENDIAN);

    private static final int BUCKET = 0;
    private static final int LAST_ACTIVE = 8;
    private static final int FLAGS = 16;
    private static final int DEVICES = 18;
    private static final int TEXT_EXPIRY = 20;

    static final int APPEARS_OFFLINE = 1;
    static final int HAS_TEXT_EXPIRY = 2;
    static final int HAS_FORGETTABLE_SINCE = 4;
    static final int HAS_LEFT_ONLINE = 8;
    static final int HAS_LEFT_IDLE = 16;
    static final int HAS_ROUTING_SEQUENCE = 32;
    static final int HAS_TEXT = 64;
    static final int HAS_EMITTED = 128;
    static final int HAS_STATUS_AT = 256;
    static final int HAS_APPEAR_OFFLINE_AT = 512;
    static final int UNSTORED = 1024;

    // Within a device.
    private static final int LAST_RECORD = 0;
    private static final int DEADLINE = 8;
    private static final int HELD_UNTIL = 16;
    private static final int STORED_RECORD = 24;
    private static final int LEASE = 40;
    private static final int STATE = 44;
    static final int DEVICE_ID = 45;

    // Beside the state.
    static final int CONNECTION_ENDED = 4;
    static final int HAS_SESSION = 8;

    private PackedUser() {}

    // ---- the user ----

    /** The bucket of {@link Deadlines} in which the user is. */
    static long bucket(byte[] packed) {
        return (long) LONG.get(packed, BUCKET);
    }

    static void setBucket(byte[] packed, long bucket) {
        LONG.set(packed, BUCKET, bucket);
    }

    static long lastActive(byte[] packed) {
        return (long) LONG.get(packed, LAST_ACTIVE);
    }

    static void setLastActive(byte[] packed, long stamp) {
        LONG.set(packed, LAST_ACTIVE, stamp);
    }

    static boolean appearsOffline(byte[] packed) {
        return (flags(packed) & APPEARS_OFFLINE) != 0;
    }

    /** See {@link UnstoredUsers}. */
    static boolean isUnstored(byte[] packed) {
        return (flags(packed) & UNSTORED) != 0;
    }

    static void setStored(byte[] packed) {
        SHORT.set(packed, FLAGS, (short) (flags(packed) & ~UNSTORED));
    }

    /** {@link Long#MAX_VALUE}: there is no text that expires. */
    static long textExpiry(byte[] packed) {
        return (flags(packed) & HAS_TEXT_EXPIRY) == 0 ? Long.MAX_VALUE : (long) LONG.get(packed, TEXT_EXPIRY);
    }

    static long appearOfflineAt(byte[] packed) {
        int flags = flags(packed);
        return (flags & HAS_APPEAR_OFFLINE_AT) == 0
                ? UserSnapshot.NEVER
                : (long) LONG.get(packed, TEXT_EXPIRY + ((flags & HAS_TEXT_EXPIRY) == 0 ? 0 : Long.BYTES));
    }

    static boolean hasId(byte[] packed, UserId id) {
        byte[] bytes = id.bytes();
        int at = idAt(packed);
        return (packed[at] & 0xFF) == bytes.length
                && Arrays.equals(packed, at + 1, at + 1 + bytes.length, bytes, 0, bytes.length);
    }

    static UserId id(byte[] packed) {
        int at = idAt(packed);
        return UserId.ofBytes(Arrays.copyOfRange(packed, at + 1, firstDevice(packed)));
    }

    /** The partition's time at which something of the user may end; {@link Long#MAX_VALUE}: nothing can. */
    static long nextDeadline(byte[] packed, PartitionClock clock) {
        long next = clock.timeAt(textExpiry(packed));
        int device = firstDevice(packed);
        for (int left = devices(packed); left > 0; left--) {
            next = Math.min(next, heldUntil(packed, device));
            device = after(packed, device);
        }
        return next;
    }

    private static int flags(byte[] packed) {
        return (short) SHORT.get(packed, FLAGS);
    }

    private static int idAt(byte[] packed) {
        return TEXT_EXPIRY + Long.BYTES * Integer.bitCount(flags(packed) & (HAS_TEXT_EXPIRY | HAS_APPEAR_OFFLINE_AT));
    }

    // ---- its devices, each named by where it begins ----

    static int devices(byte[] packed) {
        return Short.toUnsignedInt((short) SHORT.get(packed, DEVICES));
    }

    static int firstDevice(byte[] packed) {
        int id = idAt(packed);
        return id + 1 + (packed[id] & 0xFF);
    }

    /** Where the next device is, or the rest. */
    static int after(byte[] packed, int device) {
        int at = afterId(packed, device);
        return at + (hasSession(packed, device) ? Integer.BYTES : 1 + (packed[at] & 0xFF));
    }

    static long lastRecord(byte[] packed, int device) {
        return (long) LONG.get(packed, device + LAST_RECORD);
    }

    static void setLastRecord(byte[] packed, int device, long time) {
        LONG.set(packed, device + LAST_RECORD, time);
    }

    static long deadline(byte[] packed, int device) {
        return (long) LONG.get(packed, device + DEADLINE);
    }

    static long heldUntil(byte[] packed, int device) {
        return (long) LONG.get(packed, device + HELD_UNTIL);
    }

    static void setDeadline(byte[] packed, int device, long time) {
        LONG.set(packed, device + DEADLINE, time);
        LONG.set(packed, device + HELD_UNTIL, time);
    }

    static long storedRecord(byte[] packed, int device) {
        return (long) LONG.get(packed, device + STORED_RECORD);
    }

    static int leaseMs(byte[] packed, int device) {
        return (int) INT.get(packed, device + LEASE);
    }

    static boolean hasState(byte[] packed, int device, PresenceState state) {
        return (packed[device + STATE] & ~(CONNECTION_ENDED | HAS_SESSION)) == code(state);
    }

    static boolean connectionEnded(byte[] packed, int device) {
        return (packed[device + STATE] & CONNECTION_ENDED) != 0;
    }

    static boolean hasSession(byte[] packed, int device) {
        return (packed[device + STATE] & HAS_SESSION) != 0;
    }

    /** Whether one of the devices is held by a session whose devices have ended. */
    static boolean isInSessionThatIsOver(byte[] packed, Sessions sessions) {
        int device = firstDevice(packed);
        for (int left = devices(packed); left > 0; left--) {
            if (hasSession(packed, device)
                    && !connectionEnded(packed, device)
                    && sessions.isOver(sessions.get((int) INT.get(packed, afterId(packed, device))))) {
                return true;
            }
            device = after(packed, device);
        }
        return false;
    }

    /** Says no to all but ASCII, and so leaves the rest to the rules. */
    static boolean hasDeviceId(byte[] packed, int device, String id) {
        return equal(packed, device + DEVICE_ID, id);
    }

    /** As {@link #hasDeviceId}; only of a device without a session. */
    static boolean hasShard(byte[] packed, int device, @Nullable String shard) {
        int at = afterId(packed, device);
        return shard == null ? packed[at] == 0 : equal(packed, at, shard);
    }

    private static int afterId(byte[] packed, int device) {
        return device + DEVICE_ID + 1 + (packed[device + DEVICE_ID] & 0xFF);
    }

    private static boolean equal(byte[] packed, int from, String text) {
        int length = text.length();
        if ((packed[from] & 0xFF) != length) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            if (packed[from + 1 + i] != text.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    static int code(PresenceState state) {
        return switch (state) {
            case OFFLINE -> 0;
            case IDLE -> 1;
            case ONLINE -> 2;
        };
    }

    static PresenceState state(int code) {
        return switch (code) {
            case 0 -> PresenceState.OFFLINE;
            case 1 -> PresenceState.IDLE;
            case 2 -> PresenceState.ONLINE;
            default -> throw new IllegalArgumentException("there is no state " + code);
        };
    }
}
