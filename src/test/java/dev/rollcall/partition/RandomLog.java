package dev.rollcall.partition;

import static dev.rollcall.domain.PresenceState.IDLE;
import static dev.rollcall.domain.PresenceState.OFFLINE;
import static dev.rollcall.domain.PresenceState.ONLINE;
import static java.util.Comparator.comparing;
import static java.util.Comparator.comparingLong;

import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceRules;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.PresenceUpdate;
import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserId;
import dev.rollcall.session.ShardHeartbeat;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A log made up from a seed: a few users with a few devices, on shards or on none, and all that may happen to them, by
 * times that are short enough for all of it to happen soon, and that are often round, so that instants coincide.
 */
final class RandomLog {
    /** One thing that happens on a partition. */
    sealed interface Step {
        void on(Partition partition);
    }

    record Beat(UserId user, Heartbeat heartbeat, long at) implements Step {
        @Override
        public void on(Partition partition) {
            partition.heartbeat(user, heartbeat, at);
        }
    }

    /** One that was written to another partition first. */
    record MisroutedBeat(UserId user, Heartbeat heartbeat, long first, long at) implements Step {
        @Override
        public void on(Partition partition) {
            partition.misroutedHeartbeat(user, heartbeat, first, at);
        }
    }

    record ShardBeat(ShardHeartbeat heartbeat, long at) implements Step {
        @Override
        public void on(Partition partition) {
            partition.shardHeartbeat(heartbeat, at);
        }
    }

    record MisroutedText(UserId user, StatusText text, long first, long at) implements Step {
        @Override
        public void on(Partition partition) {
            partition.misroutedStatus(user, text, first, at);
        }
    }

    record MisroutedHide(UserId user, boolean on, long first, long at) implements Step {
        @Override
        public void on(Partition partition) {
            partition.misroutedAppearOffline(user, on, first, at);
        }
    }

    record Text(UserId user, StatusText text, long at) implements Step {
        @Override
        public void on(Partition partition) {
            partition.status(user, text, at);
        }
    }

    record Hide(UserId user, boolean on, long at) implements Step {
        @Override
        public void on(Partition partition) {
            partition.appearOffline(user, on, at);
        }
    }

    record Review(UserId user) implements Step {
        @Override
        public void on(Partition partition) {
            partition.review(user);
        }
    }

    record ClockTick(long at) implements Step {
        @Override
        public void on(Partition partition) {
            partition.tick(at);
        }
    }

    record Restart() implements Step {
        @Override
        public void on(Partition partition) {
            partition.restart();
        }
    }

    /** What was emitted of each user, in its order; how users take turns is not part of the rules. */
    static final class Transcript {
        private final Map<UserId, List<PresenceUpdate>> emittedOf = new TreeMap<>(comparing(UserId::toString));

        void addAll(List<Partition.Emitted> all) {
            all.forEach(emitted -> emittedOf
                    .computeIfAbsent(emitted.user(), any -> new ArrayList<>())
                    .add(emitted.update()));
        }

        List<PresenceUpdate> of(UserId user) {
            return emittedOf.getOrDefault(user, List.of());
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Transcript that && emittedOf.equals(that.emittedOf);
        }

        @Override
        public int hashCode() {
            return emittedOf.hashCode();
        }

        @Override
        public String toString() {
            return emittedOf.toString();
        }
    }

    /** What may happen in a log. */
    static final class Habits {
        private int hiddenUsers;
        private boolean restarts;
        private boolean outages = true;
        private boolean late = true;
        private boolean clockSteps = true;
        private boolean steadyUser;
        private int sweepBudget = 1_000_000;
        private @Nullable Long lastSeenPersistMs;

        /** The first users hide at the beginning, and for good. */
        Habits hiddenUsers(int users) {
            hiddenUsers = users;
            return this;
        }

        Habits restarts() {
            restarts = true;
            return this;
        }

        /** At no time is nothing written at all. */
        Habits noOutages() {
            outages = false;
            return this;
        }

        /** No stamp is out of order: nothing is misrouted, all topics have one clock, and that never steps. */
        Habits inOrder() {
            late = false;
            clockSteps = false;
            return this;
        }

        /** The clock of the heartbeats' broker never steps. */
        Habits steadyClock() {
            clockSteps = false;
            return this;
        }

        /** The last user has one device, online and visible, that never leaves a gap as long as its lease. */
        Habits steadyUser() {
            steadyUser = true;
            return this;
        }

        Habits sweepBudget(int users) {
            sweepBudget = users;
            return this;
        }

        Habits lastSeenPersist(long ms) {
            lastSeenPersistMs = ms;
            return this;
        }
    }

    /** A shard that holds connections. */
    private static final class Holder {
        private final String shard;

        /** The last one first. */
        private final Deque<ShardHeartbeat> sessions = new ArrayDeque<>();

        private long nextBeat;

        private Holder(String shard) {
            this.shard = shard;
        }
    }

    static final long START = 100_000;
    private static final long TICK_MS = 1_000;

    /** As many of a shard's last sessions may still be there. */
    private static final int MOST_ZOMBIES = 4;

    final long seed;
    final PresenceRules rules;
    final List<UserId> users = new ArrayList<>();
    final Set<UserId> hiddenForGood = new HashSet<>();
    final List<Step> steps = new ArrayList<>();

    private final Habits habits;
    private final Random random;
    private final List<String> shards = new ArrayList<>();
    private final Map<String, String> shardOf = new HashMap<>();
    private final Map<String, Long> mutedUntil = new HashMap<>();

    private final Map<String, Holder> holders = new TreeMap<>();
    private long time = START;

    /** By how much the clock of the heartbeats' broker is wrong. */
    private long clockError;

    private long nextTick = START;
    private long ticksStallUntil;
    private long steadyBeat = START;

    RandomLog(long seed, int length, Habits habits) {
        this.seed = seed;
        this.habits = habits;
        this.random = new Random(seed);
        long lease = seconds(2, 8);
        this.rules = new PresenceRules(
                lease,
                seconds(0, 3),
                seconds(5, 40),
                2 + random.nextInt(3),
                seconds(2, 5),
                random.nextInt(4) == 0 ? 0 : seconds(1, 15),
                seconds(2, 8),
                seconds(1, 6),
                habits.lastSeenPersistMs == null ? seconds(0, 10) : habits.lastSeenPersistMs,
                3 * TICK_MS,
                habits.sweepBudget,
                false);
        int howMany = 1 + random.nextInt(4) + habits.hiddenUsers + (habits.steadyUser ? 1 : 0);
        for (int i = 0; i < howMany; i++) {
            users.add(UserId.of("user" + i));
        }
        for (int i = random.nextInt(4); i > 0; i--) {
            shards.add("shard" + i);
        }
        for (String shard : shards) {
            if (random.nextInt(3) > 0) {
                Holder holder = new Holder(shard);
                holders.put(shard, holder);
                begin(holder);
            }
        }
        for (UserId user : users.subList(0, habits.hiddenUsers)) {
            hiddenForGood.add(user);
            steps.add(new Hide(user, true, START));
        }
        while (steps.size() < length) {
            next();
            letTimePass(snap(random.nextInt(600)));
        }
    }

    /** The user of {@link Habits#steadyUser}. */
    UserId steadyUser() {
        return users.get(users.size() - 1);
    }

    /** When the last record was written. */
    long end() {
        return time;
    }

    private void next() {
        int dice = random.nextInt(100);
        if (dice < 6 && !holders.isEmpty()) {
            shardEvent();
        } else if (dice < 60) {
            beat();
        } else if (dice < 68) {
            UserId user = anyUser();
            StatusText text = anyText();
            steps.add(
                    isMisrouted()
                            ? new MisroutedText(user, text, earlier(), otherStamp())
                            : new Text(user, text, otherStamp()));
        } else if (dice < 76) {
            UserId user = anyUser();
            boolean on = random.nextBoolean();
            if (!hiddenForGood.contains(user) && !isSteady(user)) {
                steps.add(
                        isMisrouted()
                                ? new MisroutedHide(user, on, earlier(), otherStamp())
                                : new Hide(user, on, otherStamp()));
            }
        } else if (dice < 80) {
            steps.add(new Review(anyUser()));
        } else if (dice < 84) {
            mute(shards.isEmpty() ? "nobody" : shards.get(random.nextInt(shards.size())));
        } else if (dice < 88) {
            mute(anyUser().toString());
        } else if (dice < 90 && habits.outages) {
            ticksStallUntil = time + random.nextInt(2_000);
        } else if (dice == 90 && habits.restarts) {
            restart();
        } else if (dice == 91 && habits.outages) {
            time += seconds(1, 30);
            nextTick = time + snap(random.nextInt(1_000)); // nothing is written in between, not even a clock tick
        } else if (dice == 92) {
            letTimePass(seconds(2, 20));
        } else if (dice == 93 && habits.clockSteps) {
            clockError = snap(random.nextInt(-3_000, 3_000)); // another leader
        }
    }

    private long stamp() {
        return time + clockError;
    }

    /** The first record after it is one that everybody hears: until then, little is known, and less is emitted of it. */
    private void restart() {
        steps.add(new Restart());
        if (random.nextBoolean()) {
            steps.add(new ClockTick(stamp()));
        } else {
            Heartbeat beat = new Heartbeat("any", IDLE, false, OptionalLong.empty(), null);
            steps.add(new Beat(UserId.of("bystander"), beat, stamp()));
        }
    }

    private void beat() {
        UserId user = anyUser();
        String device = isSteady(user) ? "steady" : "d" + random.nextInt(4);
        boolean anew = random.nextInt(15) == 0;
        String shard = shardOf.compute(
                user + device,
                (any, now) -> now == null || anew ? shards.isEmpty() || random.nextInt(4) == 0 ? "" : anyShard() : now);
        if (isMuted(shard) || isMuted(user.toString()) || isSteady(user)) {
            return;
        }
        PresenceState state = switch (random.nextInt(8)) {
            case 0 -> OFFLINE;
            case 1 -> IDLE;
            case 2, 3 -> ONLINE;
            default -> null;
        };
        boolean closed = random.nextInt(8) == 0;
        OptionalLong lease = random.nextInt(4) == 0 ? OptionalLong.of(seconds(1, 12)) : OptionalLong.empty();
        String session = shard.isEmpty() ? null : anySession(shard);
        // If no session holds it, it names no shard: what a shard's silence means when it is told in the wrong order is
        // left open.
        boolean isMisrouted = isMisrouted() && (session != null || !holders.containsKey(shard));
        boolean isElsewhere = holders.containsKey(shard) && random.nextBoolean();
        boolean namesShard = session != null || (!shard.isEmpty() && !isMisrouted && !isElsewhere);
        Heartbeat heartbeat = new Heartbeat(device, state, closed, lease, namesShard ? shard : null, session);
        if (isMisrouted) {
            steps.add(new MisroutedBeat(user, heartbeat, earlier() + clockError, stamp()));
        } else {
            steps.add(new Beat(user, heartbeat, stamp()));
        }
    }

    // ---- sessions ----

    /** Mostly the last one; null: none. */
    private @Nullable String anySession(String shard) {
        Holder holder = holders.get(shard);
        if (holder == null || random.nextInt(8) == 0) {
            return null;
        }
        return (random.nextInt(8) == 0 ? anySession(holder) : holder.sessions.getFirst()).session();
    }

    private ShardHeartbeat anySession(Holder holder) {
        return holder.sessions.stream()
                .skip(random.nextInt(Math.min(MOST_ZOMBIES, holder.sessions.size())))
                .findFirst()
                .orElseThrow();
    }

    /** Another life of the shard, which mostly beats at once. */
    private void begin(Holder holder) {
        boolean beganEarlier = !holder.sessions.isEmpty() && random.nextInt(8) == 0;
        long startedAt = beganEarlier ? anySession(holder).startedAt() - random.nextInt(2) : time;
        OptionalLong lease = random.nextInt(3) == 0 ? OptionalLong.of(seconds(1, 10)) : OptionalLong.empty();
        String session = holder.shard + "-" + holder.sessions.size();
        holder.sessions.addFirst(new ShardHeartbeat(holder.shard, session, startedAt, lease, false));
        holder.nextBeat = time + (random.nextInt(3) == 0 ? snap(random.nextInt(6_000)) : 0);
    }

    private void shardEvent() {
        List<Holder> all = List.copyOf(holders.values());
        Holder holder = all.get(random.nextInt(all.size()));
        switch (random.nextInt(6)) {
            case 0, 1, 2 -> begin(holder);
            case 3 -> {
                ShardHeartbeat one = anySession(holder);
                steps.add(new ShardBeat(
                        new ShardHeartbeat(one.shard(), one.session(), one.startedAt(), one.leaseMs(), true), stamp()));
                mute(holder.shard);
            }
            case 4 -> steps.add(new ShardBeat(anySession(holder), stamp()));
            default -> mute(holder.shard);
        }
    }

    private void beat(Holder holder) {
        ShardHeartbeat session = holder.sessions.getFirst();
        if (!isMuted(holder.shard)) {
            steps.add(new ShardBeat(session, stamp()));
        }
        holder.nextBeat = time + session.leaseMs().orElse(rules.shardLeaseMs()) / 2;
    }

    private void letTimePass(long ms) {
        long until = time + ms;
        while (true) {
            Holder holder = holders.values().stream()
                    .min(comparingLong(one -> one.nextBeat))
                    .orElse(null);
            long shardAt = holder == null ? Long.MAX_VALUE : holder.nextBeat;
            long steadyAt = habits.steadyUser ? steadyBeat : Long.MAX_VALUE;
            long next = Math.min(nextTick, Math.min(steadyAt, shardAt));
            if (next > until) {
                break;
            }
            time = Math.max(time, next);
            if (steadyAt == next) {
                PresenceState state = time == START ? ONLINE : null;
                Heartbeat beat = new Heartbeat("steady", state, false, OptionalLong.empty(), null);
                steps.add(new Beat(steadyUser(), beat, stamp()));
                steadyBeat += rules.leaseMs() - 1 - random.nextInt(1_000);
            } else if (holder != null && shardAt == next) {
                beat(holder);
            } else {
                if (time >= ticksStallUntil) {
                    steps.add(new ClockTick(stamp()));
                }
                nextTick += random.nextInt(4) == 0 ? 900 + random.nextInt(200) : TICK_MS;
            }
        }
        time = until;
    }

    private StatusText anyText() {
        return switch (random.nextInt(4)) {
            case 0 -> StatusText.NONE;
            case 1 -> new StatusText("x", null);
            default -> new StatusText(random.nextBoolean() ? "x" : "y", time + snap(random.nextInt(20_000)) - 2_000);
        };
    }

    private boolean isMisrouted() {
        return habits.late && random.nextInt(20) == 0;
    }

    private long earlier() {
        return time - snap(random.nextInt(8_000));
    }

    /** Of another topic, whose broker may have another clock. */
    private long otherStamp() {
        int dice = habits.late ? random.nextInt(10) : 9;
        return dice < 2 ? time - snap(random.nextInt(5_000)) : dice == 2 ? time + snap(random.nextInt(5_000)) : time;
    }

    private void mute(String whom) {
        mutedUntil.put(whom, time + seconds(2, 20));
    }

    private boolean isMuted(String whom) {
        return mutedUntil.getOrDefault(whom, 0L) > time;
    }

    private boolean isSteady(UserId user) {
        return habits.steadyUser && user.equals(steadyUser());
    }

    private UserId anyUser() {
        return users.get(random.nextInt(users.size()));
    }

    private String anyShard() {
        return shards.get(random.nextInt(shards.size()));
    }

    private long seconds(int from, int to) {
        return snap(from * 1_000L + random.nextInt((to - from) * 1_000 + 1));
    }

    /** Mostly round. */
    private long snap(long ms) {
        return random.nextInt(4) == 0 ? ms : ms / 250 * 250;
    }
}
