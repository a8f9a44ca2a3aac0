package dev.rollcall.app;

import dev.rollcall.admin.ClusterException;
import dev.rollcall.client.sending.EventSender;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserId;
import dev.rollcall.registry.Registry;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.apache.kafka.common.errors.AuthorizationException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** Sends one event, as a homeserver shard would. */
@Command(
        name = "send",
        description = "Sends one event, as a homeserver shard would.",
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "(heartbeat | status | appear-offline)")
final class SendCommand implements Runnable {
    private static final long TIMEOUT_SECONDS = 20;

    private enum OnOff {
        ON,
        OFF
    }

    @ParentCommand
    private Main main = new Main();

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Override
    public void run() {
        throw new picocli.CommandLine.ParameterException(
                spec.commandLine(), "give what to send: heartbeat, status or appear-offline");
    }

    @Command(description = "A device is alive, or its connection ended.", mixinStandardHelpOptions = true)
    int heartbeat(
            @Parameters(paramLabel = "USER") String user,
            @Parameters(paramLabel = "DEVICE") String device,
            @Option(
                            names = "--state",
                            paramLabel = "STATE",
                            description = "online, idle or offline; without it a live device keeps its state")
                    @Nullable
                    PresenceState state,
            @Option(names = "--closed", description = "The connection ended.") boolean closed,
            @Option(names = "--lease-ms", paramLabel = "MS", description = "How long this keeps the device alive.")
                    @Nullable
                    Long leaseMs,
            @Option(names = "--shard", paramLabel = "NAME", description = "The homeserver shard of the device.")
                    @Nullable
                    String shard) {
        OptionalLong lease = leaseMs == null ? OptionalLong.empty() : OptionalLong.of(leaseMs);
        Heartbeat heartbeat = new Heartbeat(device, state, closed, lease, shard);
        return send(sender -> sender.heartbeat(UserId.of(user), heartbeat));
    }

    @Command(description = "Sets or clears a user's text.", mixinStandardHelpOptions = true)
    int status(
            @Parameters(paramLabel = "USER") String user,
            @Parameters(paramLabel = "TEXT", arity = "0..1", description = "Without it the text is cleared.") @Nullable
                    String text,
            @Option(names = "--expires-in-ms", paramLabel = "MS", description = "When the text expires, from now.")
                    @Nullable
                    Long expiresInMs) {
        Long expiresAt = expiresInMs == null ? null : (Long) (System.currentTimeMillis() + expiresInMs);
        return send(sender -> sender.status(UserId.of(user), new StatusText(text, expiresAt)));
    }

    @Command(
            name = "appear-offline",
            description = "Shows a user OFFLINE whatever the devices do, or ends that.",
            mixinStandardHelpOptions = true)
    int appearOffline(@Parameters(paramLabel = "USER") String user, @Parameters(paramLabel = "on|off") OnOff flag) {
        return send(sender -> sender.appearOffline(UserId.of(user), flag == OnOff.ON));
    }

    private int send(Function<EventSender, CompletableFuture<Void>> event) {
        RollcallConfig config = main.config();
        String bootstrapServers = Main.clientServers(config);
        try (EventSender sender =
                new EventSender(Registry.topics(config), KafkaSettings.producer(config, bootstrapServers))) {
            await(event.apply(sender), "sent", bootstrapServers);
        }
        spec.commandLine().getOut().println("sent");
        return 0;
    }

    /** Waits until the brokers have it, at most 20 s. {@code done}: what is then done, for the error if it is not. */
    static void await(CompletableFuture<?> event, String done, String bootstrapServers) {
        try {
            event.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            throw new ClusterException("not %s: no answer from Kafka on %s for %d s; is Rollcall running there?"
                    .formatted(done, bootstrapServers, TIMEOUT_SECONDS));
        } catch (ExecutionException e) {
            if (e.getCause() instanceof AuthorizationException refused) {
                throw refused; // Main says which right is missing
            }
            throw new ClusterException("not %s: %s".formatted(done, e.getCause()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ClusterException("not %s: interrupted".formatted(done));
        }
    }
}
