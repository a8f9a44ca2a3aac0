package dev.rollcall.partition;

import static org.assertj.core.api.Assertions.assertThat;

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
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * One partition in a test: verbs that feed it, and what was emitted waiting to be expected, one by one, until {@link
 * #expectNothing}.
 *
 * <p>Times are in seconds on the partition's clock, with the fractions of a double where milliseconds matter. A verb
 * stamps its record with the time that {@link #at} set last, and only a clock tick moves the presence's now.
 */
public final class PartitionContext {
    /** The defaults of the configuration. */
    public static final PresenceRules DEFAULTS = new PresenceRules(
            30_000, 5_000, 30 * 86_400_000L, 64, 15_000, 60_000, 30_000, 15_000, 300_000, 3_000, 50_000, false);

    /** @param who a device's user and id, or a shard's session */
    private record Beating(List<String> who, LongConsumer beat, long everyMs, long fromMs) {}

    private final Partition partition;
    private final Deque<Partition.Emitted> unexpected = new ArrayDeque<>();
    private final Map<UserId, Presence> lastExpected = new HashMap<>();
    private final List<Beating> beating = new ArrayList<>();
    private UserId user = UserId.of("alice");
    private long timeMs;

    PartitionContext() {
        this(DEFAULTS);
    }

    PartitionContext(PresenceRules rules) {
        this(new DomainPartition(rules));
    }

    public PartitionContext(Partition partition) {
        this.partition = partition;
    }

    // ---- who and when ----

    /** The user that the next verbs and expectations are about; alice unless emitted. */
    PartitionContext as(String name) {
        user = UserId.of(name);
        return this;
    }

    PartitionContext at(double seconds) {
        timeMs = ms(seconds);
        return this;
    }

    @Nullable
    UserSnapshot stored() {
        return partition.stored(user);
    }

    // ---- inputs ----

    /** A heartbeat with no state in it. */
    PartitionContext heartbeat(String device) {
        return heartbeat(beat(device, null));
    }

    PartitionContext heartbeat(String device, PresenceState state) {
        return heartbeat(beat(device, state));
    }

    PartitionContext heartbeat(Heartbeat heartbeat) {
        partition.heartbeat(user, heartbeat, timeMs);
        return listen();
    }

    PartitionContext shardHeartbeat(ShardHeartbeat heartbeat) {
        partition.shardHeartbeat(heartbeat, timeMs);
        return listen();
    }

    /** A heartbeat that the broker stamps so, because its clock is wrong. */
    PartitionContext stamped(double stampSeconds, Heartbeat heartbeat) {
        partition.stampedHeartbeat(user, heartbeat, ms(stampSeconds));
        return listen();
    }

    /** A clock tick that the broker stamps so, because its clock is wrong. */
    PartitionContext stampedTick(double stampSeconds) {
        partition.stampedTick(ms(stampSeconds));
        return listen();
    }

    /** A heartbeat that was written to another partition then, and comes to this one now. */
    PartitionContext misrouted(double firstSeconds, Heartbeat heartbeat) {
        partition.misroutedHeartbeat(user, heartbeat, ms(firstSeconds), timeMs);
        return listen();
    }

    PartitionContext misroutedText(double firstSeconds, @Nullable String text) {
        partition.misroutedStatus(user, new StatusText(text, null), ms(firstSeconds), timeMs);
        return listen();
    }

    PartitionContext misroutedFlag(double firstSeconds, boolean appearOffline) {
        partition.misroutedAppearOffline(user, appearOffline, ms(firstSeconds), timeMs);
        return listen();
    }

    /** A session of a shard is heard that began then, with the default lease. */
    PartitionContext shardBeats(String shard, String session, long startedAtSeconds) {
        return shard(shard, session, startedAtSeconds, false);
    }

    PartitionContext shardEnds(String shard, String session, long startedAtSeconds) {
        return shard(shard, session, startedAtSeconds, true);
    }

    private PartitionContext shard(String shard, String session, long startedAtSeconds, boolean ended) {
        long startedAt = ms((double) startedAtSeconds);
        partition.shardHeartbeat(new ShardHeartbeat(shard, session, startedAt, OptionalLong.empty(), ended), timeMs);
        return listen();
    }

    /** The connection of a device ended. */
    PartitionContext end(String device) {
        return heartbeat(closed(device, null));
    }

    PartitionContext end(String device, PresenceState state) {
        return heartbeat(closed(device, state));
    }

    PartitionContext text(@Nullable String text) {
        partition.status(user, new StatusText(text, null), timeMs);
        return listen();
    }

    PartitionContext text(String text, double expiresAtSeconds) {
        partition.status(user, new StatusText(text, ms(expiresAtSeconds)), timeMs);
        return listen();
    }

    PartitionContext hide() {
        partition.appearOffline(user, true, timeMs);
        return listen();
    }

    PartitionContext unhide() {
        partition.appearOffline(user, false, timeMs);
        return listen();
    }

    PartitionContext review() {
        partition.review(user);
        return listen();
    }

    // ---- time ----

    PartitionContext tick() {
        partition.tick(timeMs);
        return listen();
    }

    /** From now on the device beats by itself, with no state in it, whenever {@link #tickEverySecondUntil} passes by. */
    PartitionContext keepsBeating(String device, double everySeconds) {
        return keepsBeating(beat(device, null), everySeconds);
    }

    PartitionContext keepsBeating(Heartbeat heartbeat, double everySeconds) {
        UserId of = user;
        return keepsBeating(
                List.of(of.toString(), heartbeat.deviceId()),
                at -> partition.heartbeat(of, heartbeat, at),
                everySeconds);
    }

    private PartitionContext keepsBeating(List<String> who, LongConsumer beat, double everySeconds) {
        beating.add(new Beating(who, beat, ms(everySeconds), timeMs));
        return this;
    }

    PartitionContext fallsSilent(String device) {
        beating.removeIf(one -> one.who().equals(List.of(user.toString(), device)));
        return this;
    }

    /** From now on the shard's session beats by itself, now for the first time. */
    PartitionContext shardKeepsBeating(ShardHeartbeat heartbeat, double everySeconds) {
        return shardHeartbeat(heartbeat)
                .keepsBeating(
                        List.of(heartbeat.session()), at -> partition.shardHeartbeat(heartbeat, at), everySeconds);
    }

    PartitionContext shardFallsSilent(String session) {
        beating.removeIf(one -> one.who().equals(List.of(session)));
        return this;
    }

    /** Lets time pass to then, inclusive, with a clock tick at each full second, after the heartbeats that are due at it. */
    PartitionContext tickEverySecondUntil(double seconds) {
        long until = ms(seconds);
        for (long second = Math.floorDiv(timeMs, 1000) + 1; second * 1000 <= until; second++) {
            timeMs = second * 1000;
            for (Beating one : beating) {
                if ((timeMs - one.fromMs()) % one.everyMs() == 0) {
                    one.beat().accept(timeMs);
                }
            }
            tick();
        }
        timeMs = until;
        return this;
    }

    /** A crash, and a new presence from what is stored. */
    PartitionContext restart() {
        partition.restart();
        return this;
    }

    // ---- what is expected ----

    /** The next thing emitted is of this user: the state has changed, and the record is stamped with its since. */
    PartitionContext expect(PresenceState state, double since) {
        return expect(state, since, null);
    }

    PartitionContext expect(PresenceState state, double since, @Nullable String text) {
        return expect(state, since, text, since);
    }

    PartitionContext expect(PresenceState state, double since, @Nullable String text, double at) {
        return expectMs(state, ms(since), text, ms(at));
    }

    /** The next thing emitted is of this user: only the text has changed, then; null: it is gone. */
    PartitionContext expectText(@Nullable String text, double at) {
        Presence before = Objects.requireNonNull(lastExpected.get(user), "nothing expected of this user before");
        return expectMs(before.state(), before.since(), text, ms(at));
    }

    private PartitionContext expectMs(PresenceState state, long since, @Nullable String text, long at) {
        Presence before = lastExpected.get(user);
        PresenceUpdate next = next();
        Presence emitted = next.presence();
        Presence expected = new Presence(
                state,
                before == null ? null : before.state(),
                text,
                since,
                emitted == null ? null : emitted.lastActive(),
                before == null ? 1 : before.sequence() + 1);
        assertThat(next).isEqualTo(new PresenceUpdate(at, expected));
        lastExpected.put(user, expected);
        return this;
    }

    /** Of what was expected last of this user; null: none. */
    PartitionContext lastActive(@Nullable Double seconds) {
        Presence emitted = Objects.requireNonNull(lastExpected.get(user), "nothing expected of this user before");
        assertThat(emitted.lastActive()).isEqualTo(seconds == null ? null : ms(seconds));
        return this;
    }

    PartitionContext expectForgotten(double at) {
        assertThat(next()).isEqualTo(new PresenceUpdate(ms(at), null));
        lastExpected.remove(user);
        return this;
    }

    PartitionContext expectRefused(@Nullable Reason rejection) {
        assertThat(partition.rejection()).isEqualTo(rejection);
        return this;
    }

    /** And nothing more, of anybody. */
    PartitionContext expectNothing() {
        assertThat(unexpected).isEmpty();
        return this;
    }

    // ---- heartbeats ----

    static Heartbeat beat(String device, @Nullable PresenceState state) {
        return new Heartbeat(device, state, false, OptionalLong.empty(), null);
    }

    static Heartbeat beatOf(String shard, String device, @Nullable PresenceState state) {
        return new Heartbeat(device, state, false, OptionalLong.empty(), shard);
    }

    static Heartbeat closed(String device, @Nullable PresenceState state) {
        return new Heartbeat(device, state, true, OptionalLong.empty(), null);
    }

    static Heartbeat withLease(Heartbeat heartbeat, double seconds) {
        return new Heartbeat(
                heartbeat.deviceId(),
                heartbeat.state(),
                heartbeat.connectionEnded(),
                OptionalLong.of(ms(seconds)),
                heartbeat.shard(),
                heartbeat.session());
    }

    /** That session holds the device. */
    static Heartbeat open(ShardHeartbeat session, String device, @Nullable PresenceState state) {
        return new Heartbeat(device, state, false, OptionalLong.empty(), session.shard(), session.session());
    }

    /** The connection that the session held has ended. */
    static Heartbeat closedBy(ShardHeartbeat session, String device, @Nullable PresenceState state) {
        return new Heartbeat(device, state, true, OptionalLong.empty(), session.shard(), session.session());
    }

    // ---- shards' heartbeats ----

    /** A session that began then by its shard's clock. */
    static ShardHeartbeat session(String shard, String session, double startedAt) {
        return new ShardHeartbeat(shard, session, ms(startedAt), OptionalLong.empty(), false);
    }

    static ShardHeartbeat ended(ShardHeartbeat session) {
        return new ShardHeartbeat(session.shard(), session.session(), session.startedAt(), OptionalLong.empty(), true);
    }

    static long ms(double seconds) {
        return Math.round(seconds * 1000);
    }

    private PresenceUpdate next() {
        assertThat(unexpected).as("what was emitted").isNotEmpty();
        Partition.Emitted next = unexpected.removeFirst();
        assertThat(next.user()).as("the user of %s", next).isEqualTo(user);
        return next.update();
    }

    private PartitionContext listen() {
        unexpected.addAll(partition.emitted());
        return this;
    }
}
