package dev.rollcall.memory;

import static dev.rollcall.domain.UserSnapshot.NEVER;

import dev.rollcall.domain.Limits;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserId;
import dev.rollcall.domain.UserSnapshot;
import dev.rollcall.domain.UserSnapshot.DeviceSnapshot;
import dev.rollcall.domain.UserSnapshot.Emitted;
import dev.rollcall.domain.UserSnapshot.TakenEarly;
import dev.rollcall.session.SessionId;
import dev.rollcall.session.Sessions;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** From a {@link UserSnapshot} to a {@link PackedUser} and back; all of it but {@code clockAheadMs}, which the partition knows. */
final class UserCodec {
    private static final int MAX_BYTES_BUT_DEVICES_AND_TEXT = 512;
    private static final int MAX_BYTES_OF_A_DEVICE = PackedUser.DEVICE_ID + 2 * (1 + Limits.MAX_ID_BYTES) + Long.BYTES;
    private static final int MAX_UTF8_BYTES_PER_CHAR = 3;

    private final Sessions sessions;
    private final PackedUser packed = new PackedUser();
    private ByteBuffer out = ByteBuffer.allocate(1_024);

    UserCodec(Sessions sessions) {
        this.sessions = sessions;
    }

    /**
     * Packs a user.
     *
     * @param bucket see {@link PackedUser#bucket}
     * @return what the next call overwrites
     */
    PackedUser pack(UserId id, UserSnapshot user, long bucket, boolean isUnstored) {
        if (out.capacity() < maxBytes(user)) {
            out = ByteBuffer.allocate(maxBytes(user));
        }
        out.clear();
        String text = user.status().text();
        Long textExpiry = user.status().expiresAt();
        Emitted emitted = user.emitted();
        boolean isSinceDevice = emitted != null
                && !user.devices().isEmpty()
                && user.devices().get(0).since() == emitted.since();
        boolean isAtSince = emitted != null && emitted.at() == emitted.since();
        boolean isLongSequence = emitted != null && emitted.sequence() != (int) emitted.sequence();
        out.putLong(bucket).putLong(user.lastActive());
        out.putInt(0); // the length
        out.putShort((short) (flag(user.appearOffline(), PackedUser.APPEARS_OFFLINE)
                | flag(textExpiry != null, PackedUser.HAS_TEXT_EXPIRY)
                | flag(user.forgettableSince() != NEVER, PackedUser.HAS_FORGETTABLE_SINCE)
                | flag(user.leftOnline() != NEVER, PackedUser.HAS_LEFT_ONLINE)
                | flag(user.leftIdle() != NEVER, PackedUser.HAS_LEFT_IDLE)
                | flag(user.routingSequence() != 0, PackedUser.HAS_ROUTING_SEQUENCE)
                | flag(text != null, PackedUser.HAS_TEXT)
                | flag(emitted != null, PackedUser.HAS_EMITTED)
                | flag(user.statusAt() != NEVER, PackedUser.HAS_STATUS_AT)
                | flag(user.appearOfflineAt() != NEVER, PackedUser.HAS_APPEAR_OFFLINE_AT)
                | flag(isUnstored, PackedUser.UNSTORED)
                | flag(isSinceDevice, PackedUser.EMITTED_SINCE_DEVICE)
                | flag(emitted != null && !isAtSince, PackedUser.HAS_EMITTED_AT)
                | flag(isLongSequence, PackedUser.HAS_LONG_SEQUENCE)
                | flag(user.takenEarly() != null, PackedUser.HAS_TAKEN_EARLY)));
        out.putShort((short) user.devices().size());
        if (textExpiry != null) {
            out.putLong(textExpiry);
        }
        putUnless(NEVER, user.appearOfflineAt(), out);
        out.put((byte) id.bytes().length).put(id.bytes());
        user.devices().forEach(this::pack);
        putUnless(NEVER, user.statusAt(), out);
        putUnless(NEVER, user.forgettableSince(), out);
        putUnless(NEVER, user.leftOnline(), out);
        putUnless(NEVER, user.leftIdle(), out);
        putUnless(0, user.routingSequence(), out);
        TakenEarly early = user.takenEarly();
        if (early != null) {
            out.putLong(early.offset()).putLong(early.stamp());
        }
        if (text != null) {
            byte[] utf8 = utf8(text, 0xFFFF);
            out.putShort((short) utf8.length).put(utf8);
        }
        if (emitted != null) {
            out.put((byte) PackedUser.code(emitted.state()));
            if (!isSinceDevice) {
                out.putLong(emitted.since());
            }
            if (!isAtSince) {
                out.putLong(emitted.at());
            }
            if (isLongSequence) {
                out.putLong(emitted.sequence());
            } else {
                out.putInt((int) emitted.sequence());
            }
        }
        out.putInt(PackedUser.LENGTH, out.position());
        return packed.wrap(out.array(), 0);
    }

    private void pack(DeviceSnapshot device) {
        long storedRecord = Math.max(device.storedRecord(), device.lastRecord() - Integer.MAX_VALUE);
        boolean isHeld = device.heldUntil() != device.deadline();
        out.putLong(storedRecord).putInt((int) (device.lastRecord() - storedRecord));
        out.putLong(device.deadline()).putLong(device.since());
        out.putInt((int) device.leaseMs());
        out.put((byte) (PackedUser.code(device.state())
                | flag(device.connectionEnded(), PackedUser.CONNECTION_ENDED)
                | flag(device.session() != null, PackedUser.HAS_SESSION)
                | flag(isHeld, PackedUser.HAS_HELD_UNTIL)));
        putId(device.id(), out);
        if (device.session() != null) {
            out.putInt(sessions.get(device.session()).number());
        } else {
            putId(device.shard() == null ? "" : device.shard(), out);
        }
        if (isHeld) {
            out.putLong(device.heldUntil());
        }
    }

    UserSnapshot unpack(PackedUser user) {
        ByteBuffer in = ByteBuffer.wrap(user.bytes()).position(user.start());
        in.getLong(); // the bucket
        long lastActive = in.getLong();
        in.getInt(); // the length
        int flags = in.getShort();
        int count = Short.toUnsignedInt(in.getShort());
        Long textExpiry = (flags & PackedUser.HAS_TEXT_EXPIRY) == 0 ? null : (Long) in.getLong();
        long appearOfflineAt = longIf(flags & PackedUser.HAS_APPEAR_OFFLINE_AT, NEVER, in);
        in.position(user.firstDevice());
        List<DeviceSnapshot> devices = new ArrayList<>(count);
        for (int left = count; left > 0; left--) {
            devices.add(device(in));
        }
        long statusAt = longIf(flags & PackedUser.HAS_STATUS_AT, NEVER, in);
        long forgettableSince = longIf(flags & PackedUser.HAS_FORGETTABLE_SINCE, NEVER, in);
        long leftOnline = longIf(flags & PackedUser.HAS_LEFT_ONLINE, NEVER, in);
        long leftIdle = longIf(flags & PackedUser.HAS_LEFT_IDLE, NEVER, in);
        long routingSequence = longIf(flags & PackedUser.HAS_ROUTING_SEQUENCE, 0, in);
        TakenEarly early =
                (flags & PackedUser.HAS_TAKEN_EARLY) == 0 ? null : new TakenEarly(in.getLong(), in.getLong());
        StatusText status = (flags & PackedUser.HAS_TEXT) == 0
                ? StatusText.NONE
                : new StatusText(string(Short.toUnsignedInt(in.getShort()), in), textExpiry);
        Emitted emitted = (flags & PackedUser.HAS_EMITTED) == 0 ? null : emitted(flags, devices, in);
        return new UserSnapshot(
                devices,
                status,
                (flags & PackedUser.APPEARS_OFFLINE) != 0,
                emitted,
                lastActive,
                forgettableSince,
                statusAt,
                appearOfflineAt,
                leftOnline,
                leftIdle,
                routingSequence,
                0,
                early);
    }

    private static Emitted emitted(int flags, List<DeviceSnapshot> devices, ByteBuffer in) {
        PresenceState state = PackedUser.state(in.get());
        long since = (flags & PackedUser.EMITTED_SINCE_DEVICE) == 0
                ? in.getLong()
                : devices.get(0).since();
        long at = longIf(flags & PackedUser.HAS_EMITTED_AT, since, in);
        long sequence = (flags & PackedUser.HAS_LONG_SEQUENCE) == 0 ? in.getInt() : in.getLong();
        return new Emitted(state, since, at, sequence);
    }

    private DeviceSnapshot device(ByteBuffer in) {
        long storedRecord = in.getLong();
        long lastRecord = storedRecord + in.getInt();
        long deadline = in.getLong();
        long since = in.getLong();
        int leaseMs = in.getInt();
        int state = in.get();
        String id = string(in.get() & 0xFF, in);
        SessionId session = (state & PackedUser.HAS_SESSION) == 0
                ? null
                : sessions.get(in.getInt()).id();
        String shard = session == null ? string(in.get() & 0xFF, in) : "";
        long heldUntil = (state & PackedUser.HAS_HELD_UNTIL) == 0 ? deadline : in.getLong();
        return new DeviceSnapshot(
                id,
                PackedUser.state(state & PackedUser.STATE_MASK),
                since,
                lastRecord,
                storedRecord,
                leaseMs,
                (state & PackedUser.CONNECTION_ENDED) != 0,
                deadline,
                heldUntil,
                shard.isEmpty() ? null : shard,
                session);
    }

    private static int maxBytes(UserSnapshot user) {
        String text = user.status().text();
        return MAX_BYTES_BUT_DEVICES_AND_TEXT
                + user.devices().size() * MAX_BYTES_OF_A_DEVICE
                + (text == null ? 0 : text.length() * MAX_UTF8_BYTES_PER_CHAR);
    }

    private static int flag(boolean isSet, int flag) {
        return isSet ? flag : 0;
    }

    private static void putUnless(long none, long value, ByteBuffer out) {
        if (value != none) {
            out.putLong(value);
        }
    }

    private static long longIf(int flag, long none, ByteBuffer in) {
        return flag == 0 ? none : in.getLong();
    }

    private static void putId(String id, ByteBuffer out) {
        byte[] utf8 = utf8(id, Limits.MAX_ID_BYTES);
        out.put((byte) utf8.length).put(utf8);
    }

    private static byte[] utf8(String text, int maxBytes) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        if (utf8.length > maxBytes) {
            throw new IllegalArgumentException(
                    "more than %d bytes, which the contract rules out: %s".formatted(maxBytes, text));
        }
        return utf8;
    }

    private static String string(int length, ByteBuffer in) {
        byte[] utf8 = new byte[length];
        in.get(utf8);
        return new String(utf8, StandardCharsets.UTF_8);
    }
}
