package dev.rollcall.app;

import static org.assertj.core.api.Assertions.assertThat;

import org.apache.kafka.common.errors.InvalidTxnStateException;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.streams.errors.MissingSourceTopicException;
import org.apache.kafka.streams.errors.StreamsException;
import org.junit.jupiter.api.Test;

class RestartPolicyTest {
    private final StreamsException brokerFault =
            new StreamsException("Error encountered trying to commit", new InvalidTxnStateException("invalid state"));

    private final RestartPolicy policy = new RestartPolicy();

    @Test
    void shouldGoOnAfterWhatABrokerAnswered() {
        assertThat(policy.allows(brokerFault, 0)).isTrue();
    }

    @Test
    void shouldEndWhenANewThreadWouldFailTheSameWay() {
        assertThat(policy.allows(new StreamsException("state", new SerializationException("poison")), 0))
                .isFalse();
        assertThat(policy.allows(new MissingSourceTopicException("device-heartbeat"), 0))
                .isFalse();
        assertThat(policy.allows(new StreamsException("denied", new TopicAuthorizationException("presence")), 0))
                .isFalse();
        assertThat(policy.allows(new IllegalStateException("a defect"), 0)).isFalse();
    }

    @Test
    void shouldEndWhenItHappensAgainAndAgain() {
        for (int restart = 0; restart < RestartPolicy.RESTARTS; restart++) {
            assertThat(policy.allows(brokerFault, restart)).isTrue();
        }

        long stillWithin = RestartPolicy.WITHIN.toMillis();
        assertThat(policy.allows(brokerFault, stillWithin)).isFalse();
        assertThat(policy.allows(brokerFault, stillWithin + 1)).isTrue();
        assertThat(policy.allows(brokerFault, stillWithin + 1)).isFalse();
    }
}
