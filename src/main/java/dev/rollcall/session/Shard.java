package dev.rollcall.session;

import dev.rollcall.session.StoredShard.StoredSession;
import dev.rollcall.time.PartitionClock;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A shard, and those of its sessions that a device or the order of sessions still needs. Nothing takes the longer the more
 * sessions there are, except to store those that were heard: somebody may name another session with each connection.
 */
final class Shard {
    /** So many earlier sessions are known by name when nobody is in them any more. */
    private static final int REMEMBERED_SESSIONS = 8;

    /** So many are stored, the last ones heard: a broker would refuse a row that grows with what others make up. */
    private static final int STORED_SESSIONS = 64;

    private final String name;
    private final Map<SessionId, Session> sessions = new HashMap<>();

    /** All lives of each, by name, in order. */
    private final Map<String, List<Session>> lives = new HashMap<>();

    /** Those that were heard, in the order in which they were first. */
    private final Set<Session> heard = new LinkedHashSet<>();

    /** Those of the last ones heard that are kept without a device. */
    private final Set<Session> remembered = new LinkedHashSet<>();

    /** Those that may not be needed any more. */
    private final List<Session> candidates = new ArrayList<>(2);

    private @Nullable Session latest;
    private long lastHeard = PartitionClock.UNKNOWN;

    Shard(String name) {
        this.name = name;
    }

    String name() {
        return name;
    }

    boolean isEmpty() {
        return sessions.isEmpty();
    }

    /** The latest that was heard; null: none was. */
    @Nullable
    Session latest() {
        return latest;
    }

    void setLatest(Session session) {
        if (latest != null) {
            candidates.add(latest);
        }
        latest = session;
    }

    long lastHeard() {
        return lastHeard;
    }

    void heardAt(long at) {
        lastHeard = Math.max(lastHeard, at);
    }

    void add(Session session) {
        sessions.put(session.id(), session);
        List<Session> ofThatName = lives.computeIfAbsent(session.id().session(), any -> new ArrayList<>(1));
        candidates.add(session);
        if (!ofThatName.isEmpty()) {
            candidates.add(ofThatName.get(ofThatName.size() - 1));
        }
        ofThatName.add(session);
        ofThatName.sort(Comparator.comparingInt(one -> one.id().life())); // mostly it is already
    }

    /** It has been heard, or is known to be an earlier one. */
    void remember(Session session) {
        if (heard.add(session)) {
            remembered.add(session);
            if (remembered.size() > REMEMBERED_SESSIONS) {
                Session eldest = remembered.iterator().next();
                remembered.remove(eldest);
                candidates.add(eldest);
            }
        }
    }

    /** It has lost its last device. */
    void empty(Session session) {
        candidates.add(session);
    }

    /** The last life of that session; null: it is not known. */
    @Nullable
    Session newest(String session) {
        List<Session> all = lives(session);
        return all.isEmpty() ? null : all.get(all.size() - 1);
    }

    /** All lives of that session from which there may still be a device. */
    List<Session> lives(String session) {
        return lives.getOrDefault(session, List.of());
    }

    @Nullable
    Session find(SessionId id) {
        return sessions.get(id);
    }

    boolean hasDevicesOfHeard() {
        return heard.stream().anyMatch(session -> session.devices() > 0);
    }

    /** Drops the sessions that were heard, none of which has a device, and returns them. */
    List<Session> forgetHeard() {
        latest = null;
        remembered.clear();
        candidates.addAll(heard);
        return dropUnneeded();
    }

    /** What has to be stored; null: nothing. */
    @Nullable
    StoredShard stored(long clockAheadMs) {
        if (latest == null) {
            return null;
        }
        List<StoredSession> stored = new ArrayList<>();
        stored.add(latest.stored());
        List<Session> lastFirst = new ArrayList<>(heard);
        Collections.reverse(lastFirst);
        for (Iterator<Session> all = lastFirst.iterator(); all.hasNext() && stored.size() < STORED_SESSIONS; ) {
            Session session = all.next();
            if (session != latest) {
                stored.add(session.stored());
            }
        }
        return new StoredShard(lastHeard, clockAheadMs, stored);
    }

    /** Drops the sessions that nothing needs any more, and returns them. */
    List<Session> dropUnneeded() {
        List<Session> dropped = new ArrayList<>(0);
        for (Session session : candidates) {
            List<Session> ofThatName = lives(session.id().session());
            boolean isLastLife = session == newest(session.id().session());
            boolean isRemembered = isLastLife && remembered.contains(session);
            boolean isUnneeded = session.devices() == 0 && session != latest && !isRemembered;
            if (isUnneeded && sessions.remove(session.id(), session)) {
                heard.remove(session);
                remembered.remove(session);
                ofThatName.remove(session);
                if (ofThatName.isEmpty()) {
                    lives.remove(session.id().session());
                }
                dropped.add(session);
            }
        }
        candidates.clear();
        return dropped;
    }
}
