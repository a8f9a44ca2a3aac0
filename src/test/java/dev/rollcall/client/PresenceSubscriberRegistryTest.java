package dev.rollcall.client;

import static dev.rollcall.domain.PresenceState.ONLINE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.client.PresenceSubscriber.Options;
import dev.rollcall.domain.Presence;
import dev.rollcall.wire.FakeRegistry;
import dev.rollcall.wire.Registered;
import dev.rollcall.wire.Topics;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A subscriber whose records are in a registry's format. */
@Timeout(30)
class PresenceSubscriberRegistryTest {
    private final FakeRegistry registry = new FakeRegistry();
    private final PresenceSubscriberContext context = new PresenceSubscriberContext(1, Options.inGroup("push"));
    private byte[] registered;

    @BeforeEach
    void start() {
        registered = Topics.ofContract(Registered.readingAndWriting(registry))
                .presence()
                .values()
                .serializer()
                .serialize("presence", new Presence(ONLINE, null, null, 1000, null, 1));
        context.registry(registry);
        context.startAndPoll();
    }

    @Test
    void shouldDeliverBothFormatsInTheirOrder() {
        context.publish("alice", ONLINE);
        context.append(0, "bob", registered, 1000);
        context.publish("carol", ONLINE);
        context.poll();

        context.expectDelivered("CHANGE alice ->ONLINE #1", "CHANGE bob ->ONLINE #1", "CHANGE carol ->ONLINE #1");
    }

    @Test
    void shouldParkNothingAndGoOnInOrderWhenTheRegistryWasAway() {
        registry.goAway("Connection refused");
        context.publish("alice", ONLINE);
        context.append(0, "bob", registered, 1000);
        context.publish("carol", ONLINE);
        context.poll();
        context.expectDelivered("CHANGE alice ->ONLINE #1");
        assertThat(context.subscriber().waitsFor())
                .hasValueSatisfying(what -> assertThat(what).contains("schema", "Connection refused"));

        registry.comeBack();
        context.sleep(999);
        context.expectDelivered();
        context.sleep(1001);
        context.expectDelivered("CHANGE bob ->ONLINE #1", "CHANGE carol ->ONLINE #1");
        assertThat(context.parked()).isEmpty();
        assertThat(context.subscriber().waitsFor()).isEmpty();
    }

    @Test
    void shouldCommitNothingBehindARecordThatWaits() {
        registry.goAway("Connection refused");
        context.append(0, "bob", registered, 1000);
        context.publish("carol", ONLINE);
        context.poll();
        context.sleep(60_000);
        context.stop();

        assertThat(context.committed(0)).isZero();
    }

    @Test
    void shouldParkWhatTheRegistryDoesNotKnow() {
        context.append(0, "bob", new byte[] {0, 0, 0, 0x12, 0x67, 1}, 1000);
        context.publish("carol", ONLINE);
        context.poll();

        context.expectDelivered("CHANGE carol ->ONLINE #1");
        assertThat(context.parked())
                .singleElement()
                .satisfies(parked ->
                        assertThat(parked.failure()).hasMessageContaining("schema 4711 is not in the registry"));
    }
}
