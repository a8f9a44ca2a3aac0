package dev.rollcall.simulate;

import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.Limits;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserId;
import dev.rollcall.wire.Inbound.AppearOffline;
import dev.rollcall.wire.Inbound.Beat;
import dev.rollcall.wire.Inbound.Content;
import dev.rollcall.wire.Inbound.Status;
import java.util.Arrays;
import java.util.OptionalLong;
import java.util.function.Consumer;

/**
 * The events of all devices, second by second, as values. The same population gives the same events. Devices take turns until
 * the second has its number of heartbeats; a device that has none in its turn is skipped. Not thread-safe.
 *
 * <p>Clients of some shards are connected: every other one of the first shards. Their heartbeats name a session, which is one
 * life of the shard, and there is one for each connection that opens, changes or ends, and for each that is open when the
 * shard is back from a deploy. The other clients poll; their heartbeats name a lease.
 */
final class Plan {
    /**
     * An event.
     *
     * @param atMs its time, in ms since the plan began
     * @param opens whether it is the first that the session hears of a device's connection
     */
    record Event(long atMs, UserId user, Content content, boolean opens) {}

    /** Each shard is down for 20 s every 10 minutes, one after the other: a rolling deploy. */
    static final long DEPLOY_EVERY_MS = 600_000;

    static final long DEPLOY_MS = 20_000;

    /** Each has a producer and threads of its own. */
    private static final int MAX_CONNECTED_SHARDS = 8;

    private static final String SHARD = "sim-shard-";

    private static final double START_HOUR = 8;
    private static final double MS_PER_HOUR = 3_600_000;

    private static final Habit[] HABITS = {Habit.PHONE, Habit.DESKTOP, Habit.BOT, Habit.PHONE};
    private static final String[] DEVICE_IDS = {"phone", "desktop", "bot", "tablet"};
    private static final String[] TEXTS = {
        "at lunch",
        "in a meeting",
        "on the train",
        "back at four",
        "writing, please call",
        "out with the dog",
        "reading"
    };

    private final Population population;
    private final Tempo tempo;
    private final UserId[] users;
    private final String[] shards;

    /** By device: the user, the kind, the mode, its end in ms, and how many random numbers were drawn. */
    private final int[] owner;

    private final byte[] kind;
    private final Mode[] mode;
    private final long[] until;
    private final int[] drawn;

    /** By device: in which life of its shard its connection was opened; -1: it has none. */
    private final int[] openedIn;

    private final OptionalLong lease;
    private final boolean withConnections;
    private final boolean[] hidden;
    private int turn;
    private long second;

    /** Without connections all clients poll. */
    Plan(Population population, boolean withConnections, Tempo tempo) {
        this.population = population;
        this.tempo = tempo;
        this.withConnections = withConnections;
        users = new UserId[population.users()];
        hidden = new boolean[population.users()];
        Arrays.fill(hidden, tempo == Tempo.LIVELY); // they may be, since the simulation before
        shards = new String[population.shards()];
        for (int shard = 0; shard < shards.length; shard++) {
            shards[shard] = SHARD + shard;
        }
        int devices = 0;
        for (int user = 0; user < users.length; user++) {
            users[user] = UserId.of("@sim-" + user + ":example.org");
            devices += devicesOf(user);
        }
        owner = new int[devices];
        kind = new byte[devices];
        mode = new Mode[devices];
        until = new long[devices];
        drawn = new int[devices];
        openedIn = new int[devices];
        Arrays.fill(openedIn, -1);
        int device = 0;
        for (int user = 0; user < users.length; user++) {
            for (byte own = 0; own < devicesOf(user); own++, device++) {
                owner[device] = user;
                // One user in ten is a bot first of all.
                kind[device] = (byte) ((own + (user % 10 == 9 ? 2 : 0)) % DEVICE_IDS.length);
                mode[device] = Mode.AWAY;
                until[device] = tempo.firstMs(dice(device), dice(device));
            }
        }
        // Three turns, so that a device with a heartbeat in each turn stays live.
        long threeTurns = 3_000L * devices / population.beatsPerSecond();
        lease = OptionalLong.of(Math.min(Limits.MAX_LEASE_MS, Math.max(tempo.minLeaseMs, threeTurns)));
    }

    int devices() {
        return owner.length;
    }

    /** The time of the next second, in ms since the plan began. */
    long now() {
        return second * 1_000;
    }

    /** The events of the next second, in order. */
    void nextSecond(Consumer<Event> events) {
        int wanted = population.beatsPerSecond();
        int beats = 0;
        for (int turns = 0; turns < owner.length && beats < wanted; turns++) {
            long at = second * 1_000 + beats * 1_000L / wanted;
            if (takeTurn(turn, at, events)) {
                beats++;
            }
            turn = (turn + 1) % owner.length;
        }
        second++;
    }

    /** As {@link #isDown(int, long)}, by the shard's name. */
    boolean isDown(String shard, long at) {
        return isDown(Integer.parseInt(shard.substring(SHARD.length())), at);
    }

    /** Whether the shard is being deployed, and sends nothing. */
    boolean isDown(int shard, long at) {
        return tempo.deploys
                && at >= DEPLOY_EVERY_MS / 10
                && Math.floorMod(sinceFirstDeploy(shard, at), DEPLOY_EVERY_MS) < DEPLOY_MS;
    }

    /** How often the shard was deployed. */
    private int life(int shard, long at) {
        return !tempo.deploys ? 0 : (int) Math.max(0, 1 + Math.floorDiv(sinceFirstDeploy(shard, at), DEPLOY_EVERY_MS));
    }

    private long sinceFirstDeploy(int shard, long at) {
        // No deploy in the first minute, so that a short run has much activity.
        return at - DEPLOY_EVERY_MS / 10 - shard * DEPLOY_EVERY_MS / shards.length;
    }

    private boolean holdsConnections(int shard) {
        return withConnections && shard % 2 == 1 && shard < 2 * MAX_CONNECTED_SHARDS;
    }

    /** Returns whether the device sent a heartbeat. */
    private boolean takeTurn(int device, long at, Consumer<Event> events) {
        int shard = owner[device] % shards.length;
        if (isDown(shard, at)) {
            return false;
        }
        Mode before = mode[device];
        boolean isChange = at >= until[device];
        if (isChange) {
            mode[device] = HABITS[kind[device]].next(before, dice(device), Habit.awake(hour(owner[device], at)));
            if (mode[device] == Mode.AWAY && tempo.vanishShare > 0 && dice(device) < tempo.vanishShare) {
                mode[device] = Mode.VANISHED;
            }
            until[device] = at + tempo.durationMs(mode[device], dice(device));
            if (mode[device].state != null) {
                maybeChangeUser(device, at, events);
            }
        }
        return holdsConnections(shard)
                ? connect(device, before, life(shard, at), at, events)
                : poll(device, before, isChange, at, events);
    }

    private boolean poll(int device, Mode before, boolean isChange, long at, Consumer<Event> events) {
        Mode now = mode[device];
        boolean ends = isChange && now == Mode.AWAY && before.state != null;
        if (now.state == null && !ends) {
            return false;
        }
        Heartbeat heartbeat = new Heartbeat(
                DEVICE_IDS[kind[device]],
                isChange ? now.state : null,
                ends,
                lease,
                shards[owner[device] % shards.length]);
        events.accept(new Event(at, users[owner[device]], new Beat(heartbeat), false));
        return true;
    }

    /** The shard notices each end of a connection, however the client has left. */
    private boolean connect(int device, Mode before, int life, long at, Consumer<Event> events) {
        PresenceState state = mode[device].state;
        boolean isOpen = openedIn[device] == life;
        if (state == null ? !isOpen : isOpen && state == before.state) {
            return false;
        }
        openedIn[device] = state == null ? -1 : life;
        Heartbeat heartbeat = new Heartbeat(
                DEVICE_IDS[kind[device]],
                state,
                state == null,
                OptionalLong.empty(),
                shards[owner[device] % shards.length],
                "life-" + life);
        events.accept(new Event(at, users[owner[device]], new Beat(heartbeat), !isOpen && state != null));
        return true;
    }

    private void maybeChangeUser(int device, long at, Consumer<Event> events) {
        double dice = dice(device);
        int user = owner[device];
        if (dice < tempo.textShare) {
            int which = (int) (dice / tempo.textShare * (TEXTS.length + 2));
            StatusText text = new StatusText(which < TEXTS.length ? TEXTS[which] : null, null);
            events.accept(new Event(at, users[user], new Status(text), false));
        } else if (dice > 1 - (hidden[user] ? tempo.showShare : tempo.hideShare)) {
            hidden[user] = !hidden[user];
            events.accept(new Event(at, users[user], new AppearOffline(hidden[user]), false));
        }
    }

    private int devicesOf(int user) {
        return 1 + (int) Math.floorMod(mix(population.seed() + user), (long) population.devicesPerUser());
    }

    /** The hour of the user's day; users are in all time zones. */
    private double hour(int user, long at) {
        return START_HOUR + Math.floorMod(mix(~population.seed() ^ user), 24) + at / MS_PER_HOUR;
    }

    /** The device's next random number, 0 to 1; independent of the other devices. */
    private double dice(int device) {
        long bits = mix(mix(population.seed() ^ ((long) device << 32)) + drawn[device]++);
        return (bits >>> 11) * 0x1.0p-53;
    }

    /** SplitMix64. */
    private static long mix(long value) {
        long mixed = value * 0x9E3779B97F4A7C15L + 0x632BE59BD9B4E019L;
        mixed = (mixed ^ (mixed >>> 30)) * 0xBF58476D1CE4E5B9L;
        mixed = (mixed ^ (mixed >>> 27)) * 0x94D049BB133111EBL;
        return mixed ^ (mixed >>> 31);
    }
}
