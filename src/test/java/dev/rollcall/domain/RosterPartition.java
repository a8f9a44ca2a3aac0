package dev.rollcall.domain;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The domain alone: a {@link Roster}, whose decisions are carried out on a map. */
final class RosterPartition implements Partition {
    private final PresenceRules rules;
    private final Map<UserId, UserFacts> stored = new HashMap<>();
    private final List<Said> said = new ArrayList<>();
    private Roster roster;
    private @Nullable Refusal refusal;

    RosterPartition(PresenceRules rules) {
        this.rules = rules;
        this.roster = new Roster(rules, stored::get);
    }

    Roster roster() {
        return roster;
    }

    @Override
    public void heartbeat(UserId user, Heartbeat heartbeat, long at) {
        carryOut(user, roster.heartbeat(user, heartbeat, at));
    }

    @Override
    public void stampedHeartbeat(UserId user, Heartbeat heartbeat, long stamp) {
        heartbeat(user, heartbeat, stamp);
    }

    @Override
    public void stampedPulse(long stamp) {
        pulse(stamp);
    }

    @Override
    public void misroutedHeartbeat(UserId user, Heartbeat heartbeat, long first, long at) {
        carryOut(user, roster.misroutedHeartbeat(user, heartbeat, first, at));
    }

    @Override
    public void status(UserId user, StatusText status, long at) {
        carryOut(user, roster.status(user, status, at));
    }

    @Override
    public void misroutedStatus(UserId user, StatusText status, long first, long at) {
        carryOut(user, roster.misroutedStatus(user, status, first, at));
    }

    @Override
    public void appearOffline(UserId user, boolean on, long at) {
        carryOut(user, roster.appearOffline(user, on, at));
    }

    @Override
    public void misroutedAppearOffline(UserId user, boolean on, long first, long at) {
        carryOut(user, roster.misroutedAppearOffline(user, on, first, at));
    }

    @Override
    public void pulse(long at) {
        roster.pulse(at);
        roster.sweep(this::carryOut);
    }

    @Override
    public void review(UserId user) {
        carryOut(user, roster.review(user));
    }

    @Override
    public void restart() {
        roster = new Roster(rules, stored::get);
        Map.copyOf(stored).forEach(roster::takeOver);
    }

    @Override
    public List<Said> said() {
        List<Said> all = List.copyOf(said);
        said.clear();
        return all;
    }

    @Override
    public @Nullable Refusal refusal() {
        return refusal;
    }

    @Override
    public @Nullable UserFacts stored(UserId user) {
        return stored.get(user);
    }

    @Override
    public void close() {}

    private void carryOut(UserId user, Decision decision) {
        refusal = decision.refusal();
        decision.announcements().forEach(announcement -> said.add(new Said(user, announcement)));
        if (decision.durable() instanceof Decision.Save save) {
            stored.put(user, save.facts());
        } else if (decision.durable() instanceof Decision.Erase) {
            stored.remove(user);
        }
    }
}
