package dev.rollcall.partition;

import static dev.rollcall.domain.PresenceState.OFFLINE;
import static dev.rollcall.domain.PresenceState.ONLINE;

import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.Presence;
import dev.rollcall.domain.PresenceRules;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.PresenceUpdate;
import dev.rollcall.domain.Rejection.Reason;
import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserId;
import dev.rollcall.domain.UserSnapshot;
import dev.rollcall.session.ShardHeartbeat;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The rules a second time, written to be read and not to be fast: everything that was ever heard is kept in plain lists,
 * and everything is worked out anew at each step. It has no store, no buckets, no budget; it shares with the domain only
 * the values that go in and come out. Where the two differ, one of them is wrong.
 */
final class NaiveModel implements Partition {
    private static final class Device implements NaiveSessions.Device {
        final String id;
        PresenceState state = ONLINE;
        long stateSince;
        long lastRecord;
        long lease;
        long deadline;
        boolean closed;

        @Nullable
        String shard;

        NaiveSessions.@Nullable Id session;

        /** Null: no session holds it, and its lease or its grace time counts. */
        NaiveSessions.@Nullable Life life;

        Device(String id, long at) {
            this.id = id;
            this.stateSince = at;
        }

        @Override
        public NaiveSessions.Id session() {
            return Objects.requireNonNull(session);
        }

        @Override
        public NaiveSessions.Life life() {
            return Objects.requireNonNull(life);
        }

        @Override
        public void follow(NaiveSessions.Life newLife) {
            life = newLife;
        }
    }

    private record Departure(PresenceState from, long at) {}

    private static final class Person {
        final UserId id;
        final List<Device> devices = new ArrayList<>();
        final List<Departure> departures = new ArrayList<>();

        @Nullable
        String text;

        @Nullable
        Long textEnd;

        boolean hidden;

        @Nullable
        Presence emitted;

        /** The timestamp of that record. */
        long emittedAt;

        @Nullable
        Long lastActive;

        @Nullable
        Long forgettableSince;

        @Nullable
        Long textWritten;

        @Nullable
        Long flagWritten;

        Person(UserId id) {
            this.id = id;
        }
    }

    private final PresenceRules rules;
    private final NaiveSessions sessions;
    private final Map<UserId, Person> people = new LinkedHashMap<>();
    private final List<Emitted> emitted = new ArrayList<>();

    @Nullable
    private Reason rejection;

    /** The partition's time of the last clock tick; null: none yet. */
    @Nullable
    private Long now;

    /** The partition's time never goes back: it is a stamp, and all by which stamps have ever stepped back. */
    private long steps;

    private long time = Long.MIN_VALUE / 2;

    /** How long the gap since the last tick was for which devices were excused; 0: there was none. */
    private long excused;

    /** When a tick was written last, as far as is known. */
    private long tick;

    /** When anything was heard on the partition, each time later than the one before. */
    private List<Long> heard = new ArrayList<>();

    /** When each shard was heard, each time later than the one before. */
    private Map<String, List<Long>> heardOfShard = new HashMap<>();

    NaiveModel(PresenceRules rules) {
        this.rules = rules;
        this.sessions = new NaiveSessions(rules);
    }

    // ---- inputs ----

    @Override
    public void heartbeat(UserId id, Heartbeat heartbeat, long stamp) {
        Person person = person(id);
        long at = person.hidden ? Math.max(time, stamp + steps) : pass(stamp);
        if (!person.hidden) {
            hear(at);
            if (heartbeat.shard() != null && mayCount(heartbeat)) {
                hearShard(heartbeat.shard(), at);
            }
        }
        settle(person);
        rejection = null;
        take(person, heartbeat, at, stamp, at);
    }

    @Override
    public void shardHeartbeat(ShardHeartbeat heartbeat, long stamp) {
        long at = pass(stamp);
        hear(at);
        List<Device> held = allDevices().stream()
                .filter(device -> device.life != null && heartbeat.shard().equals(device.shard))
                .toList();
        if (sessions.hear(heartbeat, at, held)) {
            hearShard(heartbeat.shard(), at);
        }
    }

    @Override
    public void stampedHeartbeat(UserId id, Heartbeat heartbeat, long stamp) {
        heartbeat(id, heartbeat, stamp);
    }

    @Override
    public void stampedTick(long stamp) {
        tick(stamp);
    }

    @Override
    public void misroutedHeartbeat(UserId id, Heartbeat heartbeat, long first, long stamp) {
        Person person = person(id);
        long arrival = person.hidden ? Math.max(time, stamp + steps) : pass(stamp);
        settle(person);
        rejection = null;
        long at = Math.min(first + steps, arrival);
        NaiveSessions.Id session = NaiveSessions.Id.of(heartbeat);
        boolean isOver = session == null
                ? at + heartbeat.leaseMs().orElse(rules.leaseMs()) <= arrival
                : !heartbeat.connectionEnded()
                        && sessions.lifeOf(session, at, arrival).hasEnded(arrival);
        boolean isOlder = person.devices.stream()
                .anyMatch(device -> device.id.equals(heartbeat.deviceId()) && at < device.lastRecord);
        if (!isOver && !isOlder) {
            take(person, heartbeat, at, at - steps, arrival);
        }
    }

    @Override
    public void status(UserId id, StatusText status, long at) {
        misroutedStatus(id, status, Long.MAX_VALUE, at);
        person(id).textWritten = at;
    }

    @Override
    public void misroutedStatus(UserId id, StatusText status, long first, long at) {
        Person person = person(id);
        settle(person);
        if (person.textWritten != null && first < person.textWritten) {
            return;
        }
        person.textWritten = first;
        boolean over = status.expiresAt() != null
                && (status.expiresAt() <= at || (now != null && status.expiresAt() <= now - steps));
        person.text = over ? null : status.text();
        person.textEnd = over ? null : status.expiresAt();
        say(person, at, at);
    }

    @Override
    public void appearOffline(UserId id, boolean on, long at) {
        misroutedAppearOffline(id, on, Long.MAX_VALUE, at);
        person(id).flagWritten = at;
    }

    @Override
    public void misroutedAppearOffline(UserId id, boolean on, long first, long at) {
        Person person = person(id);
        settle(person);
        if (person.flagWritten == null || first >= person.flagWritten) {
            person.flagWritten = first;
            person.hidden = on;
            say(person, at, at);
        }
    }

    @Override
    public void tick(long stamp) {
        long at = pass(stamp);
        hear(at);
        tick = at;
        excused = 0;
        if (now == null || at > now) {
            now = at;
        }
        lives().forEach(life -> life.tick(at));
        for (Person person : people.values()) {
            if (nextEnd(person) <= now) {
                settle(person);
            }
        }
        sessions.forget(
                now,
                allDevices().stream()
                        .map(device -> device.session)
                        .filter(Objects::nonNull)
                        .toList());
    }

    @Override
    public void review(UserId id) {
        settle(person(id));
    }

    /** A crash after which nothing of the partition is known but what is emitted of people and their devices. */
    @Override
    public void restart() {
        now = null;
        steps = 0;
        time = people.values().stream()
                .filter(person -> !person.hidden)
                .flatMap(person -> person.devices.stream())
                .mapToLong(device -> device.lastRecord)
                .max()
                .orElse(Long.MIN_VALUE / 2);
        heard = new ArrayList<>();
        heardOfShard = new HashMap<>();
    }

    // ---- outputs ----

    @Override
    public List<Emitted> emitted() {
        List<Emitted> all = List.copyOf(emitted);
        emitted.clear();
        return all;
    }

    @Override
    public @Nullable Reason rejection() {
        return rejection;
    }

    /** Only whether anything is known of a user, and some of it. */
    @Override
    public @Nullable UserSnapshot stored(UserId id) {
        Person person = person(id);
        if (person.devices.isEmpty()
                && person.text == null
                && !person.hidden
                && person.emitted == null
                && person.forgettableSince == null) {
            return null;
        }
        StatusText status = new StatusText(person.text, person.textEnd);
        return new UserSnapshot(
                List.of(),
                status,
                person.hidden,
                person.emitted == null
                        ? null
                        : new UserSnapshot.Emitted(
                                person.emitted.state(),
                                person.emitted.since(),
                                person.emittedAt,
                                person.emitted.sequence()),
                orNever(person.lastActive),
                orNever(person.forgettableSince),
                orNever(person.textWritten),
                orNever(person.flagWritten),
                UserSnapshot.NEVER,
                UserSnapshot.NEVER,
                0,
                0,
                null);
    }

    private static long orNever(@Nullable Long time) {
        return time == null ? UserSnapshot.NEVER : time;
    }

    /** Whether there is something that time can end. */
    boolean needsClockTicks() {
        return sessions.knowsAny()
                || people.values().stream().anyMatch(person -> !person.devices.isEmpty() || person.textEnd != null);
    }

    @Override
    public void close() {}

    // ---- what is heard ----

    private long pass(long stamp) {
        steps = Math.max(steps, time - stamp);
        time = stamp + steps;
        return time;
    }

    private void hear(long at) {
        if (!sessions.knowsAny()
                && people.values().stream()
                        .allMatch(person -> person.hidden || (person.devices.isEmpty() && person.textEnd == null))) {
            tick = at;
        }
        if (heard.isEmpty()) {
            tick = at;
            heard.add(at);
            for (Person person : people.values()) {
                for (Device device : person.devices) {
                    if (device.shard != null && device.life == null && !person.hidden) {
                        hearShard(device.shard, at);
                    }
                    if (!device.closed && device.life == null) {
                        device.deadline = Math.max(device.deadline, at + device.lease);
                    }
                }
            }
            lives().forEach(life -> life.takeOver(at));
            return;
        }
        long before = heard.get(heard.size() - 1);
        if (at <= before) {
            return;
        }
        boolean awayAgain = excused > 0 && at - before >= 2 * excused;
        if (at - before >= rules.logGapMs() && (before - tick < rules.logGapMs() || awayAgain)) {
            excused = at - before;
            lives().forEach(life -> life.silence(before, at));
            for (Device device : allDevices()) {
                if (device.life == null && device.lastRecord <= before && endOfLife(device, before) > before) {
                    long allowance = device.closed ? rules.graceMs() : device.lease;
                    device.deadline = Math.max(device.deadline, at + Math.min(at - before, allowance));
                }
            }
        }
        heard.add(at);
    }

    /** Each once. */
    private Set<NaiveSessions.Life> lives() {
        Set<NaiveSessions.Life> lives = new HashSet<>(sessions.lives());
        allDevices().stream()
                .map(device -> device.life)
                .filter(Objects::nonNull)
                .forEach(lives::add);
        return lives;
    }

    private void hearShard(String shard, long at) {
        List<Long> times = heardOfShard.computeIfAbsent(shard, any -> new ArrayList<>());
        if (times.isEmpty() || at > times.get(times.size() - 1)) {
            times.add(at);
        }
    }

    // ---- what a heartbeat does ----

    private void take(Person person, Heartbeat heartbeat, long time, long stamp, long arrival) {
        long at = time;
        long lease = heartbeat.leaseMs().orElse(rules.leaseMs());
        Device device = null;
        for (Device one : person.devices) {
            if (one.id.equals(heartbeat.deviceId())) {
                device = one;
            }
        }
        NaiveSessions.Id session = NaiveSessions.Id.of(heartbeat);
        if (session != null && !counts(session, heartbeat.connectionEnded(), device)) {
            return;
        }
        if (device != null) {
            at = Math.max(at, device.lastRecord);
        }
        if (device == null) {
            if (heartbeat.connectionEnded() && heartbeat.state() == null) {
                return;
            }
            if (person.devices.size() == rules.maxDevices()) {
                rejection = Reason.TOO_MANY_DEVICES;
                return;
            }
            device = new Device(heartbeat.deviceId(), stamp);
            device.lease = lease;
            device.deadline = at + lease;
            device.shard = heartbeat.shard();
            if (heartbeat.state() != null) {
                device.state = heartbeat.state();
            }
            person.devices.add(device);
        } else if (heartbeat.state() != null && heartbeat.state() != device.state) {
            depart(person, device.state, stamp);
            device.state = heartbeat.state();
            device.stateSince = stamp;
        }
        if (heartbeat.connectionEnded()) {
            device.deadline = Math.min(endOfLife(device, now == null ? Long.MIN_VALUE : now), at + rules.graceMs());
            device.closed = true;
            device.life = null;
        } else {
            if (session != null) {
                device.session = session;
                device.life = sessions.lifeOf(session, at, arrival);
            } else if (device.life == null || takesOver(heartbeat, device)) {
                boolean runsLonger = device.life == null && !device.closed && device.deadline > at + lease;
                if (heartbeat.leaseMs().isPresent() || !runsLonger) {
                    device.lease = lease;
                    device.deadline = at + lease;
                }
                device.life = null;
                device.session = null;
            } else {
                device.life.heardAsWell(at);
            }
            if (heartbeat.shard() != null) {
                device.shard = heartbeat.shard();
            }
            device.closed = false;
            boolean inSight = !person.hidden && (person.flagWritten == null || stamp >= person.flagWritten);
            if (device.state == ONLINE && inSight) {
                person.lastActive = person.lastActive == null ? stamp : Math.max(person.lastActive, stamp);
            }
        }
        device.lastRecord = at;
        say(person, stamp, stamp);
    }

    /** Whether a heartbeat with a session counts for anything. */
    private boolean counts(NaiveSessions.Id session, boolean isEnd, @Nullable Device device) {
        return mayCount(session, isEnd) && (!isEnd || (device != null && session.equals(device.session)));
    }

    private boolean mayCount(Heartbeat heartbeat) {
        NaiveSessions.Id session = NaiveSessions.Id.of(heartbeat);
        return session == null || mayCount(session, heartbeat.connectionEnded());
    }

    /** Whatever is known of the device. */
    private boolean mayCount(NaiveSessions.Id session, boolean isEnd) {
        return !sessions.isEarlier(session) && (isEnd || !sessions.hasLeft(session));
    }

    /** Whether a heartbeat without a session takes a device from the one that holds it. */
    private boolean takesOver(Heartbeat heartbeat, Device device) {
        return heartbeat.leaseMs().isPresent()
                || (heartbeat.shard() != null && !heartbeat.shard().equals(device.shard))
                || device.life().hasEnded(now == null ? Long.MIN_VALUE : now);
    }

    // ---- what time does ----

    /** Ends what is due, one instant after the other. */
    private void settle(Person person) {
        if (now == null) {
            return;
        }
        while (nextEnd(person) <= now) {
            long instant = nextEnd(person);
            List<Device> gone = person.devices.stream()
                    .filter(device -> endOfLife(device, now) == instant)
                    .toList();
            for (Device device : gone) {
                depart(person, device.state, (device.life == null ? device.deadline : device.life.end()) - steps);
            }
            person.devices.removeAll(gone);
            if (person.textEnd != null && person.textEnd + steps <= instant) {
                person.text = null;
                person.textEnd = null;
            }
            say(person, Long.MIN_VALUE, instant - steps);
        }
        if (person.forgettableSince != null
                && person.devices.isEmpty()
                && person.forgettableSince + rules.retentionMs() <= now - steps) {
            if (person.emitted != null) {
                emitted.add(new Emitted(
                        person.id, new PresenceUpdate(person.forgettableSince + rules.retentionMs(), null)));
            }
            person.emitted = null;
            person.textWritten = null;
            person.flagWritten = null;
            person.lastActive = null;
            person.forgettableSince = null;
        }
    }

    private long nextEnd(Person person) {
        long next = person.textEnd == null ? Long.MAX_VALUE : person.textEnd + steps;
        for (Device device : person.devices) {
            next = Math.min(next, endOfLife(device, now == null ? Long.MIN_VALUE : now));
        }
        return next;
    }

    /** When a device goes, as far as can be known at that time: its deadline, or the end of what its shard gives it. */
    private long endOfLife(Device device, long knownAt) {
        if (device.life != null) {
            return device.life.heldUntil();
        }
        List<Long> times = device.shard == null ? List.of() : heardOfShard.getOrDefault(device.shard, List.of());
        if (device.closed || device.deadline > knownAt || times.isEmpty()) {
            return device.deadline;
        }
        long cap = device.deadline + rules.shardHoldMs();
        long end = device.deadline;
        for (int i = 0; i < times.size(); i++) {
            long begin = times.get(i);
            boolean silentInTime = begin + rules.shardSilenceMs() <= end;
            if (i + 1 < times.size()) {
                long back = times.get(i + 1);
                if (back - begin >= rules.shardSilenceMs() && begin >= device.lastRecord && silentInTime) {
                    end = Math.max(end, Math.min(cap, back + device.lease));
                }
            } else if (knownAt - begin >= rules.shardSilenceMs() && begin >= device.lastRecord && silentInTime) {
                end = cap;
            }
        }
        return end;
    }

    // ---- what is emitted ----

    /**
     * Says what is new.
     *
     * @param changedAt when the change was that may have changed the state, but for departures, which have their own times
     * @param instant when the change was that may have changed the text
     */
    private void say(Person person, long changedAt, long instant) {
        PresenceState state = OFFLINE;
        if (!person.hidden) {
            for (Device device : person.devices) {
                state = device.state.compareTo(state) > 0 ? device.state : state;
            }
        }
        Presence before = person.emitted;
        boolean worthSaying = before != null || state != OFFLINE || person.text != null;
        boolean newState = before == null || before.state() != state;
        boolean newText = !Objects.equals(before == null ? null : before.status(), person.text);
        if (worthSaying && (newState || newText)) {
            long since = newState || before == null ? sinceOf(state, person, changedAt) : before.since();
            long at = newState && newText ? Math.max(since, instant) : newState ? since : instant;
            at = before == null ? at : Math.max(at, person.emittedAt);
            person.emittedAt = at;
            person.emitted = new Presence(
                    state,
                    before == null ? null : before.state(),
                    person.text,
                    since,
                    person.lastActive,
                    before == null ? 1 : before.sequence() + 1);
            emitted.add(new Emitted(person.id, new PresenceUpdate(at, person.emitted)));
        }
        Presence last = person.emitted;
        boolean isKnown = last != null || person.textWritten != null || person.flagWritten != null;
        if (!isKnown || state != OFFLINE || person.text != null || person.hidden) {
            person.forgettableSince = null;
        } else if (person.forgettableSince == null) {
            person.forgettableSince = last == null ? instant : Math.max(instant, person.emittedAt);
        }
    }

    private long sinceOf(PresenceState state, Person person, long changedAt) {
        long since = changedAt;
        if (person.emitted != null) {
            since = Math.max(since, person.emitted.since());
        }
        if (changedAt != Long.MIN_VALUE || person.hidden) {
            return since; // a record has changed it
        }
        for (Departure departure : person.departures) {
            if (departure.from().compareTo(state) > 0) {
                since = Math.max(since, departure.at());
            }
        }
        long first = Long.MAX_VALUE;
        for (Device device : person.devices) {
            if (device.state == state) {
                first = Math.min(first, device.stateSince);
            }
        }
        return state == OFFLINE ? since : Math.max(since, first);
    }

    private static void depart(Person person, PresenceState from, long at) {
        if (!person.hidden) {
            person.departures.add(new Departure(from, at));
        }
    }

    private List<Device> allDevices() {
        return people.values().stream()
                .flatMap(person -> person.devices.stream())
                .toList();
    }

    private Person person(UserId id) {
        return people.computeIfAbsent(id, Person::new);
    }
}
