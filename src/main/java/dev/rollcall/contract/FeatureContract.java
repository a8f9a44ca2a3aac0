package dev.rollcall.contract;

import dev.rollcall.config.RollcallConfig;
import dev.rollcall.contract.Cluster.Features;
import dev.rollcall.contract.Fix.Decide;
import dev.rollcall.contract.Fix.Upgrade;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The features of the cluster that Rollcall rests on, as far as its settings ask for them.
 *
 * <p>Exactly once rests on the protocol of transactions: below level 2 (KIP-890), a request that ends one transaction and
 * arrives late ends the producer's next one in its midst, and transitions are lost or published twice (docs/guarantees.md,
 * "Held transactions").
 */
final class FeatureContract {
    private static final String TRANSACTIONS = "transaction.version";
    private static final short SAFE = 2;
    private static final String STREAMS_GROUPS = "streams.version";

    private static final String OFFSETS_KEPT = "offsets.retention.minutes";

    /** Thirty days; the brokers' default is seven. */
    private static final long OFFSETS_KEPT_MINUTES = Duration.ofDays(30).toMinutes();

    private final boolean isExactlyOnce;
    private final boolean needsStreamsGroups;

    FeatureContract(RollcallConfig config) {
        isExactlyOnce = !"at_least_once".equals(config.kafka().get("processing.guarantee"));
        needsStreamsGroups = "streams".equalsIgnoreCase(config.kafka().get("group.protocol"));
    }

    List<Finding> check(Cluster cluster) {
        List<Finding> findings = new ArrayList<>();
        if (!isExactlyOnce) {
            findings.add(Finding.unwise(
                    "",
                    "kafka.processing.guarantee",
                    "at_least_once",
                    "exactly_once_v2",
                    "a crash between the changelog's append and the output's loses a transition for good",
                    Decide.on("remove kafka.processing.guarantee from the settings")));
        }
        @Nullable String kept = cluster.brokerSettings().get(OFFSETS_KEPT);
        if (kept != null && Long.parseLong(kept) < OFFSETS_KEPT_MINUTES) {
            findings.add(Finding.unwise(
                    "",
                    OFFSETS_KEPT,
                    kept,
                    "at least " + OFFSETS_KEPT_MINUTES,
                    "after an outage longer than that, all texts and flags are read again from the beginning, and others see"
                            + " the old ones for a moment",
                    Decide.on("set it on all brokers, which takes a restart of them")));
        }
        cluster.features().ifPresent(features -> {
            if (isExactlyOnce) {
                check(
                        features,
                        TRANSACTIONS,
                        SAFE,
                        "below that, a transaction's end that arrives late ends the next one in its midst, and transitions"
                                + " are lost or published twice",
                        "upgrade the brokers to Kafka 4.0 or later, and then: ",
                        findings);
            }
            if (needsStreamsGroups) {
                check(
                        features,
                        STREAMS_GROUPS,
                        1,
                        "else the brokers have no groups for kafka.group.protocol=streams",
                        "upgrade the brokers to Kafka 4.2 or later, and then: ",
                        findings);
            }
        });
        return findings;
    }

    private static void check(
            Features features, String feature, int least, String why, String before, List<Finding> findings) {
        int level = features.inForce().getOrDefault(feature, 0);
        if (level < least) {
            boolean isOffered = features.supported().getOrDefault(feature, 0) >= least;
            findings.add(Finding.refused(
                    "",
                    feature,
                    Integer.toString(level),
                    Integer.toString(least),
                    why,
                    new Upgrade(isOffered ? "" : before, feature, least)));
        }
    }
}
