package dev.rollcall.memory;

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
 * The layout of a user in a stretch of bytes, as a flyweight: named offsets, an accessor for what is read or written in place,
 * and nothing else. It takes less than half of the memory of the objects, and lies in one place (ADR 9).
 *
 * <pre>
 *   bucket 8 · last active 8 · length 4 · flags 2 · number of devices 2 · [text expiry 8] · [appear offline at 8] · id
 *          · device … · rest
 *   device: stored record 8 · last record, after that, 4 · deadline 8 · since 8 · lease 4 · state 1 · id
 *           · shard, or the number of the session that holds it 4 · [held until 8]
 *   rest:   [status at 8] · [forgettable since 8] · [left ONLINE 8] · [left IDLE 8] · [routing sequence 8]
 *           · [taken early: offset 8 · stamp 8] · [text]
 *           · [emitted: state 1 · [since 8, unless that of the first device] · [at 8, unless since]
 *           · sequence 4 or 8]
 * </pre>
 *
 * Numbers are big-endian. Ids and shards have a byte with their length in front, the text has two; what is in brackets is there
 * if its flag is set. {@link UserCodec} writes and reads all of it.
 */
final class PackedUser {
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);
    private static final VarHandle SHORT = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.BIG_ENDIAN);

    private static final int BUCKET = 0;
    private static final int LAST_ACTIVE = 8;
    static final int LENGTH = 16;
    private static final int FLAGS = 20;
    private static final int DEVICES = 22;
    private static final int TEXT_EXPIRY = 24;

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
    static final int EMITTED_SINCE_DEVICE = 2048;
    static final int HAS_LONG_SEQUENCE = 4096;
    static final int HAS_EMITTED_AT = 8192;
    static final int HAS_TAKEN_EARLY = 16_384;

    // Within a device.
    private static final int STORED_RECORD = 0;
    private static final int LAST_RECORD = 8;
    private static final int DEADLINE = 12;
    private static final int LEASE = 28;
    private static final int STATE = 32;
    static final int DEVICE_ID = 33;

    // Beside the state.
    static final int CONNECTION_ENDED = 4;
    static final int HAS_SESSION = 8;
    static final int HAS_HELD_UNTIL = 16;
    static final int STATE_MASK = 3;

    private byte[] bytes = new byte[0];
    private int start;

    /** Makes this the user whose bytes begin there. */
    PackedUser wrap(byte[] newBytes, int newStart) {
        bytes = newBytes;
        start = newStart;
        return this;
    }

    byte[] bytes() {
        return bytes;
    }

    // ---- the user ----

    int start() {
        return start;
    }

    /** In bytes. */
    int length() {
        return Ints.get(bytes, start + LENGTH);
    }

    /** The bucket of {@link Deadlines} in which the user is. */
    long bucket() {
        return (long) LONG.get(bytes, start + BUCKET);
    }

    void setBucket(long bucket) {
        LONG.set(bytes, start + BUCKET, bucket);
    }

    long lastActive() {
        return (long) LONG.get(bytes, start + LAST_ACTIVE);
    }

    void setLastActive(long stamp) {
        LONG.set(bytes, start + LAST_ACTIVE, stamp);
    }

    boolean appearsOffline() {
        return (flags() & APPEARS_OFFLINE) != 0;
    }

    /** See {@link UnstoredUsers}. */
    boolean isUnstored() {
        return (flags() & UNSTORED) != 0;
    }

    void setStored() {
        SHORT.set(bytes, start + FLAGS, (short) (flags() & ~UNSTORED));
    }

    /** {@link Long#MAX_VALUE}: there is no text that expires. */
    long textExpiry() {
        return (flags() & HAS_TEXT_EXPIRY) == 0 ? Long.MAX_VALUE : (long) LONG.get(bytes, start + TEXT_EXPIRY);
    }

    long appearOfflineAt() {
        int flags = flags();
        return (flags & HAS_APPEAR_OFFLINE_AT) == 0
                ? UserSnapshot.NEVER
                : (long) LONG.get(bytes, start + TEXT_EXPIRY + ((flags & HAS_TEXT_EXPIRY) == 0 ? 0 : Long.BYTES));
    }

    boolean hasId(UserId id) {
        byte[] other = id.bytes();
        int at = idAt();
        return (bytes[at] & 0xFF) == other.length
                && Arrays.equals(bytes, at + 1, at + 1 + other.length, other, 0, other.length);
    }

    UserId id() {
        return UserId.ofBytes(Arrays.copyOfRange(bytes, idAt() + 1, firstDevice()));
    }

    /** The partition's time at which something of the user may end; {@link Long#MAX_VALUE}: nothing can. */
    long nextDeadline(PartitionClock clock) {
        long next = clock.timeAt(textExpiry());
        int device = firstDevice();
        for (int left = devices(); left > 0; left--) {
            next = Math.min(next, heldUntil(device));
            device = after(device);
        }
        return next;
    }

    private int flags() {
        return (short) SHORT.get(bytes, start + FLAGS);
    }

    private int idAt() {
        return start + TEXT_EXPIRY + Long.BYTES * Integer.bitCount(flags() & (HAS_TEXT_EXPIRY | HAS_APPEAR_OFFLINE_AT));
    }

    // ---- its devices, each named by where it begins ----

    int devices() {
        return Short.toUnsignedInt((short) SHORT.get(bytes, start + DEVICES));
    }

    int firstDevice() {
        int id = idAt();
        return id + 1 + (bytes[id] & 0xFF);
    }

    /** Where the next device is, or the rest. */
    int after(int device) {
        return afterShard(device) + (hasHeldUntil(device) ? Long.BYTES : 0);
    }

    long lastRecord(int device) {
        return storedRecord(device) + Ints.get(bytes, device + LAST_RECORD);
    }

    /** No later than {@link Integer#MAX_VALUE} ms after the stored record. */
    void setLastRecord(int device, long time) {
        Ints.set(bytes, device + LAST_RECORD, (int) (time - storedRecord(device)));
    }

    long deadline(int device) {
        return (long) LONG.get(bytes, device + DEADLINE);
    }

    long heldUntil(int device) {
        return hasHeldUntil(device) ? (long) LONG.get(bytes, afterShard(device)) : deadline(device);
    }

    /** Whether something else than its deadline decides how long it lives. */
    boolean hasHeldUntil(int device) {
        return (bytes[device + STATE] & HAS_HELD_UNTIL) != 0;
    }

    void setDeadline(int device, long time) {
        LONG.set(bytes, device + DEADLINE, time);
    }

    long storedRecord(int device) {
        return (long) LONG.get(bytes, device + STORED_RECORD);
    }

    int leaseMs(int device) {
        return Ints.get(bytes, device + LEASE);
    }

    boolean hasState(int device, PresenceState state) {
        return (bytes[device + STATE] & STATE_MASK) == code(state);
    }

    boolean connectionEnded(int device) {
        return (bytes[device + STATE] & CONNECTION_ENDED) != 0;
    }

    boolean hasSession(int device) {
        return (bytes[device + STATE] & HAS_SESSION) != 0;
    }

    /** Whether one of the devices is held by a session whose devices have ended. */
    boolean isInSessionThatIsOver(Sessions sessions) {
        int device = firstDevice();
        for (int left = devices(); left > 0; left--) {
            if (hasSession(device)
                    && !connectionEnded(device)
                    && sessions.isOver(sessions.get(Ints.get(bytes, afterId(device))))) {
                return true;
            }
            device = after(device);
        }
        return false;
    }

    /** Says no to all but ASCII, and so leaves the rest to the rules. */
    boolean hasDeviceId(int device, String id) {
        return equal(device + DEVICE_ID, id);
    }

    /** As {@link #hasDeviceId}; only of a device without a session. */
    boolean hasShard(int device, @Nullable String shard) {
        int at = afterId(device);
        return shard == null ? bytes[at] == 0 : equal(at, shard);
    }

    private int afterId(int device) {
        return device + DEVICE_ID + 1 + (bytes[device + DEVICE_ID] & 0xFF);
    }

    private int afterShard(int device) {
        int at = afterId(device);
        return at + (hasSession(device) ? Integer.BYTES : 1 + (bytes[at] & 0xFF));
    }

    private boolean equal(int from, String text) {
        int length = text.length();
        if ((bytes[from] & 0xFF) != length) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            if (bytes[from + 1 + i] != text.charAt(i)) {
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
