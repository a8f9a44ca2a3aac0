package dev.rollcall.gateway;

import dev.rollcall.domain.RoutingView;
import dev.rollcall.domain.RoutingView.RoutedDevice;
import dev.rollcall.domain.UserId;
import dev.rollcall.wire.Inbound;
import dev.rollcall.wire.Inbound.AppearOffline;
import dev.rollcall.wire.Topics;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What others may not see of a user, for the user's own devices and for services: whether the user appears offline, and the
 * live devices. The flag is read from the topic {@code appear-offline}, of which only the users who are hidden are kept; the
 * devices from {@code presence-routing}, where it is written. Thread-safe.
 */
public final class OwnState implements AutoCloseable {
    private final LatestValues<Inbound, Boolean> hidden = new LatestValues<>(
            "the topic of who appears offline",
            value -> Optional.of(value.content() instanceof AppearOffline flag && flag.appearOffline())
                    .filter(isHidden -> isHidden));
    private final TopicReader hiddenReader;

    private final LatestValues<RoutingView, List<RoutedDevice>> devices = new LatestValues<>(
            "the topic of live devices", view -> Optional.of(view.devices()).filter(all -> !all.isEmpty()));
    private final @Nullable TopicReader devicesReader;

    /**
     * Starts reading.
     *
     * @param settings of a Kafka consumer; {@code bootstrap.servers} is required
     * @param withDevices whether the topic {@code presence-routing} is written
     * @param onDead as of a {@link TopicReader}
     */
    public OwnState(Topics topics, Map<String, ?> settings, boolean withDevices, Consumer<Throwable> onDead) {
        hiddenReader = new TopicReader(topics.appearOffline(), settings, hidden, onDead);
        devicesReader = withDevices ? new TopicReader(topics.routing(), settings, devices, onDead) : null;
    }

    /**
     * Whether the user wants to appear offline, as it was last written.
     *
     * @throws UnavailableException while the topic is not read to its end
     */
    public boolean appearsOffline(UserId user) {
        return hidden.of(user).isPresent();
    }

    /**
     * The user's live devices, as they were at the user's last change; empty: nobody writes them down.
     *
     * @throws UnavailableException while the topic is not read to its end
     */
    public Optional<List<RoutedDevice>> devices(UserId user) {
        return devicesReader == null
                ? Optional.empty()
                : Optional.of(devices.of(user).orElse(List.of()));
    }

    /** Ends reading, and waits up to 15 s for that. */
    @Override
    public void close() {
        hiddenReader.close();
        if (devicesReader != null) {
            devicesReader.close();
        }
    }
}
