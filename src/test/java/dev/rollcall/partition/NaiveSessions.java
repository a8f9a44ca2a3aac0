package dev.rollcall.partition;

import static java.util.Objects.requireNonNull;

import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceRules;
import dev.rollcall.session.ShardHeartbeat;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Rule 14 in the plainest way: every session that was ever heard is kept. Times are the partition's, in ms. */
final class NaiveSessions {
    /** One life of a shard. */
    record Id(String shard, String session) {
        /** The one that a device's heartbeat names; null: none. */
        static @Nullable Id of(Heartbeat heartbeat) {
            String session = heartbeat.session();
            return session == null ? null : new Id(requireNonNull(heartbeat.shard()), session);
        }
    }

    /** How long something lives that is kept alive by a shard's heartbeats: a session, or a device that waits for one. */
    final class Life {
        private final boolean waits;
        private long heardAt;
        private long lease;
        private long deadline;

        /** A clock tick has come to the end of its lease. */
        private boolean silent;

        /** It has ended, and nothing brings it back. */
        private boolean over;

        /** Where it is silent or over. */
        private long end;

        private long heldUntil;

        private Life(boolean waits, long at, long lease) {
            this.waits = waits;
            hear(at, lease);
        }

        private void hear(long at, long newLease) {
            heardAt = at;
            lease = newLease;
            deadline = at + newLease;
            silent = false;
        }

        /** A heartbeat of the device that waits, which does not name the session. */
        void heardAsWell(long at) {
            if (waits) {
                heardAt = Math.max(heardAt, at);
            }
        }

        private void fallSilent() {
            silent = true;
            end = deadline;
            heldUntil = deadline + rules.shardHoldMs();
        }

        void tick(long now) {
            if (!waits && !silent && !over && deadline <= now) {
                fallSilent();
            }
        }

        private void restart(long at) {
            if (!over && !silent && deadline <= at) {
                fallSilent();
            }
            if (!silent) {
                endInGoodOrder(at);
            }
            over = true;
        }

        private void endInGoodOrder(long at) {
            if (!over) {
                over = true;
                silent = false;
                end = at;
                heldUntil = at + rules.shardResumeMs();
            }
        }

        private void endAtOnce(long at) {
            if (!over) {
                over = true;
                silent = false;
                end = at;
                heldUntil = at;
            }
        }

        /** Whether it has ended by a record of that time. */
        boolean hasEnded(long at) {
            return over || silent || deadline <= at;
        }

        /** Since when its devices are OFFLINE, and when that shows. */
        long end() {
            return over || silent ? end : deadline;
        }

        long heldUntil() {
            return over || silent ? heldUntil : deadline + rules.shardHoldMs();
        }

        /** It has at least that much from then on. */
        private void extend(long from, long atMostLease, long atMostResume) {
            if (silent && !over) {
                heldUntil = Math.max(heldUntil, from + Math.min(lease, atMostLease));
            } else if (over) {
                heldUntil = Math.max(heldUntil, from + atMostResume);
            } else {
                deadline = Math.max(deadline, from + Math.min(lease, atMostLease));
            }
        }

        void takeOver(long first) {
            extend(first, lease, rules.shardResumeMs());
        }

        void silence(long from, long to) {
            tick(from);
            if (heardAt <= from && heldUntil() > from) {
                extend(to, to - from, Math.min(to - from, rules.shardResumeMs()));
            }
        }
    }

    private record Session(Id id, long startedAt, Life life) {}

    private final PresenceRules rules;
    private final Map<String, List<Session>> heardOf = new HashMap<>();

    NaiveSessions(PresenceRules rules) {
        this.rules = rules;
    }

    /** Whether records of that session count for nothing, or would if it were heard now. */
    boolean isEarlier(Id id) {
        Session latest = latest(id.shard());
        return latest != null && !latest.id().equals(id) && find(id) != null;
    }

    /** Whether it has told that it ends. */
    boolean hasLeft(Id id) {
        Session found = find(id);
        return found != null && found.life().over;
    }

    /** For a device that this session opens: the session's, or one of its own until the session is heard. */
    Life lifeOf(Id id, long at, long arrival) {
        Session found = find(id);
        return found != null && !found.life().hasEnded(arrival)
                ? found.life()
                : new Life(true, at, rules.shardLeaseMs());
    }

    boolean knowsAny() {
        return !heardOf.isEmpty();
    }

    /** Shards that were not heard for long, and whose sessions no device names. */
    void forget(long now, List<Id> named) {
        heardOf.entrySet()
                .removeIf(shard -> shard.getValue().stream().allMatch(one -> one.life().heardAt + 3_600_000 <= now)
                        && named.stream().noneMatch(id -> id.shard().equals(shard.getKey())));
    }

    /** All sessions' lives. */
    List<Life> lives() {
        return heardOf.values().stream()
                .flatMap(List::stream)
                .map(Session::life)
                .toList();
    }

    /** What a device has whose session was heard: the session's life from now on, or its own, which has ended. */
    interface Device {
        Id session();

        Life life();

        void follow(Life life);
    }

    /** Whether it is heard from the shard; {@code devices} are those that sessions of this shard hold. */
    boolean hear(ShardHeartbeat heartbeat, long at, List<? extends Device> devices) {
        Id id = new Id(heartbeat.shard(), heartbeat.session());
        Session latest = latest(id.shard());
        Session session = find(id);
        if (session == null) {
            Life life = new Life(false, at, heartbeat.leaseMs().orElse(rules.shardLeaseMs()));
            session = new Session(id, heartbeat.startedAt(), life);
            List<Session> all = heardOf.computeIfAbsent(id.shard(), any -> new ArrayList<>());
            if (latest != null && session.startedAt() <= latest.startedAt()) {
                life.endAtOnce(at);
                all.add(0, session);
                all(devices, session).forEach(device -> device.life().endAtOnce(at));
                return false;
            }
            all.add(session);
            if (latest != null) {
                latest.life().restart(at);
                all(devices, latest)
                        .filter(device -> device.life().waits)
                        .forEach(device -> device.life().endInGoodOrder(at));
            }
        } else if (isEarlier(id)) {
            all(devices, session)
                    .filter(device -> device.life().waits)
                    .forEach(device -> device.life().endAtOnce(at));
            return false;
        } else if (session.life().over) {
            return true;
        }
        Life life = session.life();
        if (heartbeat.ended()) {
            life.endInGoodOrder(at);
            all(devices, session).forEach(device -> device.follow(life));
        } else {
            life.hear(at, heartbeat.leaseMs().orElse(rules.shardLeaseMs()));
            all(devices, session).forEach(device -> device.follow(life));
        }
        return true;
    }

    private static Stream<? extends Device> all(List<? extends Device> devices, Session session) {
        return devices.stream().filter(device -> device.session().equals(session.id()));
    }

    private @Nullable Session latest(String shard) {
        List<Session> all = heardOf.getOrDefault(shard, List.of());
        return all.isEmpty() ? null : all.get(all.size() - 1);
    }

    private @Nullable Session find(Id id) {
        return heardOf.getOrDefault(id.shard(), List.of()).stream()
                .filter(session -> session.id().equals(id))
                .findAny()
                .orElse(null);
    }
}
