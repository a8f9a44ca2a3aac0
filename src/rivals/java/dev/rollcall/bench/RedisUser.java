package dev.rollcall.bench;

import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.Presence;
import dev.rollcall.domain.PresenceState;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The hash of a user, as it is while one batch is worked on: a field with the state of each device, and one with what was emitted
 * last. All times in ms since the epoch.
 */
final class RedisUser {
    /** No device has an empty id. */
    private static final String SHOWN = "";

    private final Map<String, PresenceState> devices = new HashMap<>();

    /** The fields that this batch has changed. */
    private final Map<String, String> changed = new HashMap<>();

    private PresenceState shown = PresenceState.OFFLINE;
    private long sequence;

    RedisUser(Map<String, String> hash) {
        hash.forEach((field, value) -> {
            if (field.equals(SHOWN)) {
                int space = value.indexOf(' ');
                shown = PresenceState.valueOf(value.substring(0, space));
                sequence = Long.parseLong(value, space + 1, value.length(), 10);
            } else {
                devices.put(field, PresenceState.valueOf(value));
            }
        });
    }

    /** Rules 1 and 2. What is to be emitted; null: nothing. */
    @Nullable
    Presence take(Heartbeat heartbeat, long at) {
        PresenceState before = devices.get(heartbeat.deviceId());
        PresenceState live = before == null ? PresenceState.ONLINE : before;
        PresenceState now = heartbeat.state() == null ? live : heartbeat.state();
        if (now == before) {
            return null;
        }
        devices.put(heartbeat.deviceId(), now);
        changed.put(heartbeat.deviceId(), now.name());
        return emit(at, at);
    }

    /** The device's lease has ended. What is to be emitted; null: nothing. */
    @Nullable
    Presence expire(String device, long deadline, long lastActive) {
        devices.remove(device);
        changed.remove(device);
        return emit(deadline, lastActive);
    }

    private @Nullable Presence emit(long at, long lastActive) {
        PresenceState now = PresenceState.OFFLINE;
        for (PresenceState state : devices.values()) {
            now = PresenceState.union(now, state);
        }
        if (now == shown) {
            return null;
        }
        sequence++;
        Presence presence = new Presence(now, sequence == 1 ? null : shown, null, at, lastActive, sequence);
        shown = now;
        changed.put(SHOWN, now.name() + " " + sequence);
        return presence;
    }

    /** What is to be written to the hash. */
    Map<String, String> changed() {
        return changed;
    }
}
