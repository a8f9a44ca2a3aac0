package dev.rollcall.real;

import static dev.rollcall.real.RealContext.await;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.domain.PresenceState;
import dev.rollcall.embedded.EmbeddedBroker;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What an operator unpacks, started from another directory, on the oldest Java that it promises and on the newest here. */
@Tag("other-language")
@Timeout(300)
class DistributionIT {
    /**
     * Of Rollcall's log, not a warning of the JVM. The log itself has one where topics have one replica, as here, and on a machine
     * that is very busy the embedded broker's controller says at ERROR that it is.
     */
    private static final String LOG_LINE = "\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d\\.\\d{3} (INFO|WARN|ERROR) .*";

    /** A user's state does not belong into the system's temporary directory, but a test's does. */
    private static final String OPTIONS = "-XX:TieredStopAtLevel=1"
            + " -Dorg.slf4j.simpleLogger.log.org.apache.kafka.streams.processor.internals.StateDirectory=error";

    @TempDir
    private static Path dir;

    /** The unpacked distribution, in a directory whose name has a space. */
    private static Path home;

    private static EmbeddedBroker cluster;

    @BeforeAll
    static void unpack() throws Exception {
        Path place = Files.createDirectories(dir.resolve("a place"));
        Path archive = only(Path.of("target"), "rollcall-.*\\.tar\\.gz");
        Process tar = new ProcessBuilder("tar", "xzf", archive.toAbsolutePath().toString())
                .directory(place.toFile())
                .inheritIO()
                .start();
        assertThat(tar.waitFor()).isZero();
        home = only(place, "rollcall-.*");
        cluster = EmbeddedBroker.start(dir.resolve("cluster"), 0);
        assertThat(run(thisJava(), "topics", "create", "--set", bootstrap(), "--set", "topic.partitions=4")
                        .code())
                .isZero();
    }

    @AfterAll
    static void stop() {
        if (cluster != null) {
            cluster.close();
        }
    }

    static List<Path> javas() throws IOException {
        List<Path> javas = new ArrayList<>(List.of(thisJava()));
        Path installed = Path.of("/usr/lib/jvm");
        if (Files.isDirectory(installed)) {
            try (Stream<Path> all = Files.list(installed)) {
                all.filter(java -> Files.isExecutable(java.resolve("bin/java")))
                        .filter(java -> release(java) >= 24)
                        .findFirst()
                        .ifPresent(javas::add);
            }
        }
        if (javas.stream().noneMatch(java -> release(java) >= 24)) {
            System.out.println("NOT RUN: the distribution on Java 25, which is not in " + installed);
        }
        return javas;
    }

    @ParameterizedTest
    @MethodSource("javas")
    void shouldPrintNothingOnStandardErrorWhenAllIsWell(Path java) throws Exception {
        for (List<String> command : List.of(
                List.of("--version"),
                List.of("--help"),
                List.of("topology"),
                List.of("acls", "--principal", "User:rollcall"),
                List.of("topics", "create", "--dry-run", "--set", bootstrap()),
                List.of("check", "--set", bootstrap()))) {
            Outcome outcome = run(java, command.toArray(String[]::new));

            assertThat(outcome.err()).as("%s on %s", command, java).isEmpty();
            assertThat(outcome.out()).as("%s on %s", command, java).isNotBlank();
            assertThat(outcome.code()).as("%s on %s", command, java).isZero();
        }
    }

    @ParameterizedTest
    @MethodSource("javas")
    void shouldJoinAClusterAndStopInGoodOrder(Path java) throws Exception {
        String user = "@on" + release(java) + ":example.org";
        try (Started rollcall = start(java, "run", "--set", bootstrap(), "--set", "http.port=0");
                RealContext kafka = new RealContext(cluster.bootstrapServers())) {
            rollcall.awaitReady();
            assertThat(rollcall.out())
                    .contains("joined the Kafka cluster on " + cluster.bootstrapServers())
                    .contains("  '" + home.resolve("bin/rollcall") + "' watch --set " + bootstrap());
            kafka.heartbeat(user, "phone", PresenceState.IDLE);
            assertThat(kafka.awaitEmitted(user, 1).state()).isEqualTo(PresenceState.IDLE);

            rollcall.process.destroy();
            assertThat(rollcall.process.waitFor(30, TimeUnit.SECONDS)).isTrue();
            assertThat(rollcall.process.exitValue()).isEqualTo(143);
            assertThat(rollcall.err().lines()).allMatch(line -> line.matches(LOG_LINE));
        }
    }

    @ParameterizedTest
    @MethodSource("javas")
    void shouldRunItsOwnBrokerWhenNoClusterIsGiven(Path java) throws Exception {
        try (Started rollcall = start(java, "--set", "embedded.kafka.port=0", "--set", "http.port=0")) {
            rollcall.awaitReady();
            assertThat(rollcall.out()).contains("its own Kafka broker");
            assertThat(rollcall.err().lines()).allMatch(line -> line.matches(LOG_LINE));
        }
    }

    @Test
    void shouldNeedTheEmbeddedBrokersJarsForNothingElse() throws Exception {
        Path embedded = home.resolve("lib/embedded");
        Path away = Files.move(embedded, dir.resolve("away"));
        try {
            Outcome alone = run(thisJava(), "run", "--set", "http.port=");
            assertThat(alone.code()).isEqualTo(78);
            assertThat(alone.err().lines()).hasSize(1);
            assertThat(alone.err()).contains("bootstrap.servers").contains("lib/embedded");

            assertThat(run(thisJava(), "check", "--set", bootstrap()).code()).isZero();
            try (Started rollcall = start(thisJava(), "run", "--set", bootstrap(), "--set", "http.port=0")) {
                rollcall.awaitReady();
                assertThat(rollcall.err().lines()).allMatch(line -> line.matches(LOG_LINE));
            }
        } finally {
            Files.move(away, embedded);
        }
    }

    /** As docs/operations.md tells. */
    @Test
    void shouldWriteJsonWhenLogbackTakesThePlaceOfTheSimpleLog() throws Exception {
        Path simple = only(home.resolve("lib"), "slf4j-simple-.*");
        Path away = Files.move(simple, dir.resolve("slf4j-simple.jar"));
        List<Path> added = new ArrayList<>();
        try (Stream<Path> logback = Files.list(Path.of("target/logback"))) {
            for (Path jar : logback.toList()) {
                added.add(Files.copy(jar, home.resolve("lib").resolve(jar.getFileName())));
            }
        }
        Path settings = Files.writeString(dir.resolve("logback.xml"), """
                <configuration>
                  <appender name="json" class="ch.qos.logback.core.ConsoleAppender">
                    <encoder class="ch.qos.logback.classic.encoder.JsonEncoder"/>
                  </appender>
                  <logger name="dev.rollcall" level="INFO"/>
                  <root level="WARN"><appender-ref ref="json"/></root>
                </configuration>
                """);
        try (Started rollcall = start(
                Map.of("JAVA_OPTS", OPTIONS + " -Dlogback.configurationFile=" + settings),
                thisJava(),
                "run",
                "--set",
                bootstrap())) {
            rollcall.awaitReady();
            assertThat(rollcall.out().lines().filter(line -> line.startsWith("{")))
                    .isNotEmpty()
                    .allSatisfy(
                            line -> assertThat(HttpContext.MAPPER.readTree(line).has("loggerName"))
                                    .isTrue());
            assertThat(rollcall.err()).isEmpty();
        } finally {
            for (Path jar : added) {
                Files.delete(jar);
            }
            Files.move(away, simple);
        }
    }

    @Test
    void shouldSayWhichJavaItNeedsWhenThereIsNone() throws Exception {
        Outcome tooOld = run(fakeJava("1.8.0_402"), "--version");
        assertThat(tooOld.code()).isEqualTo(78);
        assertThat(tooOld.err()).contains("Java 17 or later is needed").contains(" is 1:");
        assertThat(run(fakeJava("16.0.2"), "--version").code()).isEqualTo(78);

        Outcome none = run(dir.resolve("nowhere"), "--version");
        assertThat(none.code()).isEqualTo(78);
        assertThat(none.err()).contains("there is no Java at " + dir.resolve("nowhere"));
    }

    @Test
    void shouldPassOnWhatItIsGivenWhenItIsCalledByALink() throws Exception {
        Path link = Files.createSymbolicLink(dir.resolve("a link"), home.resolve("bin/rollcall"));
        Outcome outcome = outcome(builder(Map.of("JAVA_OPTS", "-Xmx77m -Da=*"), fakeJava("17.0.1"), link, "a b", "*"));

        assertThat(outcome.out().lines())
                .containsSubsequence(
                        "-XX:MaxRAMPercentage=60",
                        "-Xmx77m",
                        "-Da=*",
                        "-Drollcall.command=" + link,
                        "-cp",
                        home.resolve("lib") + "/*:" + home.resolve("lib/embedded") + "/*",
                        "dev.rollcall.app.Main",
                        "a b",
                        "*")
                .doesNotContain("--enable-native-access=ALL-UNNAMED");
    }

    @Test
    void shouldTakeTheCollectorOfTheOperatorAlone() throws Exception {
        Path launcher = home.resolve("bin/rollcall");
        for (String collector : List.of("-XX:+UseSerialGC", "-Xmx77m -XX:+UseParallelGC")) {
            Outcome outcome =
                    outcome(builder(Map.of("JAVA_OPTS", collector), fakeJava("17.0.1"), launcher, "--version"));

            assertThat(outcome.out()).contains(collector.replace(' ', '\n')).doesNotContain("-XX:+UseG1GC");
        }
        Map<String, String> serial = Map.of("JAVA_OPTS", OPTIONS + " -XX:+UseSerialGC");
        assertThat(outcome(builder(serial, thisJava(), launcher, "--version")).code())
                .isZero();
        assertThat(outcome(builder(Map.of("JAVA_OPTS", "-XX:+UseStringDeduplication"), fakeJava("17.0.1"), launcher))
                        .out())
                .contains("-XX:+UseG1GC");
    }

    @Test
    void shouldHaveAllThatItsBookLinksTo() throws Exception {
        Pattern link = Pattern.compile("]\\((?![a-z]+:|#)([^)#]+)");
        try (Stream<Path> files = Files.walk(home)) {
            for (Path page :
                    files.filter(file -> file.toString().endsWith(".md")).toList()) {
                assertThat(link.matcher(Files.readString(page)).results().map(found -> found.group(1)))
                        .as("%s", page)
                        .allMatch(target -> Files.exists(page.resolveSibling(target)));
            }
        }
    }

    @Test
    void shouldBeAUnitThatSystemdTakes() throws Exception {
        if (!Files.isExecutable(Path.of("/usr/bin/systemd-analyze"))) {
            System.out.println("NOT RUN: systemd's check of its unit, for there is no systemd-analyze");
            return;
        }
        String unit = Files.readString(home.resolve("config/systemd/rollcall.service"))
                .replace("ExecStart=/opt/rollcall/bin/rollcall", "ExecStart=\"" + home.resolve("bin/rollcall") + "\"");
        Path file = Files.writeString(dir.resolve("rollcall.service"), unit);
        Outcome outcome = outcome(new ProcessBuilder("/usr/bin/systemd-analyze", "verify", file.toString()));

        assertThat(outcome.err()).doesNotContain("rollcall.service");
        assertThat(outcome.code()).isZero();
    }

    private static Path thisJava() {
        return Path.of(System.getProperty("java.home"));
    }

    private static String bootstrap() {
        return "bootstrap.servers=" + cluster.bootstrapServers();
    }

    /** The feature release, by the file that each Java has in its directory. */
    static int release(Path java) {
        try {
            return Files.readAllLines(java.resolve("release")).stream()
                    .filter(line -> line.startsWith("JAVA_VERSION="))
                    .mapToInt(line -> Integer.parseInt(line.replaceAll("JAVA_VERSION=\"(\\d+).*", "$1")))
                    .findFirst()
                    .orElse(0);
        } catch (IOException e) {
            return 0;
        }
    }

    /** One that prints its version as this, and else its arguments, each on a line. */
    private static Path fakeJava(String version) throws IOException {
        Path bin = Files.createDirectories(dir.resolve("java-" + version).resolve("bin"));
        Path java = Files.writeString(bin.resolve("java"), """
                #!/bin/sh
                if [ "$1" = -version ]; then echo 'openjdk version "%s" 2021-01-01' >&2; else printf '%%s\\n' "$@"; fi
                """.formatted(version));
        assertThat(java.toFile().setExecutable(true)).isTrue();
        return bin.getParent();
    }

    private static Path only(Path directory, String name) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            List<Path> found = files.filter(
                            file -> file.getFileName().toString().matches(name))
                    .toList();
            assertThat(found).as("%s in %s, by mvn package", name, directory).hasSize(1);
            return found.get(0);
        }
    }

    private record Outcome(int code, String out, String err) {}

    private static Outcome run(Path java, String... arguments) throws Exception {
        return outcome(builder(Map.of("JAVA_OPTS", OPTIONS), java, home.resolve("bin/rollcall"), arguments));
    }

    private static Outcome outcome(ProcessBuilder builder) throws Exception {
        try (Started started = new Started(builder)) {
            assertThat(started.process.waitFor(RealContext.TIMEOUT.toSeconds(), TimeUnit.SECONDS))
                    .isTrue();
            return new Outcome(started.process.exitValue(), started.out(), started.err());
        }
    }

    private static Started start(Path java, String... arguments) throws IOException {
        return start(Map.of("JAVA_OPTS", OPTIONS), java, arguments);
    }

    private static Started start(Map<String, String> environment, Path java, String... arguments) throws IOException {
        ProcessBuilder builder = builder(environment, java, home.resolve("bin/rollcall"), arguments);
        builder.environment()
                .put("ROLLCALL_DATA_DIR", Files.createTempDirectory(dir, "data").toString());
        return new Started(builder);
    }

    private static ProcessBuilder builder(
            Map<String, String> environment, Path java, Path program, String... arguments) {
        List<String> command = new ArrayList<>(List.of(program.toString()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment()
                .keySet()
                .removeIf(variable -> variable.startsWith("ROLLCALL_") || variable.startsWith("JAVA_"));
        builder.environment().putAll(environment);
        builder.environment().put("JAVA_HOME", java.toString());
        return builder;
    }

    /** A process in a directory of its own. */
    private static final class Started implements AutoCloseable {
        private final Process process;
        private final Path files;

        private Started(ProcessBuilder builder) throws IOException {
            files = Files.createTempDirectory(dir, "process");
            process = builder.directory(files.toFile())
                    .redirectOutput(files.resolve("out").toFile())
                    .redirectError(files.resolve("err").toFile())
                    .start();
        }

        private void awaitReady() {
            await().alias("it is ready")
                    .atMost(RealContext.TIMEOUT)
                    .pollInterval(Duration.ofMillis(100))
                    .failFast("it has ended", () -> !process.isAlive())
                    .until(() -> out().contains("Rollcall is ready"));
        }

        private String out() throws IOException {
            return Files.readString(files.resolve("out"));
        }

        private String err() throws IOException {
            return Files.readString(files.resolve("err"));
        }

        @Override
        public void close() {
            process.destroyForcibly();
            try {
                process.waitFor();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
