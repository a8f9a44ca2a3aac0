package dev.rollcall.app;

import dev.rollcall.client.PresencePublisher;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.domain.UserId;
import dev.rollcall.registry.Registry;
import dev.rollcall.text.Printable;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** Holds connections in a session, as a shard with WebSockets does (rule 14). */
@Command(
        name = "hold",
        description = "Holds connections of a user's devices open, as a homeserver shard does, until Ctrl-C.",
        mixinStandardHelpOptions = true)
final class HoldCommand implements Callable<Integer> {
    @ParentCommand
    private Main main = new Main();

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Parameters(index = "0", paramLabel = "USER")
    private String user = "";

    @Parameters(index = "1..*", arity = "1..*", paramLabel = "DEVICE")
    private List<String> devices = List.of();

    @Option(names = "--shard", paramLabel = "NAME", description = "The shard's name (default: ${DEFAULT-VALUE}).")
    private String shard = "hold";

    @Option(
            names = "--hand-over",
            description =
                    "With Ctrl-C the shard goes for a restart: started again in time, its devices have never left.")
    private boolean handOver;

    @Override
    public Integer call() throws InterruptedException {
        RollcallConfig config = main.config();
        String bootstrapServers = Main.clientServers(config);
        PrintWriter out = spec.commandLine().getOut();
        PresencePublisher publisher = PresencePublisher.forShard(shard)
                .topics(Registry.topics(config))
                .start(KafkaSettings.producer(config, bootstrapServers));
        Runtime.getRuntime()
                .addShutdownHook(new Thread(handOver ? publisher::handOver : publisher::close, "hold-stop"));
        UserId id = UserId.of(user);
        CompletableFuture<Void> opened = CompletableFuture.allOf(
                devices.stream().map(device -> publisher.opened(id, device)).toArray(CompletableFuture<?>[]::new));
        SendCommand.await(opened, "opened", bootstrapServers);
        out.printf("%s holds %d of %s; Ctrl-C ends that%n", Printable.of(shard), devices.size(), Printable.of(user));
        out.flush();
        new CountDownLatch(1).await();
        return 0;
    }
}
