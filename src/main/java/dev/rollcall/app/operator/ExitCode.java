package dev.rollcall.app.operator;

import dev.rollcall.admin.ClusterException;
import dev.rollcall.config.ConfigException;
import java.util.Objects;
import java.util.stream.Stream;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.streams.errors.MissingSourceTopicException;

/** What the process ends with, by BSD's sysexits.h: whether it helps to start again, and who can help if it does not. */
public final class ExitCode {
    /** The command line is wrong. */
    public static final int USAGE = 64;

    /** The cluster is not there, or a topic is gone: it may help to start again later. */
    public static final int CLUSTER = 69;

    /** What is stored cannot be used, or the program has an error. */
    public static final int DATA = 70;

    /** The settings, the topics' or the rights are wrong: an operator has to correct them. */
    public static final int CONFIGURATION = 78;

    private ExitCode() {}

    /** By the first of the causes that tells. */
    public static int of(Throwable failure) {
        if (failure instanceof IllegalArgumentException) { // an id that there cannot be, given as an argument
            return USAGE;
        }
        return Stream.iterate(failure, Objects::nonNull, Throwable::getCause)
                .mapToInt(ExitCode::ofOne)
                .filter(code -> code != 0)
                .findFirst()
                .orElse(DATA);
    }

    private static int ofOne(Throwable cause) {
        if (cause instanceof ConfigException
                || cause instanceof org.apache.kafka.common.config.ConfigException
                || cause instanceof AuthorizationException
                || cause instanceof AuthenticationException
                || isAClientThatCannotBeCreated(cause)) {
            return CONFIGURATION;
        } else if (cause instanceof ClusterException
                || cause instanceof RetriableException
                || cause instanceof MissingSourceTopicException) {
            return CLUSTER;
        }
        return 0;
    }

    /** For a keystore that is not there, or a login that makes no sense. */
    private static boolean isAClientThatCannotBeCreated(Throwable cause) {
        return cause.getClass().equals(KafkaException.class)
                && String.valueOf(cause.getMessage()).startsWith("Failed to c");
    }
}
