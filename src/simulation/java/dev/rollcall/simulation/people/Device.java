package dev.rollcall.simulation.people;

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

    /** The record of a heartbeat of this device; null: its shard cannot write one. */
    byte[] record(@Nullable PresenceState state, boolean closed) {
        return switch (link) {
            case SESSION -> Writer.heartbeat(id, state, closed, 0, shard.name(), shard.session());
            case LEASE -> Writer.heartbeat(id, state, closed, leaseMs, shard.name(), null);
            case LONG_POLL -> Writer.heartbeat(id, state, closed, state == null ? 2 * leaseMs : 0, shard.name(), null);
            case BARE -> Writer.heartbeat(id, state, closed, 0, null, null);
        };
    }

    /** A state that is set without naming what the device lives by. */
    byte[] bare(@Nullable PresenceState state) {
        return Writer.heartbeat(id, state, false, 0, null, null);
    }

    void send(byte[] value) {
        if (shard.isServing()) {
            shard.writer().heartbeat(user, value);
        }
    }

    void connect(@Nullable PresenceState state) {
        isConnected = true;
        int mine = ++connection;
        send(record(state, false));
        if (link == Link.SESSION) {
            shard.opened(this);
        } else {
            keepAlive(mine);
        }
    }

    private void keepAlive(int mine) {
        time.afterMillis(leaseMs / 3 + chance.below(2), () -> {
            if (isConnected && connection == mine) {
                byte[] value = usual;
                if (value == null) {
                    value = record(null, false);
                    usual = value;
                }
                send(value);
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
                byte[] end = record(null, true);
                Shard holder = shard;
                int mine = connection;
                if (notice == 0) {
                    send(end);
                    holder.closed(this);
                } else {
                    time.afterMillis(notice, () -> {
                        if (connection == mine && holder.isServing()) {
                            holder.writer().heartbeat(user, end);
                            holder.closed(this);
                        }
                    });
                }
            }
        }
    }

    /** Its shard has gone, and it connects to this one. */
    void moveTo(Shard other) {
        if (isConnected && link == Link.SESSION) {
            shard = other;
            usual = null;
            connect(chance.oneIn(2) ? null : PresenceState.ONLINE);
        }
    }

    /** Opens elsewhere while the old shard still holds a half-open connection, whose end it reports later. */
    void roam(Shard other) {
        if (isConnected && link == Link.SESSION && other != shard) {
            Shard old = shard;
            byte[] lateEnd = record(null, true);
            shard = other;
            usual = null;
            connect(PresenceState.ONLINE);
            time.afterMillis(chance.magnitude(100, 4 * leaseMs), () -> {
                if (old.isServing()) {
                    old.writer().heartbeat(user, lateEnd);
                }
                old.closed(this);
            });
        }
    }

    /** What a shard's process writes that was replaced. */
    void speakAs(String session, boolean closed) {
        shard.writer()
                .heartbeat(
                        user,
                        Writer.heartbeat(id, closed ? null : PresenceState.IDLE, closed, 0, shard.name(), session));
    }
}
