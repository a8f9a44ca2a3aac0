package dev.rollcall.chaos.check;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Compares the output with the inputs, as they lie in their topics, by the contract alone.
 *
 * <p>The {@link SimplePromises} are checked one by one. Then a {@link Search} for each user asks whether the rules emit
 * exactly this in any order in which the logs may have been read.
 */
public final class Checker {
    private Checker() {}

    /**
     * Checks the logs.
     *
     * @param disturbances when there were faults; outside of them only a clock tick by another instance than before shows
     *     that a task was taken over
     */
    public static Verdict check(Logs logs, Settings settings, List<Window> disturbances) {
        LogIndex index = new LogIndex(logs, settings, disturbances);
        List<Violation> violations = new ArrayList<>(index.malformed);
        violations.addAll(index.misrouted.missing(index.until, new Windows(disturbances), settings.slackMs()));
        SimplePromises promises = new SimplePromises(settings, violations);
        Map<Integer, Disturbances> byPartition = new HashMap<>();
        List<Search> searches = new ArrayList<>();
        for (UserLog user : index.users.values()) {
            PartitionLog partition = index.partition(user.partition);
            Disturbances ofPartition =
                    byPartition.computeIfAbsent(user.partition, any -> new Disturbances(disturbances, partition));
            promises.checkSequence(user);
            promises.checkLiveDevices(user, partition);
            promises.checkHiddenUsers(user, ofPartition);
            searches.add(new Search(
                    new History(user, partition, settings, ofPartition, partition.clock.timeAt(index.until))));
        }
        List<String> undecided = new ArrayList<>();
        List<Expiry> expiries = new ArrayList<>();
        // Each is on its own, and only reads what they share.
        for (Search.Result result : searches.parallelStream().map(Search::run).toList()) {
            violations.addAll(result.violations());
            expiries.addAll(result.expiries());
            if (result.undecided()) {
                undecided.add(result.user());
            }
        }
        if (logs.compacted() != null) {
            promises.checkFinalState(logs.presence(), logs.compacted());
        }
        return new Verdict(
                List.copyOf(violations),
                undecided,
                index.users.size(),
                index.beats,
                index.shardBeats,
                index.ticks,
                index.texts,
                index.flags,
                logs.presence().size(),
                index.unusable,
                expiries);
    }
}
