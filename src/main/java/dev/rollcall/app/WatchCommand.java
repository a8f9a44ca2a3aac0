package dev.rollcall.app;

import dev.rollcall.client.PresenceChange;
import dev.rollcall.client.PresenceSubscriber;
import dev.rollcall.client.PresenceSubscriber.Options;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.domain.Presence;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.registry.Registry;
import dev.rollcall.text.Printable;
import java.io.PrintWriter;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** Prints presence changes as they happen. */
@Command(name = "watch", description = "Prints presence changes as they happen.", mixinStandardHelpOptions = true)
final class WatchCommand implements Callable<Integer> {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("HH:mm:ss.SSS", Locale.ROOT).withZone(ZoneId.systemDefault());

    @ParentCommand
    private Main main = new Main();

    @Option(names = "--from-beginning", description = "Begins with the last state of all users.")
    private boolean fromBeginning;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() {
        RollcallConfig config = main.config();
        String bootstrapServers = Main.clientServers(config);
        PrintWriter out = spec.commandLine().getOut();
        Options options =
                fromBeginning ? Options.fullCopy() : Options.fullCopy().withoutSnapshot();
        try (PresenceSubscriber subscriber = new PresenceSubscriber(
                Registry.topics(config).presence(),
                KafkaSettings.consumer(config, bootstrapServers),
                options,
                change -> {
                    out.println(line(change));
                    out.flush();
                })) {
            Runtime.getRuntime().addShutdownHook(new Thread(subscriber::close, "watch-stop"));
            out.printf("watching %s on %s%n", config.topics().presence(), bootstrapServers);
            out.flush();
            subscriber.run();
        }
        return 0;
    }

    static String line(PresenceChange change) {
        String begin =
                "%s  %-32s ".formatted(TIME.format(Instant.ofEpochMilli(change.at())), Printable.of(change.user()));
        Presence presence = change.after();
        if (presence != null) {
            String text = presence.status() == null ? "" : "  \"" + Printable.of(presence.status()) + "\"";
            return begin
                    + Ansi.AUTO.string("@|%s %-7s|@".formatted(style(presence.state()), presence.state()))
                    + "  since " + TIME.format(Instant.ofEpochMilli(presence.since())) + text;
        }
        return begin + "forgotten";
    }

    private static String style(PresenceState state) {
        return switch (state) {
            case ONLINE -> "green";
            case IDLE -> "yellow";
            case OFFLINE -> "faint";
        };
    }
}
