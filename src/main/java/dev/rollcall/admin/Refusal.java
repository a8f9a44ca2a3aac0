package dev.rollcall.admin;

import dev.rollcall.config.ConfigException;
import dev.rollcall.config.RollcallConfig;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.GroupAuthorizationException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.errors.TransactionalIdAuthorizationException;

/** What a broker's refusal means: which principal lacks which right on what. */
public final class Refusal {
    private Refusal() {}

    /** The refusal among the causes, as one line that the operator can act on; empty: there is none. */
    public static Optional<ConfigException> among(Throwable failure, RollcallConfig config) {
        return Stream.iterate(failure, Objects::nonNull, Throwable::getCause)
                .filter(AuthorizationException.class::isInstance)
                .findFirst()
                .map(cause -> new ConfigException(new Answers(config.kafka())
                        .denied("the brokers refuse", right(cause, config.applicationId()))));
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
