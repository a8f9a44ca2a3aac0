package dev.rollcall.simulation.judge;

import dev.rollcall.simulation.judge.Violation.Kind;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Looks at users whose time has come, and holds Rollcall to publishing what that ends (section Time, promise 4). */
final class Sweep {
    /** What one tick finds is published before the next one; of more than this, each further so many may take one tick more. */
    private static final int PER_TICK = 1_000;
    /** A walk through the store may take that long beyond a thirtieth of the retention time, and a tick for each so many users. */
    private static final long WALK_MS = 60_000;

    private static final int WALKED_PER_TICK = 1_000;

    private static final long LATE_MS = 10_000;

    private final Ground ground;
    private final Agenda agenda;
    private final Report report;
    private final Expiry expiry;
    private final Set<User> owed = new LinkedHashSet<>();
    private final Set<User> unforgotten = new LinkedHashSet<>();
    /** The first clock tick after a time without: nobody was there to walk through the store before it. */
    private long awakeSince;

    Sweep(Ground ground, Agenda agenda, Report report) {
        this.ground = ground;
        this.agenda = agenda;
        this.report = report;
        this.expiry = new Expiry(ground);
    }

    void tick(long at) {
        ground.ticks++;
        if (at - ground.lastTick >= ground.settings.logSilenceMs() || ground.lastTick == Long.MIN_VALUE) {
            awakeSince = at;
        }
        ground.lastTick = Math.max(ground.lastTick, at);
        overdue();
        List<User> looked = new ArrayList<>();
        for (User user = agenda.poll(at); user != null; user = agenda.poll(at)) {
            look(user, at);
            looked.add(user);
        }
        for (User user : looked) {
            schedule(user, at);
        }
        ground.shards.tick(at);
    }

    /** Before a record of the user: what one before it has let end by the last clock tick is over. */
    void catchUp(User user) {
        if (user.isDue(ground.lastTick)) {
            look(user, ground.lastTick);
            schedule(user, ground.lastTick);
        }
    }

    private void overdue() {
        for (User user : new ArrayList<>(owed)) {
            user.overdue(ground.ticks);
            if (!user.isOwed()) {
                owed.remove(user);
            }
        }
    }

    private void look(User user, long at) {
        for (Variant variant : user.variants()) {
            if (expiry.isAnythingDue(variant, at)) {
                long due = due();
                user.sweep((copy, choices) -> expiry.apply(copy, at, due, choices));
                break;
            }
        }
        if (user.isOwed()) {
            owed.add(user);
        }
        checkForgotten(user, at);
    }

    private long due() {
        return ground.ticks + 1 + owed.size() / PER_TICK;
    }

    private void schedule(User user, long at) {
        for (Variant variant : user.variants()) {
            user.lookAt(expiry.nextLook(variant, at));
            Presence last = user.published();
            if (variant.hasNothing() && last != null && !unforgotten.contains(user)) {
                user.lookAt(Math.max(at + 1, forgottenBy(variant, last)));
            }
        }
    }

    private long forgottenBy(Variant variant, Presence last) {
        long retentionMs = ground.settings.userRetentionMs();
        return ground.time.ofStamp(Math.max(variant.quietHi, last.timestamp()))
                + retentionMs
                + retentionMs / 30
                + walkMs();
    }

    private long walkMs() {
        return WALK_MS + ground.users / WALKED_PER_TICK * ground.settings.clockTickIntervalMs();
    }

    private void checkForgotten(User user, long at) {
        Presence last = user.published();
        if (last == null) {
            return;
        }
        for (Variant variant : user.variants()) {
            if (!variant.hasNothing() || forgottenBy(variant, last) > at || awakeSince + walkMs() > at) {
                unforgotten.remove(user);
                return;
            }
        }
        if (unforgotten.add(user)) {
            report.add(
                    Kind.NOT_FORGOTTEN,
                    user.key,
                    "no tombstone, although there is nothing to tell since "
                            + user.variants().get(0).quietHi + " (rule 11)");
        }
    }

    /** A session is heard: it holds whoever waited for it (rule 14). */
    void heard(Session session) {
        for (User user : session.waiters) {
            for (Variant variant : user.variants()) {
                for (Device device : variant.devices) {
                    if (device.session == session && device.waiting && device.decided == null) {
                        device.waiting = false;
                        user.lookAt(Ending.of(device, ground, ground.time.now()).endLo());
                    }
                }
            }
        }
        session.waiters.clear();
    }

    /** A session turns out to be an earlier one: who waits for it ends at once, which may be noticed at the next tick. */
    void earlier(Session session, long at) {
        for (User user : session.waiters) {
            for (Variant variant : user.variants()) {
                for (Device device : variant.devices) {
                    if (device.session == session && device.waiting) {
                        device.decided = Ending.at(at);
                    }
                }
            }
            long due = due();
            user.branch((variant, choices) -> {
                if (choices.either(true)) {
                    expiry.applyDecided(variant, at, due);
                }
            });
            if (user.isOwed()) {
                owed.add(user);
            }
            user.lookAt(at);
        }
        session.waiters.clear();
    }

    /** A session has ended with the record at this instant: its devices end sooner than was known. */
    void ended(Session session, long at) {
        for (User user : session.users) {
            for (Variant variant : user.variants()) {
                for (Device device : variant.devices) {
                    if (device.session == session) {
                        decideWaiting(session, device, at);
                        user.lookAt(Ending.of(device, ground, at).endLo());
                    }
                }
            }
        }
    }

    /**
     * A later session ends a device that was opened while this one was silent "as it ends the session's other devices": since and
     * the hold may be those of the session's silence, or of the later one's first record.
     */
    private void decideWaiting(Session session, Device device, long at) {
        if (!device.waiting || device.closed || !session.superseded) {
            return;
        }
        long holdMs = ground.settings.shardHoldMs();
        long resumed = at + ground.settings.shardResumeMs();
        device.decided = new Ending(
                Math.min(session.holdEndLo(holdMs), resumed),
                Math.max(session.holdEndHi(holdMs), resumed),
                Math.min(session.sinceLo(), at),
                Math.max(session.sinceHi(), at));
    }

    /** Nothing more comes: who is over by now should have been noticed by a tick long ago, whichever reading is the right one. */
    void end(Collection<User> users, long present) {
        long overdue = present - LATE_MS - 10 * ground.settings.clockTickIntervalMs();
        for (User user : users) {
            if (user.variants().stream().allMatch(variant -> isAnyOver(variant, present, overdue))) {
                report.add(
                        Kind.GHOST,
                        user.key,
                        "a device is over since before " + overdue + ", and no clock tick came to " + present
                                + " (section Time)");
                return;
            }
        }
    }

    private boolean isAnyOver(Variant variant, long present, long overdue) {
        return variant.devices.stream()
                .anyMatch(device -> Ending.of(device, ground, present).endHi() < overdue);
    }
}
