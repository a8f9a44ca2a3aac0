package dev.rollcall.chaos;

import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.UserId;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/** A device where it is connected; the user's first device also sets text and flag. */
final class Connection {
    private final UserId user;
    private final boolean isFirst;
    private final SimulatedDevice device;

    /** The session that holds it, as far as that knows; null: none. */
    private @Nullable ShardSession heldBy;

    Connection(UserId user, boolean isFirst, SimulatedDevice device) {
        this.user = user;
        this.isFirst = isFirst;
        this.device = device;
    }

    UserId user() {
        return user;
    }

    boolean isFirst() {
        return isFirst;
    }

    SimulatedDevice device() {
        return device;
    }

    /** What it was connected to is gone, and it comes again after a while. */
    void cutOff() {
        heldBy = null;
        device.cutOff();
    }

    /** What a shard sends now that does not hold connections; null: nothing. */
    @Nullable
    Heartbeat step(String shard) {
        return device.step(shard);
    }

    /**
     * What a shard sends now that holds it: when it is opened, changes or ends, and no beats in between. Now and then
     * somebody sets its state who does not know the session, or polls for it.
     */
    @Nullable
    Heartbeat step(ShardSession session, SplittableRandom random) {
        Heartbeat heartbeat = device.step(session.shard());
        boolean isHeld = session.equals(heldBy);
        if (!device.isPresent()) {
            heldBy = null;
            boolean isNoticed = heartbeat != null || (isHeld && random.nextInt(10) > 0);
            return isNoticed ? session.of(device.end()) : null;
        }
        int draw100 = random.nextInt(100);
        if (heartbeat == null || (isHeld && heartbeat.state() == null && draw100 >= 6)) {
            return null;
        }
        if (isHeld && draw100 < 3) {
            heldBy = null;
            return new Heartbeat(
                    heartbeat.deviceId(),
                    heartbeat.state(),
                    false,
                    OptionalLong.of(Timing.LEASE.toMillis()),
                    heartbeat.shard());
        }
        if (isHeld && draw100 < 10) {
            return new Heartbeat(heartbeat.deviceId(), heartbeat.state(), false, OptionalLong.empty(), null);
        }
        heldBy = session;
        return session.of(heartbeat);
    }

    /** What a session sends that should not be there any more. */
    Heartbeat stepOfZombie(ShardSession session, SplittableRandom random) {
        return session.of(random.nextInt(4) == 0 ? device.end() : device.anyBeat(random));
    }
}
