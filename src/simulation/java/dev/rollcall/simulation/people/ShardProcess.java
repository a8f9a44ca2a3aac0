package dev.rollcall.simulation.people;

import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.StatusText;
import org.jspecify.annotations.Nullable;

/** A process of a shard, from its start to its end: it tells the brokers what its devices and users do, and that it lives. */
sealed interface ShardProcess permits ByHand, WithPublisher {
    /** Its session's name. */
    String session();

    /** How long it may not hear from a device that polls. */
    long pollLeaseMs();

    /** A device connects or comes back; {@code state} null: it names none. */
    void opened(Device device, @Nullable PresenceState state);

    /** A device that has no session is still there. */
    void polled(Device device);

    void stateSet(Device device, PresenceState state);

    /**
     * A connection has closed.
     *
     * @param isLast no other of the device has been opened since
     * @return whether the device is gone from here
     */
    boolean closed(Device device, boolean isLast);

    /** A heartbeat as it is. */
    void heartbeat(byte[] user, Heartbeat heartbeat);

    void status(byte[] user, StatusText text, @Nullable Heartbeat carried);

    void appearOffline(byte[] user, boolean on, Runnable whenAcknowledged);

    /** Another partition cannot be reached, or all can again. */
    void reachabilityChanged();

    /** What it sends is not late any more. */
    void calm();

    void pause();

    void goOn();

    /** Ends for good, in good order. */
    void end();

    /** Ends without a word, or with no more than a successor needs. */
    void vanish();

    /** What had been replaced speaks of a device that it held. */
    void speakAsZombie(Device device, boolean closed);

    /** It will be replaced at once, and goes on beside its successor then. */
    void goOnAsZombie(long inMs, long forMs);
}
