package dev.rollcall.contract;

import dev.rollcall.config.RollcallConfig;
import dev.rollcall.contract.Checkpoint.Stored;
import dev.rollcall.contract.Cluster.Log;
import dev.rollcall.contract.Cluster.Progress;
import dev.rollcall.contract.Cluster.Topic;
import dev.rollcall.contract.Fix.Decide;
import dev.rollcall.topology.PresenceTopology;
import dev.rollcall.wire.TopicNames;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Whether what is stored of the users is as new as what was read of the inputs. If a changelog is lost and the group's offsets
 * are not, a user who appears offline would be shown, nobody who was online would ever go offline, and sequences would begin
 * again.
 */
final class StateContract {
    private static final String RECORDS = "records";
    private static final String WHY =
            "the inputs are read already up to the committed offsets, and would not be read again: hidden users would be"
                    + " shown, and who was online would stay so for good";

    private final String applicationId;
    private final TopicNames names;
    private final List<String> inputs;
    private final List<String> changelogs;

    StateContract(RollcallConfig config) {
        applicationId = config.applicationId();
        names = config.topics();
        inputs = List.of(names.deviceHeartbeat(), names.status(), names.appearOffline());
        changelogs = PresenceTopology.changelogs(applicationId);
    }

    /** @param isStarting whether a changelog that is not found is lost; while a processor runs, a broker may not know it yet */
    List<Finding> check(Cluster cluster, boolean isStarting) {
        List<Finding> findings = new ArrayList<>();
        cluster.progress().ifPresent(progress -> {
            for (String changelog : changelogs) {
                lost(cluster, progress, changelog, isStarting).ifPresent(findings::add);
            }
            unread(cluster, progress).ifPresent(findings::add);
            if (isStarting) {
                forgotten(cluster, progress).ifPresent(findings::add);
            }
        });
        return findings;
    }

    /**
     * What to store of this look, by the number of the partition; empty where something of it could not be seen.
     *
     * @param isStarting whether a changelog that is not found does not exist yet: what was stored of an earlier one is over
     */
    Map<Integer, Checkpoint> checkpoints(Cluster cluster, boolean isStarting) {
        Map<Integer, Checkpoint> all = new HashMap<>();
        @Nullable Topic output = cluster.topics().get(names.presence());
        if (output == null || cluster.progress().isEmpty()) {
            return all;
        }
        Progress progress = cluster.progress().get();
        partitions(cluster).forEach(partition -> {
            Map<String, Stored> stored = new HashMap<>();
            for (String changelog : changelogs) {
                @Nullable Topic topic = cluster.topics().get(changelog);
                Optional<Log> log = progress.log(changelog, partition);
                if (topic != null && log.isPresent()) {
                    stored.put(changelog, Stored.of(topic.id(), log.get()));
                } else if (topic == null && isStarting) {
                    stored.put(changelog, Stored.NOTHING);
                }
            }
            if (stored.size() == changelogs.size()) {
                all.put(partition, new Checkpoint(stored, new Stored(output.id(), 0, output.partitions())));
            }
        });
        return all;
    }

    private IntStream partitions(Cluster cluster) {
        return IntStream.range(0, cluster.partitions(names.deviceHeartbeat()).orElse(0));
    }

    private Optional<Finding> lost(Cluster cluster, Progress progress, String changelog, boolean isStarting) {
        List<Integer> read = partitions(cluster)
                .filter(partition -> hasRead(progress, partition))
                .boxed()
                .toList();
        if (read.isEmpty()) {
            return Optional.empty(); // it begins at the beginning
        }
        @Nullable Topic topic = cluster.topics().get(changelog);
        if (topic == null) {
            return isStarting ? Optional.of(finding(changelog, "none (there is no such topic)")) : Optional.empty();
        }
        if (isUsers(changelog) && isEmpty(progress, topic) && hasPublished(cluster, progress)) {
            return Optional.of(finding(changelog, "none"));
        }
        return read.stream()
                .flatMap(partition -> loss(progress, topic, partition).stream())
                .findFirst()
                .map(is -> finding(changelog, is));
    }

    /** What a partition has lost since the checkpoint. */
    private static Optional<String> loss(Progress progress, Topic topic, int partition) {
        Optional<Log> log = progress.log(topic.name(), partition);
        @Nullable Checkpoint checkpoint = progress.checkpoints().get(partition);
        @Nullable
        Stored stored = checkpoint == null ? null : checkpoint.changelogs().get(topic.name());
        if (stored == null || log.isEmpty()) {
            return Optional.empty();
        }
        if (!stored.id().equals(topic.id()) && stored.end() > stored.begin()) {
            return Optional.of(
                    "%d in partition %d (the topic was deleted and created again; it had them up to offset %d)"
                            .formatted(log.get().end() - log.get().begin(), partition, stored.end()));
        } else if (!stored.id().equals(topic.id())) {
            return Optional.empty(); // there was nothing to lose
        }
        if (log.get().end() < stored.end()) {
            return Optional.of("those up to offset %d of partition %d (it had them up to %d)"
                    .formatted(log.get().end(), partition, stored.end()));
        }
        return log.get().begin() > stored.begin()
                ? Optional.of("those from offset %d of partition %d (it had them from %d)"
                        .formatted(log.get().begin(), partition, stored.begin()))
                : Optional.empty();
    }

    private boolean isUsers(String changelog) {
        return changelog.equals(changelogs.get(0));
    }

    private static boolean isEmpty(Progress progress, Topic topic) {
        return IntStream.range(0, topic.partitions())
                .allMatch(partition ->
                        progress.log(topic.name(), partition).map(Log::isEmpty).orElse(false));
    }

    private boolean hasPublished(Cluster cluster, Progress progress) {
        return IntStream.range(0, cluster.partitions(names.presence()).orElse(0))
                .anyMatch(partition -> progress.log(names.presence(), partition)
                        .map(log -> !log.isEmpty())
                        .orElse(false));
    }

    /** Whether there is something that would not be read again. */
    private boolean hasRead(Progress progress, int partition) {
        return inputs.stream().anyMatch(input -> {
            long committed = progress.committed(input, partition).orElse(0);
            return progress.log(input, partition)
                    .filter(log -> committed > log.begin())
                    .isPresent();
        });
    }

    private Finding finding(String changelog, String is) {
        return Finding.refused(
                changelog,
                RECORDS,
                is,
                "all that it had",
                WHY,
                new Decide(
                        "restore the topic from a copy; or make it anew with rollcall rebuild (docs/operations.md, \"A lost"
                                + " changelog\"); or begin again: stop all instances, delete streams/ in each data.dir, and",
                        "kafka-streams-application-reset.sh",
                        "--application-id %s --input-topics %s --force"
                                .formatted(applicationId, String.join(",", inputs))));
    }

    /** Users are stored, and how far the inputs were read is not: brokers drop it when a group was away for long. */
    private Optional<Finding> forgotten(Cluster cluster, Progress progress) {
        @Nullable Topic users = cluster.topics().get(changelogs.get(0));
        boolean isStored = users != null && !isEmpty(progress, users);
        return isStored && progress.committed().isEmpty()
                ? Optional.of(Finding.unwise(
                        "",
                        "offsets of the group " + applicationId,
                        "none",
                        "those up to which the inputs were read",
                        "all texts and flags are read again from the beginning, and others see the old ones for a moment",
                        Decide.on("nothing now: the last text and flag of each user hold in the end. Raise"
                                + " offsets.retention.minutes of the brokers above the longest outage")))
                : Optional.empty();
    }

    /** Heartbeats that were deleted before they were read. */
    private Optional<Finding> unread(Cluster cluster, Progress progress) {
        String topic = names.deviceHeartbeat();
        long[] lost = partitions(cluster)
                .mapToLong(partition -> {
                    long begin = progress.log(topic, partition).map(Log::begin).orElse(0L);
                    return Math.max(
                            0, begin - progress.committed(topic, partition).orElse(begin));
                })
                .filter(count -> count > 0)
                .toArray();
        if (lost.length == 0) {
            return Optional.empty();
        }
        long most = Arrays.stream(lost).max().getAsLong();
        return Optional.of(Finding.unwise(
                topic,
                "unread",
                "up to %d deleted before they were read, in %d partitions".formatted(most, lost.length),
                "0",
                "the processor was away for longer than heartbeats are kept, and takes devices that went on beating"
                        + " meanwhile for silent",
                Decide.on("nothing now: the next heartbeat brings them back. Keep heartbeats for longer (retention.ms)"
                        + " than the longest outage")));
    }
}
