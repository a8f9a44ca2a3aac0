package dev.rollcall.admin;

import dev.rollcall.config.ConfigException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.FeatureMetadata;
import org.apache.kafka.clients.admin.FinalizedVersionRange;
import org.apache.kafka.clients.admin.SupportedVersionRange;

/**
 * Which protocol of transactions the cluster speaks. Exactly once rests on it: below level 2 (KIP-890), a request that ends
 * one transaction and arrives late ends the producer's next one in its midst, and transitions are lost or published twice
 * (docs/guarantees.md, "Held transactions").
 */
public final class TransactionVersion {
    private static final String FEATURE = "transaction.version";
    private static final short SAFE = 2;

    private TransactionVersion() {}

    /**
     * Checks the level that is in force.
     *
     * @throws ConfigException if exactly once does not hold with it, with what to do; or if the cluster does not answer
     */
    public static void check(Admin admin, String bootstrapServers) {
        FeatureMetadata features;
        try {
            features = TopicSetup.await(admin.describeFeatures().featureMetadata());
        } catch (ExecutionException e) {
            throw new ConfigException("cannot read the features of the cluster: " + e.getCause());
        }
        refused(features.finalizedFeatures(), features.supportedFeatures(), bootstrapServers)
                .ifPresent(refused -> {
                    throw new ConfigException(refused);
                });
    }

    /** What is wrong, and what to do; empty: nothing. */
    static Optional<String> refused(
            Map<String, FinalizedVersionRange> inForce,
            Map<String, SupportedVersionRange> supported,
            String bootstrapServers) {
        FinalizedVersionRange range = inForce.get(FEATURE);
        short level = range == null ? 0 : range.maxVersionLevel(); // level 0 is not listed
        if (level >= SAFE) {
            return Optional.empty();
        }
        SupportedVersionRange offered = supported.get(FEATURE);
        String upgrade = offered == null || offered.maxVersion() < SAFE
                ? "upgrade the brokers to Kafka 4.0 or later, and then: "
                : "";
        return Optional.of(
                ("the cluster has %s=%d, and must have %d: below that, a transaction's end that arrives late ends"
                                + " the next one in its midst, and transitions are lost or published twice"
                                + "\n    fix: %skafka-features.sh --bootstrap-server %s upgrade --feature %s=%d")
                        .formatted(FEATURE, level, SAFE, upgrade, bootstrapServers, FEATURE, SAFE));
    }
}
