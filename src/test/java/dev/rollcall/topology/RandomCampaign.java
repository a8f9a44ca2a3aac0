package dev.rollcall.topology;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.rollcall.chaos.check.Entry;
import dev.rollcall.chaos.check.Logs;
import dev.rollcall.chaos.check.Settings;
import dev.rollcall.chaos.check.Window;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserId;
import dev.rollcall.session.ShardHeartbeat;
import dev.rollcall.wire.Inbound;
import dev.rollcall.wire.Inbound.Content;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.Random;
import org.apache.kafka.streams.test.TestRecord;
import org.jspecify.annotations.Nullable;

/**
 * A few minutes in the life of one partition, made up from a seed and played on the real topology in virtual time: devices
 * that poll, idle, close, vanish and come back, users who hide and who change their text, shards that fall silent, and
 * faults. What went in and came out is kept as it would lie in the topics. Times in ms.
 */
final class RandomCampaign implements AutoCloseable {
    /** What went in and came out, and when there were faults. */
    record Recorded(Logs logs, Settings settings, List<Window> windows) {}

    private static final long TICK_MS = 1_000;
    private static final long STEP_MS = 50;
    private static final long END_MS = 150_000;
    private static final long QUIET_END_MS = 60_000;
    private static final List<PresenceState> STATES = List.of(
            PresenceState.ONLINE, PresenceState.ONLINE, PresenceState.IDLE, PresenceState.OFFLINE, PresenceState.IDLE);

    private static final class Device {
        final UserId user;
        final String id;

        @Nullable
        String shard;

        long leaseMs;
        boolean beats;
        boolean isNew = true;
        long nextBeat;

        /** The session that has opened it last. */
        @Nullable
        String openedBy;

        Device(UserId user, String id) {
            this.user = user;
            this.id = id;
        }
    }

    /** A shard that holds connections in sessions. */
    private static final class Holder {
        final String shard;
        int sessions;
        long startedAt;
        long nextBeat;

        Holder(String shard) {
            this.shard = shard;
        }

        String session(int number) {
            return shard + "-" + number;
        }
    }

    /** A topic: all that was ever written to it, and what of that the processor has not read yet. */
    private static final class Log {
        final String topic;
        final List<Entry> entries = new ArrayList<>();
        final Deque<Entry> unread = new ArrayDeque<>();

        Log(String topic) {
            this.topic = topic;
        }

        Entry add(long at, byte @Nullable [] key, byte @Nullable [] value) {
            Entry entry = new Entry(0, entries.size(), at, key, value);
            entries.add(entry);
            return entry;
        }
    }

    private final Random random;
    private final Settings settings;
    private final TopologyContext rollcall;
    private final List<Device> devices = new ArrayList<>();
    private final Map<String, Holder> holders = new LinkedHashMap<>();
    private final List<UserId> users = new ArrayList<>();
    private final Map<String, Long> mutedUntil = new HashMap<>();
    private final Log heartbeats;
    private final Log statuses;
    private final Log flags;
    private final Log presence;
    private final List<Window> windows = new ArrayList<>();
    private long time = 1_000;
    private boolean isDown;

    /** A new processor has not read any clock tick since then; {@link Long#MAX_VALUE}: it has. */
    private long disturbedFrom = Long.MAX_VALUE;

    private RandomCampaign(long seed) {
        random = new Random(seed);
        long lease = 6_000L + random.nextInt(6) * 1_000L;
        boolean forgets = random.nextInt(4) == 0;
        settings = new Settings(
                1,
                lease,
                random.nextInt(4) * 1_000L,
                TICK_MS,
                3_000L + random.nextInt(3) * 1_000L,
                random.nextInt(4) == 0 ? 0 : 5_000L + random.nextInt(15) * 1_000L,
                3_000L + random.nextInt(6) * 1_000L,
                random.nextInt(6) * 1_000L,
                0,
                64,
                forgets ? 20_000 : 2_592_000_000L,
                2_000);
        rollcall = new TopologyContext(RollcallConfig.of(Map.of(
                "device.lease.ms", Long.toString(settings.leaseMs()),
                "disconnect.grace.ms", Long.toString(settings.graceMs()),
                "user.retention.ms", Long.toString(settings.retentionMs()),
                "shard.quiet.ms", Long.toString(settings.shardSilenceMs()),
                "shard.hold.ms", Long.toString(settings.shardHoldMs()),
                "shard.lease.ms", Long.toString(settings.shardLeaseMs()),
                "shard.resume.ms", Long.toString(settings.shardResumeMs()),
                "last.seen.persist.ms", Long.toString(random.nextInt(4) * 10_000L),
                "pulse.interval.ms", Long.toString(TICK_MS))));
        heartbeats = new Log(rollcall.topics().heartbeats().name());
        statuses = new Log(rollcall.topics().statuses().name());
        flags = new Log(rollcall.topics().appearOffline().name());
        presence = new Log(rollcall.topics().presence().name());
        for (String shard : List.of("shard1", "shard2")) {
            holders.put(shard, new Holder(shard));
        }
        for (int i = 0; i < 6; i++) {
            UserId user = UserId.of("user" + i);
            users.add(user);
            for (int k = random.nextInt(3); k >= 0; k--) {
                Device device = new Device(user, "device" + k);
                int shard = random.nextInt(4);
                device.shard = shard == 0 ? null : "shard" + shard;
                device.leaseMs = lease;
                device.beats = random.nextBoolean();
                device.nextBeat = time + random.nextInt(3_000);
                devices.add(device);
            }
        }
    }

    /** @param faults whether processors are ended, and logs fall silent */
    static Recorded play(long seed, boolean faults) {
        try (RandomCampaign campaign = new RandomCampaign(seed)) {
            return campaign.run(faults);
        }
    }

    @Override
    public void close() {
        rollcall.close();
    }

    private Recorded run(boolean faults) {
        while (time < END_MS) {
            step();
            if (random.nextInt(20) == 0) {
                something();
            }
            // A processor that ends while it reads a backlog may end somebody later than promise 3 says:
            // docs/guarantees.md.
            if (faults && random.nextInt(400) == 0 && disturbedFrom == Long.MAX_VALUE) {
                fault();
            }
        }
        devices.forEach(device -> device.beats = false);
        holders.values().forEach(holder -> holder.nextBeat = Long.MAX_VALUE);
        long end = time + QUIET_END_MS;
        while (time < end) {
            step();
        }
        if (disturbedFrom != Long.MAX_VALUE) {
            windows.add(new Window(disturbedFrom, time));
        }
        Map<String, Entry> last = new LinkedHashMap<>();
        for (Entry entry : presence.entries) {
            last.put(new String(Objects.requireNonNull(entry.key()), UTF_8), entry);
        }
        last.values().removeIf(entry -> entry.value() == null);
        return new Recorded(
                new Logs(
                        time,
                        heartbeats.entries,
                        statuses.entries,
                        flags.entries,
                        presence.entries,
                        List.copyOf(last.values())),
                settings,
                windows);
    }

    private void step() {
        time += 1 + random.nextInt((int) STEP_MS);
        if (!isDown) {
            rollcall.advanceTo(time);
            collect();
        }
        holders.values().forEach(this::beat);
        for (Device device : devices) {
            Holder holder = holders.get(device.shard);
            if (holder != null && holder.session(holder.sessions).equals(device.openedBy)) {
                continue; // its session beats for it
            }
            if (device.beats && time >= device.nextBeat && mutedUntil.getOrDefault(device.shard, 0L) < time) {
                beat(device, null, false);
            }
        }
    }

    private void beat(Holder holder) {
        if (time >= holder.nextBeat && mutedUntil.getOrDefault(holder.shard, 0L) < time) {
            if (holder.sessions == 0) {
                begin(holder);
            }
            holder.nextBeat = time + settings.shardLeaseMs() / 3;
            beat(holder, holder.sessions, false);
        }
    }

    private void begin(Holder holder) {
        holder.sessions++;
        holder.startedAt = time;
        holder.nextBeat = time + (random.nextInt(3) == 0 ? random.nextInt(3_000) : 0);
    }

    /** Of an earlier session, it is one that should not be there any more. */
    private void beat(Holder holder, int session, boolean ended) {
        long startedAt = holder.startedAt - (holder.sessions - session);
        write(
                heartbeats,
                null,
                new Inbound.ShardBeat(new ShardHeartbeat(
                        holder.shard, holder.session(session), startedAt, OptionalLong.empty(), ended)),
                time);
    }

    private void shardEvent() {
        Holder holder = holders.get("shard" + (1 + random.nextInt(2)));
        if (holder == null || holder.sessions == 0 || mutedUntil.getOrDefault(holder.shard, 0L) >= time) {
            return;
        }
        switch (random.nextInt(4)) {
            case 0, 1 -> begin(holder);
            case 2 -> {
                beat(holder, holder.sessions, true);
                mutedUntil.put(holder.shard, time + random.nextInt(8_000));
                begin(holder);
            }
            default -> {
                if (holder.sessions > 1) {
                    beat(holder, holder.sessions - 1, random.nextBoolean());
                }
            }
        }
    }

    private void beat(Device device, @Nullable PresenceState state, boolean closed) {
        Holder holder = holders.get(device.shard);
        String session = null;
        if (holder != null && holder.sessions > 0 && random.nextInt(10) > 0) {
            boolean isZombie = holder.sessions > 1 && random.nextInt(10) == 0;
            session = holder.session(isZombie ? holder.sessions - 1 : holder.sessions);
            device.openedBy = session;
        }
        PresenceState emitted =
                state == null && device.isNew && random.nextInt(3) == 0 ? STATES.get(random.nextInt(5)) : state;
        OptionalLong lease =
                device.leaseMs == settings.leaseMs() ? OptionalLong.empty() : OptionalLong.of(device.leaseMs);
        write(
                heartbeats,
                device.user,
                new Inbound.Beat(new Heartbeat(device.id, emitted, closed, lease, device.shard, session)),
                time);
        device.isNew = false;
        device.nextBeat = time + device.leaseMs / 3 + random.nextInt(500);
    }

    private void something() {
        Device device = devices.get(random.nextInt(devices.size()));
        UserId user = device.user;
        switch (random.nextInt(15)) {
            case 0, 1 -> device.beats = false;
            case 2, 3, 4 -> device.beats = true;
            case 5 -> {
                beat(device, random.nextBoolean() ? null : STATES.get(random.nextInt(5)), true);
                device.beats = random.nextInt(4) == 0;
            }
            case 6, 7 -> beat(device, STATES.get(random.nextInt(5)), false);
            case 8 -> {
                Long endsAt = random.nextBoolean() ? null : (Long) (time + random.nextInt(15_000));
                String text = random.nextInt(4) == 0 ? null : "text" + random.nextInt(3);
                write(statuses, user, new Inbound.Status(new StatusText(text, endsAt)), time);
            }
            case 9 -> write(flags, user, new Inbound.AppearOffline(random.nextInt(3) > 0 && isShy(user)), time);
            case 11 -> shardEvent();
            case 12 -> device.shard = "shard" + (1 + random.nextInt(3));
            case 10 -> device.leaseMs = settings.leaseMs() * (1 + random.nextInt(2));
            default -> {
                if (random.nextInt(3) == 0) {
                    mutedUntil.put("shard" + (1 + random.nextInt(3)), time + 2_000 + random.nextInt(25_000));
                }
            }
        }
    }

    /** Half of the users never hide, so that it is certain what was heard of them. */
    private boolean isShy(UserId user) {
        return users.indexOf(user) % 2 == 0;
    }

    private void fault() {
        long from = time;
        switch (random.nextInt(3)) {
            case 0 -> rollcall.restart();
            case 1 -> {
                isDown = true; // the shards go on; the processor comes back, perhaps after several leases
                long until = time + random.nextInt(40_000);
                while (time < until) {
                    step();
                    if (random.nextInt(20) == 0) {
                        something();
                    }
                }
                catchUp();
            }
            default -> {
                time += 4_000 + random.nextInt(27_000); // nothing can be written at all
                if (random.nextBoolean()) {
                    return; // the log alone tells that
                }
                rollcall.restartAt(time);
            }
        }
        disturbedFrom = Math.min(disturbedFrom, from - 1);
    }

    /** Reads what was written meanwhile, in the order of the stamps (rule 7). */
    private void catchUp() {
        isDown = false;
        rollcall.restartAt(time);
        List<Log> waiting = List.of(flags, statuses, heartbeats);
        while (true) {
            Log first = null;
            for (Log log : waiting) {
                Entry next = log.unread.peek();
                if (next != null
                        && (first == null
                                || next.timestamp()
                                        < Objects.requireNonNull(first.unread.peek())
                                                .timestamp())) {
                    first = log;
                }
            }
            if (first == null) {
                return;
            }
            read(first, first.unread.remove());
        }
    }

    private void write(Log log, @Nullable UserId user, Content content, long at) {
        Entry entry = log.add(at, user == null ? null : user.bytes(), rollcall.bytes(content));
        if (isDown) {
            log.unread.add(entry);
        } else {
            read(log, entry);
        }
    }

    private void read(Log log, Entry entry) {
        rollcall.send(log.topic, entry.key(), entry.value(), entry.timestamp());
        collect();
    }

    /** Takes what the processor wrote: what it emitted, and its pulses. */
    private void collect() {
        for (Log log : List.of(heartbeats, presence)) {
            for (TestRecord<byte[], byte[]> record : rollcall.readBytes(log.topic)) {
                log.add(record.timestamp(), record.key(), record.value());
                if (record.key() == null && disturbedFrom != Long.MAX_VALUE) {
                    windows.add(new Window(disturbedFrom, record.timestamp()));
                    disturbedFrom = Long.MAX_VALUE;
                }
            }
        }
    }
}
