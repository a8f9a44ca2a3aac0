package dev.rollcall.memory;

import dev.rollcall.session.Session;
import dev.rollcall.session.Sessions;
import java.util.Set;
import java.util.function.IntConsumer;

/**
 * Finds the devices of sessions that are over (rule 14), by going through all users: an index from a session to its devices
 * would cost each of them memory, for something that happens when a shard is restarted.
 */
final class SessionSweep {
    /** How many users may be looked at for one that may be ended: a look is a small part of the work of an end. */
    private static final int LOOKS_PER_END = 16;

    private final UserTable users;
    private final Sessions sessions;

    /** Those whose devices are being looked for. */
    private Set<Session> ending = Set.of();

    /** The users in the slots below this have been looked at. */
    private int next;

    SessionSweep(UserTable users, Sessions sessions) {
        this.users = users;
        this.sessions = sessions;
    }

    /** Whether there are devices that have ended and have not been passed on yet. */
    boolean isUnfinished() {
        return !ending.isEmpty() || sessions.hasOver();
    }

    /**
     * Passes on the users with a device that has ended with its session.
     *
     * @param limit how many users at most
     * @return whether that was enough; if not, the next call goes on
     */
    boolean poll(int limit, IntConsumer onEnd) {
        if (ending.isEmpty()) {
            ending = sessions.takeOver();
            next = 0;
        }
        int left = ending.isEmpty() ? 0 : limit;
        for (long looks = (long) limit * LOOKS_PER_END; looks > 0 && left > 0 && next < users.slots(); looks--) {
            int slot = next++;
            if (users.isTaken(slot) && users.at(slot).isInSessionThatIsOver(sessions)) {
                onEnd.accept(slot);
                left--;
            }
        }
        if (next >= users.slots()) {
            ending = Set.of();
        }
        return !isUnfinished();
    }
}
