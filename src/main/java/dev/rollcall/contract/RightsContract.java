package dev.rollcall.contract;

import dev.rollcall.config.RollcallConfig;
import dev.rollcall.contract.Cluster.Topic;
import dev.rollcall.contract.Fix.Decide;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.jspecify.annotations.Nullable;

/** Whether the processor may do with the topics what it will do. */
final class RightsContract {
    /** What an instance goes on without; it needs the first to check, the others to make or to mend a changelog. */
    private static final Set<AclOperation> TO_CHECK =
            EnumSet.of(AclOperation.DESCRIBE_CONFIGS, AclOperation.ALTER_CONFIGS, AclOperation.CREATE);

    private final Map<ResourcePattern, Set<AclOperation>> needed;
    private final String principal;

    RightsContract(RollcallConfig config) {
        needed = Access.of(Role.PROCESSOR, config, "").rights();
        principal = Principal.of(config.kafka());
    }

    List<Finding> check(Cluster cluster) {
        List<Finding> findings = new ArrayList<>();
        needed.forEach((resource, operations) -> {
            @Nullable
            Topic topic = resource.resourceType() == ResourceType.TOPIC
                    ? cluster.topics().get(resource.name())
                    : null;
            if (topic == null || topic.rights().isEmpty()) {
                return;
            }
            Set<AclOperation> missing = EnumSet.copyOf(operations);
            missing.removeAll(topic.rights().get());
            missing.removeAll(TO_CHECK);
            if (!missing.isEmpty()) {
                findings.add(Finding.refused(
                        topic.name(),
                        "rights of " + principal,
                        "no " + join(missing),
                        join(missing),
                        "the processor could not go on",
                        new Decide(
                                "grant it", Access.TOOL, "--add " + Access.arguments(resource, missing, principal))));
            }
        });
        return findings;
    }

    private static String join(Set<AclOperation> operations) {
        return String.join(
                " and ", operations.stream().map(AclOperation::toString).toList());
    }
}
