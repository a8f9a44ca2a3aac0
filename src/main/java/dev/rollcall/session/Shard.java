package dev.rollcall.session;

import dev.rollcall.session.StoredShard.StoredSession;
import dev.rollcall.time.PartitionClock;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A shard, and those of its sessions that a device or the order of sessions still needs. */
final class Shard {
    /** So many earlier sessions are known by name when nobody is in them any more. */
    private static final int REMEMBERED_SESSIONS = 8;

    private final String name;

    /** The newest first. */
    private final List<Session> sessions = new ArrayList<>(1);

    private @Nullable Session latest;
    private long lastHeard = PartitionClock.UNKNOWN;

    Shard(String name) {
        this.name = name;
    }

    String name() {
        return name;
    }

    List<Session> sessions() {
        return sessions;
    }

    /** The latest that was heard; null: none was. */
    @Nullable
    Session latest() {
        return latest;
    }

    void setLatest(Session session) {
        latest = session;
    }

    long lastHeard() {
        return lastHeard;
    }

    void heardAt(long at) {
        lastHeard = Math.max(lastHeard, at);
    }

    void addNewest(Session session) {
        sessions.add(0, session);
    }

    void addOldest(Session session) {
        sessions.add(session);
    }

    /** The last life of that session; null: it is not known. */
    @Nullable
    Session newest(String session) {
        for (Session one : sessions) {
            if (one.id().session().equals(session)) {
                return one;
            }
        }
        return null;
    }

    @Nullable
    Session find(SessionId id) {
        for (Session one : sessions) {
            if (one.id().equals(id)) {
                return one;
            }
        }
        return null;
    }

    boolean hasDevicesOfHeard() {
        return sessions.stream().anyMatch(session -> session.isHeard() && session.devices() > 0);
    }

    /** Drops the sessions that were heard, none of which has a device, and returns them. */
    List<Session> forgetHeard() {
        List<Session> dropped = sessions.stream().filter(Session::isHeard).toList();
        sessions.removeAll(dropped);
        latest = null;
        return dropped;
    }

    StoredShard stored(long clockAheadMs) {
        List<StoredSession> heard = new ArrayList<>(sessions.size());
        for (Session session : sessions) {
            if (session == latest) {
                heard.add(0, session.stored());
            } else if (session.isHeard()) {
                heard.add(session.stored());
            }
        }
        return new StoredShard(lastHeard, clockAheadMs, heard);
    }

    /** Drops the sessions that nothing needs any more, and returns them. */
    List<Session> dropUnneeded() {
        List<Session> dropped = new ArrayList<>(0);
        int named = 0;
        for (Iterator<Session> all = sessions.iterator(); all.hasNext(); ) {
            Session session = all.next();
            boolean isLastLife = session == newest(session.id().session());
            boolean isRemembered = session.isHeard() && isLastLife && ++named <= REMEMBERED_SESSIONS;
            if (session.devices() == 0 && session != latest && !isRemembered) {
                all.remove();
                dropped.add(session);
            }
        }
        return dropped;
    }
}
