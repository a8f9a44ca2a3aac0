package dev.rollcall.partition;

import static dev.rollcall.domain.UserSnapshot.NEVER;

import dev.rollcall.domain.Decision;
import dev.rollcall.domain.Decision.StoreWrite;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.Presence;
import dev.rollcall.domain.PresenceRules;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.PresenceUpdate;
import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserId;
import dev.rollcall.domain.UserSnapshot;
import dev.rollcall.domain.UserSnapshot.DeviceSnapshot;
import dev.rollcall.domain.UserSnapshot.Emitted;
import dev.rollcall.session.ShardHeartbeat;
import dev.rollcall.session.StoredShard;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What would be stored of one partition's users, from what is left when it is lost (ADR 24): what was last published, the last
 * texts and flags, and the log of heartbeats as far as it is kept. First the former, then the log in its order, then
 * {@link #finish}. Not thread-safe; all stamps are the brokers', in ms since the epoch.
 *
 * <p>The log is played to a {@link PresencePartition} that knows nothing of what was published, so that it decides about
 * devices, sessions and deadlines as the processor did. What was published then takes the place of what that one would
 * have, and the rules decide whether there is anything new to say.
 */
public final class RebuiltPartition {
    /** The id of the device that stands for those that nothing is known of. */
    public static final String UNKNOWN_DEVICE = "rollcall-rebuild";

    private final PresenceRules rules;
    private final long holdMs;
    private final boolean isLogWhole;
    private final Map<UserId, Published> published = new HashMap<>();
    private final Map<UserId, Written<StatusText>> texts = new HashMap<>();
    private final Map<UserId, Written<Boolean>> flags = new HashMap<>();

    /** As the changelog would have them, but for what was published. */
    private final Map<UserId, UserSnapshot> played = new HashMap<>();

    private final Map<String, StoredShard> shards = new HashMap<>();
    private final Set<UserId> guessed = new HashSet<>();
    private final PresencePartition log;
    private long firstStamp = NEVER;
    private long lastStamp = NEVER;
    private long logEnd = NEVER;

    private record Published(Presence presence, long at) {}

    private record Written<T>(T value, long at) {}

    /**
     * A partition of which nothing is known yet.
     *
     * @param holdMs how long a user keeps the published state if no record says which device it is of, in ms, counted from the
     *     end of the log
     * @param isLogWhole whether nothing of the log of heartbeats has been deleted
     */
    public RebuiltPartition(PresenceRules rules, long holdMs, boolean isLogWhole) {
        this.rules = rules;
        this.holdMs = holdMs;
        this.isLogWhole = isLogWhole;
        log = new PresencePartition(rules, user -> played.getOrDefault(user, blank(user)));
    }

    // ---- what is known of a user without the log ----

    /** A record of the output; null: a tombstone. */
    public void published(UserId user, @Nullable Presence presence, long at) {
        lastStamp = Math.max(lastStamp, at);
        if (presence == null) {
            published.remove(user);
        } else {
            published.put(user, new Published(presence, at));
        }
    }

    /** A record of the texts, and when it was first written; one that was misrouted undoes nothing newer. */
    public void text(UserId user, StatusText text, long firstWrittenAt, boolean wasMisrouted) {
        put(texts, user, new Written<>(text, firstWrittenAt), wasMisrouted);
    }

    /** As {@link #text}, of the flags. */
    public void appearOffline(UserId user, boolean appearOffline, long firstWrittenAt, boolean wasMisrouted) {
        put(flags, user, new Written<>(appearOffline, firstWrittenAt), wasMisrouted);
    }

    private <T> void put(Map<UserId, Written<T>> all, UserId user, Written<T> record, boolean wasMisrouted) {
        lastStamp = Math.max(lastStamp, record.at());
        Written<T> before = all.get(user);
        if (before == null || !wasMisrouted || record.at() >= before.at()) {
            all.put(user, record);
        }
    }

    // ---- the log ----

    public void heartbeat(UserId user, Heartbeat heartbeat, long stamp) {
        observe(stamp);
        carryOut(user, log.heartbeat(user, withState(user, heartbeat, stamp), stamp));
    }

    public void misroutedHeartbeat(UserId user, Heartbeat heartbeat, long firstStamp, long stamp) {
        observe(stamp);
        carryOut(user, log.misroutedHeartbeat(user, withState(user, heartbeat, stamp), firstStamp, stamp, null));
    }

    /** One that came with a text. */
    public void carriedHeartbeat(UserId user, Heartbeat heartbeat, long stamp) {
        carryOut(user, log.earlyHeartbeat(user, withState(user, heartbeat, stamp), stamp, null));
    }

    public void shardHeartbeat(ShardHeartbeat heartbeat, long stamp) {
        observe(stamp);
        var unused = log.shardHeartbeat(heartbeat, stamp);
        storeShards();
    }

    public void clockTick(long stamp) {
        observe(stamp);
        log.tick(stamp);
        storeShards();
        boolean isFinished = false;
        while (!isFinished) {
            isFinished = log.sweep(this::carryOut);
        }
    }

    /** A record of the log that is left to the processor. */
    public void unread(long stamp) {
        logEnd = Math.max(logEnd, stamp);
    }

    private void observe(long stamp) {
        unread(stamp);
        firstStamp = firstStamp == NEVER ? stamp : firstStamp;
        lastStamp = Math.max(lastStamp, stamp);
    }

    private void storeShards() {
        log.drainShards((shard, stored) -> {
            if (stored == null) {
                shards.remove(shard);
            } else {
                shards.put(shard, stored);
            }
        });
    }

    private void carryOut(UserId user, Decision decision) {
        if (decision.write() instanceof StoreWrite.Put put) {
            played.put(user, put.snapshot());
        } else if (decision.write() instanceof StoreWrite.Delete) {
            played.remove(user);
        }
    }

    /**
     * A heartbeat without a state, of a device that may have had one before the log begins: it is in the state that was last
     * published. Without this, whoever was idle would be shown ONLINE.
     */
    private Heartbeat withState(UserId user, Heartbeat heartbeat, long stamp) {
        Published last = published.get(user);
        boolean isStateOpen = heartbeat.state() == null && !heartbeat.connectionEnded() && !isLogWhole;
        if (!isStateOpen || last == null || isHidden(user) || isKnown(user, heartbeat.deviceId())) {
            return heartbeat;
        }
        long live = heartbeat.leaseMs().orElse(rules.leaseMs()) + rules.shardHoldMs();
        if (firstStamp != NEVER && stamp - firstStamp > live) {
            return heartbeat; // it would have been heard from earlier if it had been live when the log begins
        }
        guessed.add(user);
        return new Heartbeat(
                heartbeat.deviceId(),
                last.presence().state(),
                false,
                heartbeat.leaseMs(),
                heartbeat.shard(),
                heartbeat.session());
    }

    private boolean isKnown(UserId user, String device) {
        UserSnapshot snapshot = played.get(user);
        return snapshot != null
                && snapshot.devices().stream().anyMatch(one -> one.id().equals(device));
    }

    // ---- what follows ----

    /** Passes on what comes of all that was given, and counts it. */
    public RebuildCounts finish(RebuildResult result) {
        Set<UserId> all = new HashSet<>(played.keySet());
        all.addAll(published.keySet());
        // Whoever has but a text or a flag that was cleared may have been erased, and must not be stored again.
        texts.forEach((user, text) -> all.addAll(text.value().text() == null ? Set.of() : Set.of(user)));
        flags.keySet().stream().filter(this::isHidden).forEach(all::add);
        long aheadMs = played.values().stream()
                .mapToLong(UserSnapshot::clockAheadMs)
                .max()
                .orElse(0);
        Map<UserId, UserSnapshot> merged = new HashMap<>();
        all.forEach(user -> merged.put(user, merged(user, aheadMs)));
        PresencePartition rebuilt = new PresencePartition(rules, merged::get);
        shards.forEach(rebuilt::restoreShard);
        shards.forEach(result::shard);
        merged.forEach(rebuilt::restore);
        RebuildCounts counts = RebuildCounts.NONE;
        for (UserId user : all) {
            counts = counts.plus(finish(user, rebuilt, result));
        }
        return counts;
    }

    /** Gives the rules the flag and the text that hold, so that they say whether others see something new. */
    private RebuildCounts finish(UserId user, PresencePartition rebuilt, RebuildResult result) {
        Written<Boolean> flag = flags.getOrDefault(user, new Written<>(false, NEVER));
        Written<StatusText> text = texts.getOrDefault(user, new Written<>(StatusText.NONE, NEVER));
        Decision hidden = rebuilt.misroutedAppearOffline(user, flag.value(), flag.at(), stateSince(user));
        Decision texted = rebuilt.misroutedStatus(user, text.value(), text.at(), lastStamp);
        if (!(texted.write() instanceof StoreWrite.Put put)) {
            return RebuildCounts.NONE; // nothing is left of the user
        }
        List<PresenceUpdate> updates = new ArrayList<>(hidden.updates());
        updates.addAll(texted.updates());
        UserSnapshot snapshot = put.snapshot();
        result.user(user, snapshot, updates);
        boolean isHeld =
                snapshot.devices().stream().anyMatch(device -> device.id().equals(UNKNOWN_DEVICE));
        return new RebuildCounts(
                1,
                snapshot.appearOffline() ? 1 : 0,
                snapshot.status().text() == null ? 0 : 1,
                snapshot.devices().size() > (isHeld ? 1 : 0) ? 1 : 0,
                isHeld ? 1 : 0,
                guessed.contains(user) ? 1 : 0,
                updates.isEmpty() ? 0 : 1);
    }

    /** Since when the state is what it is, if it is another one than the published one. */
    private long stateSince(UserId user) {
        Written<Boolean> flag = flags.get(user);
        if (flag != null && flag.value()) {
            return flag.at();
        }
        UserSnapshot own = played.getOrDefault(user, UserSnapshot.EMPTY);
        Emitted emitted = own.emitted();
        long since = emitted != null && emitted.state() == union(own.devices()) ? emitted.since() : lastStamp;
        return flag == null ? since : Math.max(since, flag.at()); // nothing shows from when the user was hidden
    }

    /** What the log has left of the user, with what others know. */
    private UserSnapshot merged(UserId user, long aheadMs) {
        UserSnapshot own = played.getOrDefault(user, blank(user));
        Published last = published.get(user);
        if (last == null) {
            return with(own, own.devices(), null, null, own.lastActive(), NEVER, aheadMs);
        }
        Presence presence = last.presence();
        List<DeviceSnapshot> devices = new ArrayList<>(own.devices());
        if (!isHidden(user) && presence.state().compareTo(union(devices)) > 0) {
            devices.add(unknown(last, aheadMs));
        }
        boolean isForgettable = devices.isEmpty() && own.status().text() == null && !isHidden(user);
        return with(
                own,
                devices,
                presence.status(),
                new Emitted(presence.state(), presence.since(), last.at(), presence.sequence()),
                Math.max(own.lastActive(), presence.lastActive() == null ? NEVER : presence.lastActive()),
                isForgettable ? last.at() : NEVER,
                aheadMs);
    }

    private static UserSnapshot with(
            UserSnapshot own,
            List<DeviceSnapshot> devices,
            @Nullable String text,
            @Nullable Emitted emitted,
            long lastActive,
            long forgettableSince,
            long aheadMs) {
        return new UserSnapshot(
                devices,
                new StatusText(text, null),
                own.appearOffline(),
                emitted,
                lastActive,
                forgettableSince,
                own.statusAt(),
                own.appearOfflineAt(),
                own.leftOnline(),
                own.leftIdle(),
                own.routingSequence(),
                aheadMs,
                null);
    }

    /** One that was published as live, and of which nothing is left. A take-over may extend it (ADR 2). */
    private DeviceSnapshot unknown(Published last, long aheadMs) {
        return DeviceSnapshot.stored(
                UNKNOWN_DEVICE,
                last.presence().state(),
                last.presence().since(),
                last.at(),
                holdMs,
                false,
                Math.max(last.at(), logEnd) + aheadMs + holdMs,
                null,
                null);
    }

    private boolean isHidden(UserId user) {
        Written<Boolean> flag = flags.get(user);
        return flag != null && flag.value();
    }

    /** A user of whom nothing but the text and the flag is known. */
    private UserSnapshot blank(UserId user) {
        Written<StatusText> text = texts.get(user);
        Written<Boolean> flag = flags.get(user);
        return new UserSnapshot(
                List.of(),
                text == null ? StatusText.NONE : text.value(),
                flag != null && flag.value(),
                null,
                NEVER,
                NEVER,
                text == null ? NEVER : text.at(),
                flag == null ? NEVER : flag.at(),
                NEVER,
                NEVER,
                0,
                0,
                null);
    }

    private static PresenceState union(List<DeviceSnapshot> devices) {
        return devices.stream().map(DeviceSnapshot::state).reduce(PresenceState.OFFLINE, PresenceState::union);
    }
}
