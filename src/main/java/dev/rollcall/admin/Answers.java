package dev.rollcall.admin;

import dev.rollcall.config.ConfigException;
import dev.rollcall.contract.Principal;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.SslAuthenticationException;
import org.jspecify.annotations.Nullable;

/** Waits for what the cluster answers, and tells the operator what it means. */
public final class Answers {
    static final Duration TIMEOUT = Duration.ofSeconds(60);

    private final String principal;

    /** @param kafka the settings of all Kafka clients, which name the principal */
    public Answers(Map<String, String> kafka) {
        principal = Principal.of(kafka);
    }

    /**
     * Waits for an answer.
     *
     * @throws ClusterException if there is none within a minute
     */
    public <T> T await(Future<T> future) throws ExecutionException {
        try {
            return future.get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw new ClusterException("no answer from the Kafka cluster for %d s: is bootstrap.servers right?"
                    .formatted(TIMEOUT.toSeconds()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ClusterException("interrupted while asking the Kafka cluster");
        }
    }

    /** What to throw when something cannot be done. {@code right}: operation and resource, as "Describe on the topic presence". */
    RuntimeException failed(String what, String right, ExecutionException e) {
        @Nullable Throwable cause = e.getCause();
        if (cause instanceof AuthorizationException) {
            return new ConfigException(denied(what, right));
        } else if (cause instanceof SslAuthenticationException) {
            return new ConfigException(
                    "%s: no TLS connection to the cluster: %s. Do kafka.ssl.truststore.* trust who signed its certificates, and has it that of kafka.ssl.keystore.*?"
                            .formatted(what, cause.getMessage()));
        } else if (cause instanceof AuthenticationException) {
            return new ConfigException(
                    "%s: the cluster does not accept %s: %s".formatted(what, principal, cause.getMessage()));
        }
        return new ClusterException("%s: %s".formatted(what, cause));
    }

    String denied(String what, String right) {
        return "%s: %s lacks the right %s; \"rollcall acls --principal %s\" prints what is needed"
                .formatted(what, principal, right, principal);
    }
}
