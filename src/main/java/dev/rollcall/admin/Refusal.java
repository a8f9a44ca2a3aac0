package dev.rollcall.admin;

import dev.rollcall.config.ConfigException;
import dev.rollcall.config.RollcallConfig;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.GroupAuthorizationException;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.errors.InconsistentGroupProtocolException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.errors.TransactionalIdAuthorizationException;

/** What a broker's refusal means: which principal lacks which right on what. */
public final class Refusal {
    private Refusal() {}

    /** The refusal among the causes, as one line that the operator can act on; empty: there is none. */
    public static Optional<ConfigException> among(Throwable failure, RollcallConfig config) {
        return Stream.iterate(failure, Objects::nonNull, Throwable::getCause)
                .map(cause -> refusal(cause, config))
                .flatMap(Optional::stream)
                .findFirst()
                .map(ConfigException::new);
    }

    private static Optional<String> refusal(Throwable cause, RollcallConfig config) {
        if (cause instanceof AuthorizationException) {
            return Optional.of(
                    new Answers(config.kafka()).denied("the brokers refuse", right(cause, config.applicationId())));
        } else if (cause instanceof InconsistentGroupProtocolException || cause instanceof GroupIdNotFoundException) {
            return Optional.of(
                    "the group %s has members with another kafka.group.protocol than %s: all instances have to be stopped before the first one starts with it (%s)"
                            .formatted(
                                    config.applicationId(),
                                    config.kafka().getOrDefault("group.protocol", "classic"),
                                    cause.getMessage()));
        }
        return Optional.empty();
    }

    private static String right(Throwable refusal, String applicationId) {
        if (refusal instanceof GroupAuthorizationException group) {
            return "Read on the group " + group.groupId();
        } else if (refusal instanceof TopicAuthorizationException topic
                && !topic.unauthorizedTopics().isEmpty()) {
            return "Read or Write on the topic " + String.join(", ", topic.unauthorizedTopics());
        } else if (refusal instanceof TransactionalIdAuthorizationException) {
            return "Write on the transactional ids that begin with %s-".formatted(applicationId);
        }
        return String.valueOf(refusal.getMessage());
    }
}
