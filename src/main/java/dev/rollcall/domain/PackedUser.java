package dev.rollcall.domain;

import dev.rollcall.domain.PresenceUpdate.Presence;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A {@link User} at rest: all of it in one array of bytes. Most users are at rest most of the time, and most heartbeats
 * change nothing but a deadline. An array takes less than half of the memory of the objects, lies in one place, and such a
 * heartbeat is applied to it as it is ({@link #renew}).
 *
 * <pre>
 *   bucket 8 · last active 8 · flags 2 · number of devices 2 · [text expiry 8] · [appear offline at 8] · id · device … · rest
 *   device: last record 8 · deadline 8 · held until 8 · saved record 8 · since 8 · lease 4 · state 1 · id · shard
 *   rest:   [status at 8] · [quiet since 8] · [left ONLINE 8] · [left IDLE 8] · [routing sequence 8] · [text] · [emitted …]
 * </pre>
 *
 * Ids and shards have a byte with their length in front, texts two; what is in brackets is there if its flag is set.
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

    private static final int HIDDEN = 1;
    private static final int HAS_TEXT_EXPIRY = 2;
    private static final int HAS_QUIET_SINCE = 4;
    private static final int HAS_LEFT_ONLINE = 8;
    private static final int HAS_LEFT_IDLE = 16;
    private static final int HAS_ROUTING_SEQUENCE = 32;
    private static final int HAS_TEXT = 64;
    private static final int HAS_SAID = 128;
    private static final int HAS_STATUS_AT = 256;
    private static final int HAS_APPEAR_OFFLINE_AT = 512;

    // Within a device.
    private static final int LAST_RECORD = 0;
    private static final int DEADLINE = 8;
    private static final int HELD_UNTIL = 16;
    private static final int SAVED_RECORD = 24;
    private static final int SINCE = 32;
    private static final int LEASE = 40;
    private static final int STATE = 44;
    private static final int DEVICE_ID = 45;

    private static final int CONNECTION_ENDED = 4; // beside the state
    private static final int NO_STATE = 3;

    private static final int MOST_BYTES_BUT_DEVICES_AND_TEXTS = 512;
    private static final int MOST_BYTES_OF_A_DEVICE = DEVICE_ID + 2 * 256;

    private PackedUser() {}

    // ---- at rest ----

    static boolean is(byte[] packed, byte[] id) {
        int at = idAt(packed);
        int length = packed[at] & 0xFF;
        return length == id.length && equal(packed, at + 1, id);
    }

    /** The bucket of {@link Deadlines} in which the user is. */
    static long bucket(byte[] packed) {
        return (long) LONG.get(packed, BUCKET);
    }

    static void setBucket(byte[] packed, long bucket) {
        LONG.set(packed, BUCKET, bucket);
    }

    static boolean isHidden(byte[] packed) {
        return (flags(packed) & HIDDEN) != 0;
    }

    /** As {@link User#nextDeadline}. */
    static long nextDeadline(byte[] packed, PartitionClock clock) {
        long next = clock.timeAt(textExpiry(packed));
        int device = firstDeviceAt(packed);
        for (int left = devices(packed); left > 0; left--) {
            next = Math.min(next, (long) LONG.get(packed, device + HELD_UNTIL));
            device = after(packed, device);
        }
        return next;
    }

    /**
     * Applies a heartbeat that changes nothing but how long its device lives; times as in {@link User#heartbeat}.
     *
     * @return whether it was one; if not, nothing has happened, and {@link User} has to look
     */
    static boolean renew(
            byte[] packed, Heartbeat heartbeat, long at, long stamp, PartitionClock clock, PresenceRules rules) {
        long now = clock.now();
        if (heartbeat.connectionEnded() || clock.timeAt(textExpiry(packed)) <= now) {
            return false;
        }
        int found = -1;
        int device = firstDeviceAt(packed);
        for (int left = devices(packed); left > 0; left--) {
            if ((long) LONG.get(packed, device + HELD_UNTIL) <= now) {
                return false; // something ends first
            }
            if (found < 0 && equal(packed, device + DEVICE_ID, heartbeat.deviceId())) {
                found = device;
            }
            device = after(packed, device);
        }
        if (found < 0) {
            return false;
        }
        long leaseMs = heartbeat.leaseMs().orElse(rules.leaseMs());
        int state = packed[found + STATE];
        long deadline = at + leaseMs;
        boolean keepsLease =
                heartbeat.leaseMs().isEmpty() && deadline < (long) LONG.get(packed, found + DEADLINE); // rule 4
        boolean changesNothing = (heartbeat.state() == null || code(heartbeat.state()) == state)
                && (state & CONNECTION_ENDED) == 0
                && at >= (long) LONG.get(packed, found + LAST_RECORD)
                && (keepsLease || leaseMs == (int) INT.get(packed, found + LEASE)) // another one is saved
                && at - (long) LONG.get(packed, found + SAVED_RECORD) < rules.lastSeenPersistMs()
                && (keepsLease || deadline >= Deadlines.startOf(bucket(packed)))
                && (heartbeat.shard() == null || hasShard(packed, found, heartbeat.shard()));
        if (!changesNothing) {
            return false;
        }
        LONG.set(packed, found + LAST_RECORD, at);
        if (!keepsLease) {
            LONG.set(packed, found + DEADLINE, deadline);
            LONG.set(packed, found + HELD_UNTIL, deadline);
        }
        if (state == code(PresenceState.ONLINE) && !isHidden(packed) && stamp >= appearOfflineAt(packed)) {
            LONG.set(packed, LAST_ACTIVE, Math.max((long) LONG.get(packed, LAST_ACTIVE), stamp));
        }
        return true;
    }

    // ---- there and back ----

    static byte[] pack(User user) {
        ByteBuffer out = ByteBuffer.allocate(mostBytes(user));
        Presence emitted = user.emitted;
        Long textExpiry = user.status.expiresAt();
        out.putLong(user.bucket).putLong(user.lastActive);
        out.putShort((short) ((user.hidden ? HIDDEN : 0)
                | (textExpiry != null ? HAS_TEXT_EXPIRY : 0)
                | (user.forgettableSince != User.NEVER ? HAS_QUIET_SINCE : 0)
                | (user.leftOnline != User.NEVER ? HAS_LEFT_ONLINE : 0)
                | (user.leftIdle != User.NEVER ? HAS_LEFT_IDLE : 0)
                | (user.routingSequence != 0 ? HAS_ROUTING_SEQUENCE : 0)
                | (user.status.text() != null ? HAS_TEXT : 0)
                | (emitted != null ? HAS_SAID : 0)
                | (user.statusAt != User.NEVER ? HAS_STATUS_AT : 0)
                | (user.appearOfflineAt != User.NEVER ? HAS_APPEAR_OFFLINE_AT : 0)));
        out.putShort((short) user.devices().size());
        if (textExpiry != null) {
            out.putLong(textExpiry);
        }
        putIf(out, user.appearOfflineAt, User.NEVER);
        out.put((byte) user.id.bytes().length).put(user.id.bytes());
        for (Device device : user.devices()) {
            out.putLong(device.lastRecord).putLong(device.deadline).putLong(device.heldUntil);
            out.putLong(device.savedRecord).putLong(device.since);
            out.putInt((int) device.leaseMs);
            out.put((byte) (code(device.state) | (device.connectionEnded ? CONNECTION_ENDED : 0)));
            putShort(out, device.id);
            putShort(out, device.shard == null ? "" : device.shard);
        }
        putIf(out, user.statusAt, User.NEVER);
        putIf(out, user.forgettableSince, User.NEVER);
        putIf(out, user.leftOnline, User.NEVER);
        putIf(out, user.leftIdle, User.NEVER);
        putIf(out, user.routingSequence, 0);
        if (user.status.text() != null) {
            putText(out, user.status.text());
        }
        if (emitted != null) {
            out.put((byte) code(emitted.state()));
            out.put((byte) (emitted.previousState() == null ? NO_STATE : code(emitted.previousState())));
            out.putLong(emitted.since()).putLong(User.orNever(emitted.lastActive()));
            out.putLong(emitted.sequence()).putLong(emitted.at());
            putText(out, emitted.status() == null ? "" : emitted.status());
        }
        byte[] packed = new byte[out.position()];
        out.flip().get(packed);
        return packed;
    }

    static User unpack(byte[] packed, PresenceRules rules) {
        ByteBuffer in = ByteBuffer.wrap(packed);
        long bucket = in.getLong();
        long lastActive = in.getLong();
        int flags = in.getShort();
        int devices = Short.toUnsignedInt(in.getShort());
        Long textExpiry = (flags & HAS_TEXT_EXPIRY) == 0 ? null : (Long) in.getLong();
        long appearOfflineAt = longIf(in, flags, HAS_APPEAR_OFFLINE_AT, User.NEVER);
        User user = new User(UserId.ofBytes(bytes(in, in.get() & 0xFF)), rules);
        user.appearOfflineAt = appearOfflineAt;
        user.bucket = bucket;
        user.lastActive = lastActive;
        user.hidden = (flags & HIDDEN) != 0;
        for (int left = devices; left > 0; left--) {
            user.devices().add(device(in));
        }
        user.statusAt = longIf(in, flags, HAS_STATUS_AT, User.NEVER);
        user.forgettableSince = longIf(in, flags, HAS_QUIET_SINCE, User.NEVER);
        user.leftOnline = longIf(in, flags, HAS_LEFT_ONLINE, User.NEVER);
        user.leftIdle = longIf(in, flags, HAS_LEFT_IDLE, User.NEVER);
        user.routingSequence = longIf(in, flags, HAS_ROUTING_SEQUENCE, 0);
        if ((flags & HAS_TEXT) != 0) {
            user.status = new StatusText(text(in), textExpiry);
        }
        if ((flags & HAS_SAID) != 0) {
            user.emitted = emitted(in, user.status.text());
        }
        return user;
    }

    private static Device device(ByteBuffer in) {
        int start = in.position();
        long lastRecord = in.getLong(start + LAST_RECORD);
        int state = in.get(start + STATE);
        in.position(start + DEVICE_ID);
        String id = string(in, in.get() & 0xFF);
        String shard = string(in, in.get() & 0xFF);
        Device device = new Device(id, in.getLong(start + SINCE));
        device.lastRecord = lastRecord;
        device.leaseMs = in.getInt(start + LEASE);
        device.shard = shard.isEmpty() ? null : shard;
        device.deadline = in.getLong(start + DEADLINE);
        device.heldUntil = in.getLong(start + HELD_UNTIL);
        device.savedRecord = in.getLong(start + SAVED_RECORD);
        device.savedLeaseMs = device.leaseMs;
        device.state = state(state & ~CONNECTION_ENDED);
        device.connectionEnded = (state & CONNECTION_ENDED) != 0;
        return device;
    }

    private static Presence emitted(ByteBuffer in, @Nullable String userText) {
        PresenceState state = state(in.get());
        int previous = in.get();
        long since = in.getLong();
        long lastActive = in.getLong();
        long sequence = in.getLong();
        long at = in.getLong();
        String text = text(in);
        return new Presence(
                state,
                previous == NO_STATE ? null : state(previous),
                text.isEmpty() ? null : text.equals(userText) ? userText : text,
                since,
                User.orNull(lastActive),
                sequence,
                at);
    }

    // ---- where things are ----

    private static int flags(byte[] packed) {
        return (short) SHORT.get(packed, FLAGS);
    }

    private static int idAt(byte[] packed) {
        return TEXT_EXPIRY + Long.BYTES * Integer.bitCount(flags(packed) & (HAS_TEXT_EXPIRY | HAS_APPEAR_OFFLINE_AT));
    }

    private static long textExpiry(byte[] packed) {
        return (flags(packed) & HAS_TEXT_EXPIRY) == 0 ? Long.MAX_VALUE : (long) LONG.get(packed, TEXT_EXPIRY);
    }

    private static long appearOfflineAt(byte[] packed) {
        int flags = flags(packed);
        return (flags & HAS_APPEAR_OFFLINE_AT) == 0
                ? User.NEVER
                : (long) LONG.get(packed, TEXT_EXPIRY + ((flags & HAS_TEXT_EXPIRY) == 0 ? 0 : Long.BYTES));
    }

    private static int devices(byte[] packed) {
        return Short.toUnsignedInt((short) SHORT.get(packed, DEVICES));
    }

    private static int firstDeviceAt(byte[] packed) {
        int id = idAt(packed);
        return id + 1 + (packed[id] & 0xFF);
    }

    private static int shardAt(byte[] packed, int device) {
        return device + DEVICE_ID + 1 + (packed[device + DEVICE_ID] & 0xFF);
    }

    /** Where the next device is, or the rest. */
    private static int after(byte[] packed, int device) {
        int shard = shardAt(packed, device);
        return shard + 1 + (packed[shard] & 0xFF);
    }

    private static boolean hasShard(byte[] packed, int device, @Nullable String shard) {
        int at = shardAt(packed, device);
        return shard == null ? packed[at] == 0 : equal(packed, at, shard);
    }

    // ---- ids, texts, states ----

    private static boolean equal(byte[] packed, int from, byte[] id) {
        return Arrays.equals(packed, from, from + id.length, id, 0, id.length);
    }

    /** Whether a length and these characters are there. Says no to all but ASCII, and so leaves the rest to User. */
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

    private static int mostBytes(User user) {
        int texts = user.status.text() == null ? 0 : user.status.text().length();
        if (user.emitted != null && user.emitted.status() != null) {
            texts += user.emitted.status().length();
        }
        return MOST_BYTES_BUT_DEVICES_AND_TEXTS
                + user.devices().size() * MOST_BYTES_OF_A_DEVICE
                + texts * 3; // no char takes more in UTF-8
    }

    private static void putIf(ByteBuffer out, long value, long none) {
        if (value != none) {
            out.putLong(value);
        }
    }

    private static long longIf(ByteBuffer in, int flags, int flag, long none) {
        return (flags & flag) == 0 ? none : in.getLong();
    }

    private static void putShort(ByteBuffer out, String text) {
        byte[] utf8 = utf8(text, 0xFF);
        out.put((byte) utf8.length).put(utf8);
    }

    private static void putText(ByteBuffer out, String text) {
        byte[] utf8 = utf8(text, 0xFFFF);
        out.putShort((short) utf8.length).put(utf8);
    }

    private static byte[] utf8(String text, int mostBytes) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        if (utf8.length > mostBytes) {
            throw new IllegalArgumentException(
                    "more than %d bytes, which the contract rules out: %s".formatted(mostBytes, text));
        }
        return utf8;
    }

    private static String text(ByteBuffer in) {
        return string(in, Short.toUnsignedInt(in.getShort()));
    }

    private static String string(ByteBuffer in, int length) {
        String text = new String(in.array(), in.arrayOffset() + in.position(), length, StandardCharsets.UTF_8);
        in.position(in.position() + length);
        return text;
    }

    private static byte[] bytes(ByteBuffer in, int length) {
        byte[] bytes = new byte[length];
        in.get(bytes);
        return bytes;
    }

    private static int code(PresenceState state) {
        return switch (state) {
            case OFFLINE -> 0;
            case IDLE -> 1;
            case ONLINE -> 2;
        };
    }

    private static PresenceState state(int code) {
        return switch (code) {
            case 0 -> PresenceState.OFFLINE;
            case 1 -> PresenceState.IDLE;
            case 2 -> PresenceState.ONLINE;
            default -> throw new IllegalArgumentException("there is no state " + code);
        };
    }
}
