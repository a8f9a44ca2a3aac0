package dev.rollcall.real;

import static dev.rollcall.real.RealContext.await;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.app.Rollcall;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.real.RealContext.Emitted;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarFile;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The artifact rollcall-client, as it is installed, in a project of its own that has the README's code. */
@Tag("other-language")
@Timeout(300)
class ClientArtifactIT {
    private static final Path REPOSITORY =
            Path.of(System.getProperty("localRepository", System.getProperty("user.home") + "/.m2/repository"));

    @TempDir
    private static Path dir;

    private static Path jar;

    /** What the project has on its class path beside its own classes: the client, and what that brings. */
    private static String classPath;

    private static Rollcall rollcall;

    @BeforeAll
    static void buildAProjectThatDependsOnIt() throws Exception {
        rollcall = Rollcall.start(
                RollcallConfig.of(RealContext.settings(dir.resolve("data"), "disconnect.grace.ms", "500")));
        settings();
        maven(Path.of("").toAbsolutePath(), "install:install-file@client");
        project();
        maven(
                dir,
                "compile",
                "dependency:list",
                "dependency:build-classpath",
                "-DoutputFile=dependencies.txt",
                "-Dmdep.outputFile=classpath.txt");
        classPath = Files.readString(dir.resolve("classpath.txt")).strip();
        jar = Stream.of(classPath.split(":"))
                .map(Path::of)
                .filter(path -> path.getFileName().toString().startsWith("rollcall-client"))
                .findFirst()
                .orElseThrow();
    }

    @AfterAll
    static void stop() {
        if (rollcall != null) {
            rollcall.close();
        }
    }

    @Test
    void shouldSendAndReadPresenceWhenTheCodeIsTheReadmes() throws Exception {
        rollcall.awaitReady();
        Path output = dir.resolve("output.txt");
        Process program = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        dir.resolve("target/classes") + ":" + classPath,
                        "Readme")
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        try (RealContext kafka = new RealContext(rollcall.bootstrapServers())) {
            await().alias("the user who has logged out is offline")
                    .atMost(RealContext.TIMEOUT)
                    .failFast("the program has ended", () -> !program.isAlive())
                    .until(() -> {
                        Emitted last = kafka.lastEmitted("@bob:example.org");
                        return last != null && last.state() == PresenceState.OFFLINE;
                    });
            await().alias("the text of the user who appears offline")
                    .atMost(RealContext.TIMEOUT)
                    .until(() -> {
                        Emitted last = kafka.lastEmitted("@alice:example.org");
                        return last != null && "at lunch".equals(last.presence().status());
                    });
            await().alias("the subscriber has printed it")
                    .atMost(RealContext.TIMEOUT)
                    .untilAsserted(() -> assertThat(Files.readString(output))
                            .containsPattern("@bob:example\\.org: (ONLINE|IDLE) -> Presence\\[state=OFFLINE")
                            .containsPattern("@alice:example\\.org: .*status=at lunch"));
        } finally {
            program.destroy();
        }
        assertThat(Files.readString(output)).doesNotContain("Exception");
    }

    @Test
    void shouldBringTheseAndNothingElse() throws Exception {
        List<String> brought = Files.readAllLines(dir.resolve("dependencies.txt")).stream()
                .map(line -> line.replaceAll("\u001b\\[[0-9;]*m", "")
                        .replaceAll(" -- .*", "")
                        .strip())
                .filter(line -> line.contains(":"))
                .filter(line -> !line.startsWith("dev.rollcall:") && !line.startsWith("The following"))
                .toList();

        assertThat(brought)
                .containsExactlyInAnyOrderElementsOf(
                        Files.readAllLines(Path.of("src/test/resources/client-dependencies.txt")));
    }

    @Test
    void shouldReferToNothingThatIsNotThere() {
        StringWriter missing = new StringWriter();
        PrintWriter out = new PrintWriter(missing, true);
        int code = ToolProvider.findFirst("jdeps")
                .orElseThrow()
                .run(out, out, "--multi-release", "17", "--missing-deps", "--class-path", classPath, jar.toString());

        assertThat(code).isZero();
        assertThat(missing.toString()).isBlank();
    }

    @Test
    void shouldHaveClassesAndTheContractsSchemasOnly() throws IOException {
        try (JarFile file = new JarFile(jar.toFile())) {
            List<String> others = file.stream()
                    .filter(entry -> !entry.isDirectory())
                    .map(entry -> entry.getName())
                    .filter(name -> !name.matches("dev/rollcall/.+\\.class|schemas/.+\\.avsc|META-INF/.+"))
                    .toList();
            assertThat(others).isEmpty();
            assertThat(file.stream().map(entry -> entry.getName()))
                    .contains("schemas/versions/DeviceHeartbeat.1.avsc")
                    .noneMatch(name -> name.contains("UserState") || name.contains("ShardState"));
        }
    }

    /** Each of the README's blocks of Java in a method of its own, for these brokers. */
    private static void project() throws IOException {
        String readme = Files.readString(Path.of("README.md"));
        List<String> dependency = blocks(readme, "xml");
        List<String> code = blocks(readme, "java").stream()
                .map(block -> block.replace("localhost:9092", rollcall.bootstrapServers()))
                .toList();
        assertThat(dependency).hasSize(1);
        assertThat(code).hasSize(3);
        Files.writeString(dir.resolve("pom.xml"), """
                <project xmlns="http://maven.apache.org/POM/4.0.0">
                  <modelVersion>4.0.0</modelVersion>
                  <groupId>org.example</groupId>
                  <artifactId>shard</artifactId>
                  <version>1</version>
                  <properties>
                    <maven.compiler.release>17</maven.compiler.release>
                    <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
                  </properties>
                  <dependencies>
                    %s
                  </dependencies>
                  <build>
                    <plugins>
                      <plugin>
                        <artifactId>maven-resources-plugin</artifactId>
                        <version>3.3.1</version>
                      </plugin>
                      <plugin>
                        <artifactId>maven-compiler-plugin</artifactId>
                        <version>3.14.0</version>
                      </plugin>
                      <plugin>
                        <artifactId>maven-dependency-plugin</artifactId>
                        <version>3.8.1</version>
                      </plugin>
                    </plugins>
                  </build>
                </project>
                """.formatted(dependency.get(0)));
        Files.writeString(Files.createDirectories(dir.resolve("src/main/java")).resolve("Readme.java"), """
                import dev.rollcall.client.PresencePublisher;
                import dev.rollcall.client.PresenceSubscriber;
                import dev.rollcall.domain.PresenceState;
                import dev.rollcall.domain.StatusText;
                import dev.rollcall.domain.UserId;
                import dev.rollcall.wire.Topics;
                import java.time.Duration;
                import java.util.Map;

                public final class Readme {
                    public static void main(String[] arguments) throws Exception {
                        new Thread(Readme::reads).start();
                        holdsConnections();
                        getsRequests();
                    }

                    private static void holdsConnections() throws Exception {
                %s
                    }

                    private static void getsRequests() throws Exception {
                %s
                    }

                    private static void reads() {
                %s
                    }
                }
                """.formatted(
                        code.toArray()));
    }

    private static List<String> blocks(String markdown, String language) {
        Matcher block =
                Pattern.compile("```" + language + "\n(.*?)```", Pattern.DOTALL).matcher(markdown);
        List<String> found = new ArrayList<>();
        while (block.find()) {
            found.add(block.group(1));
        }
        return found;
    }

    /** A local repository that has nothing, but need not download what this build has already. */
    private static void settings() throws IOException {
        String repository = """
                <id>what-this-build-has</id>
                <url>%s</url>
                <releases><checksumPolicy>ignore</checksumPolicy></releases>
                <snapshots><enabled>false</enabled></snapshots>
                """.formatted(REPOSITORY.toUri());
        Files.writeString(
                dir.resolve("settings.xml"), """
                <settings>
                  <localRepository>%s</localRepository>
                  <profiles>
                    <profile>
                      <id>cache</id>
                      <repositories><repository>%s</repository></repositories>
                      <pluginRepositories><pluginRepository>%s</pluginRepository></pluginRepositories>
                    </profile>
                  </profiles>
                  <activeProfiles><activeProfile>cache</activeProfile></activeProfiles>
                </settings>
                """.formatted(dir.resolve("repository"), repository, repository));
    }

    private static void maven(Path where, String... arguments) throws Exception {
        Path output = dir.resolve("maven.txt");
        List<String> command = new ArrayList<>(List.of(
                "mvn",
                "-B",
                "-ntp",
                "-gs",
                dir.resolve("settings.xml").toString(),
                "-Dmaven.repo.local=" + dir.resolve("repository")));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command)
                .directory(where.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        if (!process.waitFor(Duration.ofMinutes(4).toSeconds(), TimeUnit.SECONDS)) {
            process.destroyForcibly();
        }
        assertThat(process.waitFor()).as(Files.readString(output)).isZero();
    }
}
