package dev.rollcall.real;

import static dev.rollcall.domain.PresenceState.OFFLINE;
import static dev.rollcall.domain.PresenceState.ONLINE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.app.Rollcall;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.wire.Inbound;
import dev.rollcall.wire.Topics;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.utils.Utils;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A producer with librdkafka's default partitioner (CRC32): correct presence all the same. */
@Tag("other-language")
@Timeout(180)
class MisroutedIT {
    private static final List<String> USERS = RealContext.users("misrouted", 30);

    @TempDir
    private Path dir;

    @Test
    void shouldSayTheSameWhenHeartbeatsAreOnTheWrongPartitions() throws Exception {
        RollcallConfig config =
                RollcallConfig.of(RealContext.settings(dir.resolve("data"), "device.lease.ms", "40000"));
        try (Rollcall rollcall = Rollcall.start(config);
                RealContext context = new RealContext(rollcall.bootstrapServers())) {
            rollcall.awaitReady();
            byte[] value = RealContext.bytes(
                    Topics.ofContract().heartbeats(),
                    new Inbound.Beat(new Heartbeat("phone", ONLINE, false, OptionalLong.empty(), null)));
            Path file = Files.write(dir.resolve("heartbeat.avro"), value);
            for (String user : USERS) {
                kcat(rollcall, "-P", "-k", user, file.toString());
            }
            context.awaitState(USERS, ONLINE);
            // Another client of the same user, with the right partitioner: both must meet in one state.
            USERS.forEach(context::hide);
            context.awaitState(USERS, OFFLINE);
            USERS.forEach(context::unhide);
            context.awaitState(USERS, ONLINE);
            context.awaitState(USERS, OFFLINE); // once the lease is over
            context.assertHistoriesAreWhole();
            assertThat(usersAstray(rollcall))
                    .as("users whom CRC32 puts elsewhere")
                    .isNotEmpty();
            assertThat(USERS)
                    .allSatisfy(user -> assertThat(context.emitted(user)).hasSize(4));
        }
    }

    /** Those whose record kcat put on another partition than murmur2 does. */
    private List<String> usersAstray(Rollcall rollcall) throws Exception {
        return kcat(rollcall, "-q", "-C", "-e", "-f", "%k %p %h\n").stream()
                .map(line -> line.split(" ", 3))
                .filter(parts -> USERS.contains(parts[0]) && !parts[2].contains("rollcall.rerouted"))
                .filter(parts -> Integer.parseInt(parts[1]) != home(parts[0]))
                .map(parts -> parts[0])
                .toList();
    }

    private List<String> kcat(Rollcall rollcall, String... arguments) throws Exception {
        List<String> command =
                new ArrayList<>(List.of("kcat", "-b", rollcall.bootstrapServers(), "-t", "device-heartbeat"));
        command.addAll(List.of(arguments));
        Path out = dir.resolve("kcat.out");
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .redirectOutput(out.toFile())
                .start();
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).as("%s ends", command).isTrue();
        assertThat(process.exitValue()).as("%s", command).isZero();
        return Files.readAllLines(out, StandardCharsets.ISO_8859_1);
    }

    private static int home(String user) {
        return Utils.toPositive(Utils.murmur2(user.getBytes(StandardCharsets.UTF_8))) % RealContext.PARTITIONS;
    }
}
