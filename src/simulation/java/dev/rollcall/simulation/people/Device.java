package dev.rollcall.simulation.people;

import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.simulation.time.Chance;
import dev.rollcall.simulation.time.EventQueue;
import org.jspecify.annotations.Nullable;

/** One device of a user, connected through a shard, or polling with a lease. */
final class Device {
    /** How it is kept alive. */
    enum Link {
        SESSION,
        LEASE,
        LONG_POLL,
        /** As LEASE, but names no shard and no lease. */
        BARE
    }

    private final EventQueue time;
    private final Chance chance;
    private final byte[] user;
    private final String id;
    private final Link link;
    private final long leaseMs;
    private Shard shard;
    private boolean isConnected;
    private int connection;
    private byte @Nullable [] usual;

    /** Which process was told of its connection, and of nothing else since; null: none that remembers. */
    private @Nullable ShardProcess knownTo;

    /** Whether the last state that was said of it is OFFLINE. */
    private boolean isOffline;

    Device(EventQueue time, Chance chance, byte[] user, String id, Link link, long leaseMs, Shard shard) {
        this.time = time;
        this.chance = chance;
        this.user = user;
        this.id = id;
        this.link = link;
        this.leaseMs = leaseMs;
        this.shard = shard;
    }

    boolean isConnected() {
        return isConnected;
    }

    Shard shard() {
        return shard;
    }

    byte[] user() {
        return user;
    }

    String id() {
        return id;
    }

    Link link() {
        return link;
    }

    /** A heartbeat of this device. */
    Heartbeat heartbeat(@Nullable PresenceState state, boolean closed) {
        return heartbeat(state, closed, shard.name(), shard.process().session());
    }

    Heartbeat heartbeat(@Nullable PresenceState state, boolean closed, String shardName, String session) {
        return switch (link) {
            case SESSION -> Writer.heartbeat(id, state, closed, 0, shardName, session);
            case LEASE -> Writer.heartbeat(id, state, closed, leaseMs, shardName, null);
            case LONG_POLL -> Writer.heartbeat(id, state, closed, state == null ? 2 * leaseMs : 0, shardName, null);
            case BARE -> Writer.heartbeat(id, state, closed, 0, null, null);
        };
    }

    /** The record with which it shows that it is still there. */
    byte[] usual() {
        byte[] value = usual;
        if (value == null) {
            value = Writer.encode(heartbeat(null, false));
            usual = value;
        }
        return value;
    }

    /** Its user sets a state; {@code barely}: without naming what the device lives by. */
    void set(PresenceState state, boolean barely) {
        said(state);
        if (barely) {
            shard.process().heartbeat(user, Writer.heartbeat(id, state, false, 0, null, null));
        } else {
            shard.process().stateSet(this, state);
        }
    }

    private void said(@Nullable PresenceState state) {
        if (state != null && shard.isRunning()) {
            isOffline = state == PresenceState.OFFLINE;
        }
    }

    /** A text carries this heartbeat of it. */
    void wasCarried(Heartbeat heartbeat) {
        said(heartbeat.state());
        distrust();
    }

    /** Something else was said of it than its connection tells, perhaps that this has ended. */
    private void distrust() {
        knownTo = null;
    }

    void isKnownTo(ShardProcess process) {
        knownTo = process;
    }

    /** Whether others must see it, as its shard, which has been well for so long, has seen to it (promise 12). */
    boolean mustBeShown(long wellForMs) {
        return isConnected
                && (link == Link.SESSION || link == Link.LEASE)
                && !isOffline
                && knownTo == shard.process()
                && shard.isWellFor(wellForMs);
    }

    void connect(@Nullable PresenceState state) {
        isConnected = true;
        said(state);
        int mine = ++connection;
        shard.process().opened(this, state);
        if (link == Link.SESSION) {
            shard.opened(this);
        } else {
            keepAlive(mine);
        }
    }

    void connectUnlessConnected(@Nullable PresenceState state) {
        if (!isConnected) {
            connect(state);
        }
    }

    /** The number of the connection that it had last. */
    int connection() {
        return connection;
    }

    private void keepAlive(int mine) {
        long pollMs = Math.min(leaseMs, shard.process().pollLeaseMs()) / 3;
        time.afterMillis(pollMs + chance.below(2), () -> {
            if (isConnected && connection == mine) {
                shard.process().polled(this);
                keepAlive(mine);
            }
        });
    }

    /** Ends the connection; {@code silent}: nobody is told. */
    void disconnect(boolean silent) {
        if (isConnected) {
            isConnected = false;
            if (!silent || link == Link.SESSION) { // a shard notices, sooner or later
                long notice = silent ? chance.magnitude(100, 3 * leaseMs) : 0;
                Shard holder = shard;
                ShardProcess process = holder.process();
                int mine = connection;
                if (notice == 0) {
                    process.closed(this, true);
                    holder.closed(this);
                } else {
                    time.afterMillis(notice, () -> {
                        if (process.closed(this, connection == mine)) {
                            holder.closed(this);
                        }
                    });
                }
            }
        }
    }

    /** Its shard has gone, and it connects to this one, unless its user has connected it since. */
    void moveTo(Shard other, int lost) {
        if (isConnected && link == Link.SESSION && connection == lost) {
            shard = other;
            usual = null;
            connect(chance.oneIn(2) ? null : PresenceState.ONLINE);
        }
    }

    /** Opens elsewhere while the old shard still holds a half-open connection, whose end it reports later. */
    void roam(Shard other) {
        if (isConnected && link == Link.SESSION && other != shard) {
            Shard old = shard;
            ShardProcess process = old.process();
            shard = other;
            usual = null;
            connect(PresenceState.ONLINE);
            distrust();
            time.afterMillis(chance.magnitude(100, 4 * leaseMs), () -> {
                process.closed(this, true);
                old.closed(this);
                distrust(); // where the old shard has opened it again, that was its end (promise 12)
            });
        }
    }

    /** What a shard's process writes that was replaced. */
    void speakAs(String session, boolean closed) {
        shard.writer()
                .heartbeat(
                        user,
                        Writer.encode(Writer.heartbeat(
                                id, closed ? null : PresenceState.IDLE, closed, 0, shard.name(), session)));
    }
}
