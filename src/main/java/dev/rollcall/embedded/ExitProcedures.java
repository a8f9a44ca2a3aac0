package dev.rollcall.embedded;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.apache.kafka.common.utils.Exit;

/**
 * Replaces Kafka's procedures that end the process by a call to the brokers that run in it.
 *
 * <p>Most fatal faults come through a broker's own fault handlers. A few, such as a failed log directory or request handler,
 * end the process directly, through one pair of procedures for the whole JVM. These do not know the broker, so every running
 * broker is told. Kafka's code expects that they do not return, so they throw.
 */
final class ExitProcedures {
    private static final List<Consumer<String>> brokers = new ArrayList<>();

    private ExitProcedures() {}

    static synchronized void divertTo(Consumer<String> broker) {
        if (brokers.isEmpty()) {
            Exit.setHaltProcedure((status, message) -> tellBrokers("halt", status));
            Exit.setExitProcedure((status, message) -> tellBrokers("exit", status));
        }
        brokers.add(broker);
    }

    /** With the last broker, restores Kafka's defaults; {@link Exit} cannot return what was set before. */
    static synchronized void restoreFrom(Consumer<String> broker) {
        brokers.remove(broker);
        if (brokers.isEmpty()) {
            Exit.setHaltProcedure((status, message) -> Runtime.getRuntime().halt(status));
            Exit.setExitProcedure((status, message) -> Runtime.getRuntime().exit(status));
        }
    }

    private static void tellBrokers(String how, int status) {
        String what = "Kafka asked to " + how + " the process with status " + status + " (the cause is logged above)";
        running().forEach(broker -> broker.accept(what));
        throw new IllegalStateException(what);
    }

    private static synchronized List<Consumer<String>> running() {
        return List.copyOf(brokers);
    }
}
