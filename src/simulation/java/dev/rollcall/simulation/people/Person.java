package dev.rollcall.simulation.people;

import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.StatusText;
import dev.rollcall.simulation.plan.Plan;
import dev.rollcall.simulation.time.Chance;
import dev.rollcall.simulation.time.EventQueue;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A user with habits of their own: comes, idles, hides, sets texts, vanishes, comes again. */
final class Person {
    private static final PresenceState[] STATES = {
        PresenceState.ONLINE, PresenceState.ONLINE, PresenceState.IDLE, PresenceState.IDLE, PresenceState.OFFLINE
    };

    private static final long DAY_MS = 86_400_000;

    private final EventQueue time;
    private final Chance chance;
    private final List<Shard> shards;
    private final byte[] key;
    private final List<Device> devices = new ArrayList<>();
    private final long unitMs;
    private final long endMs;
    private final long awayMs;
    private final long stayMs;
    private final long pauseMs;
    private final long longestTextMs;
    private final boolean isHider;
    private final boolean isTexter;
    private final boolean isClumsy;
    private boolean isHidden;

    /** Strangers may have written in this user's name. */
    private boolean isForged;

    private boolean isResting;
    private boolean isPresent;
    private boolean hasConnected;
    private int visit;

    Person(EventQueue time, Plan plan, List<Shard> shards, int number, long startMs) {
        this.time = time;
        this.shards = shards;
        chance = Chance.of(plan.seed(), "person", number);
        unitMs = plan.unitMs();
        endMs = startMs + plan.durationMs();
        String id = chance.oneIn(50) ? "@ü" + number + "é".repeat(50) : "@user" + number + ":example.org";
        key = id.getBytes(StandardCharsets.UTF_8);
        boolean isRare = chance.oneIn(4);
        boolean isSparse = plan.isSparse();
        long day = isSparse ? DAY_MS : Math.min(DAY_MS, 3_000 * unitMs);
        awayMs = isRare
                ? day * chance.between(10, isSparse ? 90 : 40)
                : chance.magnitude(isSparse ? DAY_MS / 2 : Math.min(day, 10 * unitMs), (isSparse ? 60 : 1) * day);
        stayMs = chance.magnitude(5 * unitMs, Math.max(6 * unitMs, day / 3));
        pauseMs = isSparse ? Math.max(20 * unitMs, stayMs) : chance.magnitude(3 * unitMs, Math.max(4 * unitMs, stayMs));
        longestTextMs = Math.max(isSparse || chance.oneIn(4) ? 10 * DAY_MS : 0, 4_000 * unitMs);
        isHider = chance.oneIn(4);
        isTexter = chance.oneIn(4);
        isClumsy = chance.oneIn(6);
        int count = !isSparse && chance.oneIn(40) ? (int) chance.between(5, 70) : (int) chance.between(1, 3);
        for (int device = 0; device < count; device++) {
            Device.Link link = isSparse && !chance.oneIn(20)
                    ? Device.Link.SESSION
                    : chance.oneOf(
                            Device.Link.SESSION,
                            Device.Link.SESSION,
                            Device.Link.LEASE,
                            Device.Link.LONG_POLL,
                            Device.Link.BARE);
            long lease = plan.setting("device.lease.ms");
            devices.add(new Device(
                    time,
                    chance,
                    key,
                    "d" + device,
                    link,
                    link == Device.Link.BARE ? lease : lease * chance.between(1, 3),
                    shards.get(chance.below(shards.size()))));
        }
        time.afterMillis(chance.between(0, Math.max(1, Math.min(awayMs, plan.durationMs()))), this::arrive);
    }

    byte[] key() {
        return key;
    }

    private boolean isOver() {
        return time.millis() >= endMs;
    }

    /** The key, for somebody else to write with. */
    byte[] forged() {
        isForged = true;
        return key;
    }

    /** Stays as they are from now on. */
    void rest() {
        isResting = true;
    }

    /**
     * Whether others must see them, as their shards have been well for so long; of those who do what nobody can follow: no.
     *
     * @param mostDevices how many of a user's devices count
     */
    boolean mustBeShown(long wellForMs, long mostDevices) {
        return !isHider
                && !isClumsy
                && !isForged
                && devices.size() <= mostDevices
                && devices.stream().anyMatch(device -> device.mustBeShown(wellForMs));
    }

    /** Whether nobody may see them, if all of their shards tell of each end. */
    boolean mustBeGone() {
        return !isClumsy && !isForged && devices.stream().noneMatch(Device::isConnected);
    }

    private Shard anyShard() {
        return shards.get(chance.below(shards.size()));
    }

    // ---- comes and goes ----

    private void arrive() {
        if (isOver() || isResting) {
            return;
        }
        isPresent = true;
        hasConnected = false;
        int mine = ++visit;
        if (isHider && chance.oneIn(2)) {
            boolean hides = !isHidden || chance.oneIn(4);
            hide(hides, () -> connect(mine));
            // Should the answer be lost, the user comes all the same, later.
            time.afterMillis(chance.between(130_000, 200_000), () -> connect(mine));
        } else {
            connect(mine);
        }
    }

    private void hide(boolean on, Runnable then) {
        Shard shard = anyShard();
        if (!shard.isServing()) {
            return;
        }
        isHidden = on;
        shard.process().appearOffline(key, on, () -> time.afterMillis(100 + chance.below(3) * chance.below(400), then));
    }

    private void connect(int ofVisit) {
        if (visit != ofVisit || hasConnected || isResting) {
            return;
        }
        hasConnected = true;
        if (isOver()) {
            leave();
            return;
        }
        int last = chance.oneIn(3) ? devices.size() - 1 : 0;
        for (int i = 0; i <= last; i++) {
            Device device = devices.get(i);
            if (!device.isConnected()) {
                PresenceState state = chance.oneIn(3) ? null : chance.oneOf(STATES);
                time.afterMicros(i == 0 ? 0 : chance.between(0, 2_000_000), () -> device.connectUnlessConnected(state));
            }
        }
        time.afterMillis(chance.around(pauseMs), this::act);
    }

    private void leave() {
        isPresent = false;
        boolean vanishes = chance.oneIn(3);
        for (Device device : devices) {
            if (device.isConnected()) {
                if (chance.oneIn(6)) {
                    device.set(PresenceState.OFFLINE, false);
                }
                device.disconnect(vanishes);
            }
        }
        if (isHider && isHidden && chance.oneIn(3)) {
            hide(false, () -> {});
        }
        if (!isOver()) {
            int mine = visit;
            time.afterMillis(chance.around(awayMs), () -> {
                if (visit == mine) {
                    arrive();
                }
            });
        }
    }

    /** Comes earlier than planned, if away. */
    void returnEarly() {
        if (visit > 0 && !isPresent) {
            arrive();
        }
    }

    /** The run is over: nobody is there any more. */
    void stop() {
        for (Device device : devices) {
            device.disconnect(true);
        }
    }

    // ---- does something ----

    private void act() {
        if (isResting) {
            return;
        }
        if (isOver() || chance.with((double) pauseMs / (pauseMs + stayMs))) {
            leave();
            return;
        }
        Device device = devices.get(chance.below(devices.size()));
        int what = chance.below(12);
        if (isTexter && what < 4) {
            text(device);
        } else if (isHider && what < 6) {
            hide(!isHidden, () -> {
                if (device.isConnected() && chance.oneIn(2)) {
                    device.set(chance.oneOf(STATES), false);
                }
            });
        } else if (isClumsy && what < 8) {
            blunder(device);
        } else if (what == 8) {
            reconnect(device);
        } else if (what == 9) {
            device.roam(anyShard());
        } else if (device.isConnected()) {
            PresenceState state = chance.oneOf(STATES);
            device.set(state, chance.oneIn(4));
        }
        time.afterMillis(chance.around(pauseMs), this::act);
    }

    private void text(Device device) {
        Shard shard = anyShard();
        if (!shard.isServing()) {
            return;
        }
        String text =
                chance.oneOf("at lunch", "in a meeting", "", "\u00e9\u00e9\u00e9", "back at four " + chance.below(3));
        @Nullable Long expiresAt = chance.oneIn(2) ? time.millis() + chance.magnitude(unitMs / 2, longestTextMs) : null;
        StatusText status = chance.oneIn(4) ? StatusText.NONE : new StatusText(text, expiresAt);
        @Nullable
        Heartbeat carried = device.isConnected() && chance.oneIn(4)
                ? device.heartbeat(chance.oneOf(STATES), chance.oneIn(8))
                : null;
        if (carried != null) {
            device.wasCarried(carried);
        }
        shard.process().status(key, status, carried);
    }

    private void reconnect(Device device) {
        if (device.isConnected()) {
            device.disconnect(false);
            time.afterMillis(chance.magnitude(10, 10 * unitMs), () -> {
                if (isPresent && !device.isConnected() && !isOver() && !isResting) {
                    device.connect(chance.oneIn(2) ? null : PresenceState.ONLINE);
                }
            });
        } else {
            device.connect(PresenceState.ONLINE);
        }
    }

    private void blunder(Device device) {
        Shard shard = device.shard();
        if (shard.isServing()) {
            Blunders.make(shard.writer(), key, device, chance, time);
        }
    }
}
