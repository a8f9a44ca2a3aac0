package dev.rollcall;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.equivalentTo;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.xpath.XPathFactory;
import org.apache.kafka.streams.KafkaStreams;
import org.junit.jupiter.api.Test;

/** Holds the package map of CONTRIBUTING.md: dependencies point down, and each package keeps what it alone may use. */
class ArchitectureTest {
    private static final JavaClasses ROLLCALL = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("dev.rollcall");

    @Test
    void shouldPointDownWhenOnePackageKnowsAnother() {
        layeredArchitecture()
                .consideringOnlyDependenciesInLayers()
                .layer("app")
                .definedBy("dev.rollcall.app..")
                .layer("health")
                .definedBy("dev.rollcall.health..")
                .layer("logging")
                .definedBy("dev.rollcall.logging..")
                .layer("metrics")
                .definedBy("dev.rollcall.metrics..")
                .layer("admin")
                .definedBy("dev.rollcall.admin..")
                .layer("contract")
                .definedBy("dev.rollcall.contract..")
                .layer("embedded")
                .definedBy("dev.rollcall.embedded..")
                .layer("simulate")
                .definedBy("dev.rollcall.simulate..")
                .layer("matrix")
                .definedBy("dev.rollcall.matrix")
                .layer("matrix.polls")
                .definedBy("dev.rollcall.matrix.polls")
                .layer("http")
                .definedBy("dev.rollcall.http")
                .layer("http.events")
                .definedBy("dev.rollcall.http.events")
                .layer("http.server")
                .definedBy("dev.rollcall.http.server")
                .layer("http.tokens")
                .definedBy("dev.rollcall.http.tokens")
                .layer("http.limits")
                .definedBy("dev.rollcall.http.limits")
                .layer("gateway")
                .definedBy("dev.rollcall.gateway..")
                .layer("client")
                .definedBy("dev.rollcall.client")
                .layer("client.reading")
                .definedBy("dev.rollcall.client.reading..")
                .layer("client.sending")
                .definedBy("dev.rollcall.client.sending..")
                .layer("topology")
                .definedBy("dev.rollcall.topology..")
                .layer("wire")
                .definedBy("dev.rollcall.wire..")
                .layer("registry")
                .definedBy("dev.rollcall.registry..")
                .layer("config")
                .definedBy("dev.rollcall.config..")
                .layer("consumer")
                .definedBy("dev.rollcall.consumer..")
                .layer("store")
                .definedBy("dev.rollcall.store")
                .layer("partition")
                .definedBy("dev.rollcall.partition..")
                .layer("memory")
                .definedBy("dev.rollcall.memory..")
                .layer("domain")
                .definedBy("dev.rollcall.domain")
                .layer("domain.user")
                .definedBy("dev.rollcall.domain.user")
                .layer("session")
                .definedBy("dev.rollcall.session")
                .layer("time")
                .definedBy("dev.rollcall.time..")
                .layer("text")
                .definedBy("dev.rollcall.text..")
                .whereLayer("app")
                .mayNotBeAccessedByAnyLayer()
                .whereLayer("health")
                .mayOnlyBeAccessedByLayers("app")
                .whereLayer("health")
                .mayOnlyAccessLayers("http", "topology", "metrics", "config")
                .whereLayer("logging")
                .mayOnlyBeAccessedByLayers("app")
                .whereLayer("logging")
                .mayNotAccessAnyLayer()
                .whereLayer("metrics")
                .mayOnlyBeAccessedByLayers("app", "health", "admin", "matrix", "http", "http.server", "topology")
                .whereLayer("metrics")
                .mayNotAccessAnyLayer()
                .whereLayer("admin")
                .mayOnlyBeAccessedByLayers("app")
                .whereLayer("contract")
                .mayOnlyBeAccessedByLayers("app", "admin")
                .whereLayer("contract")
                .mayOnlyAccessLayers("config", "wire", "domain", "topology")
                .whereLayer("embedded")
                .mayOnlyBeAccessedByLayers("app")
                .whereLayer("simulate")
                .mayOnlyBeAccessedByLayers("app")
                .whereLayer("matrix")
                .mayOnlyBeAccessedByLayers("app")
                .whereLayer("matrix.polls")
                .mayOnlyBeAccessedByLayers("matrix")
                .whereLayer("matrix.polls")
                .mayOnlyAccessLayers("domain")
                .whereLayer("http")
                .mayOnlyBeAccessedByLayers("app", "health", "matrix")
                .whereLayer("http.events")
                .mayOnlyBeAccessedByLayers("http")
                .whereLayer("http.server")
                .mayOnlyBeAccessedByLayers("app", "matrix", "http", "http.events")
                .whereLayer("http.tokens")
                .mayOnlyBeAccessedByLayers("app", "http.server")
                .whereLayer("http.tokens")
                .mayOnlyAccessLayers("config", "domain", "text")
                .whereLayer("http.limits")
                .mayOnlyBeAccessedByLayers("matrix", "http.server")
                .whereLayer("http.limits")
                .mayNotAccessAnyLayer()
                .whereLayer("gateway")
                .mayOnlyBeAccessedByLayers("app", "matrix", "http", "http.events", "http.server")
                .whereLayer("client")
                .mayOnlyBeAccessedByLayers("app", "gateway", "simulate")
                .whereLayer("client.reading")
                .mayOnlyBeAccessedByLayers("client", "gateway")
                .whereLayer("client.sending")
                .mayOnlyBeAccessedByLayers("app", "gateway", "simulate", "client")
                .whereLayer("topology")
                .mayOnlyBeAccessedByLayers("app", "health", "admin", "contract")
                .whereLayer("wire")
                .mayOnlyBeAccessedByLayers(
                        "app",
                        "admin",
                        "contract",
                        "gateway",
                        "client",
                        "client.sending",
                        "simulate",
                        "topology",
                        "registry",
                        "config")
                .whereLayer("wire")
                .mayOnlyAccessLayers("domain", "session", "text")
                .whereLayer("config")
                .mayOnlyBeAccessedByLayers(
                        "app",
                        "admin",
                        "contract",
                        "health",
                        "matrix",
                        "http",
                        "http.events",
                        "http.server",
                        "http.tokens",
                        "registry",
                        "topology")
                .whereLayer("registry")
                .mayOnlyBeAccessedByLayers("app")
                .whereLayer("registry")
                .mayOnlyAccessLayers("wire", "config")
                .whereLayer("consumer")
                .mayOnlyBeAccessedByLayers("app", "topology")
                .whereLayer("consumer")
                .mayOnlyAccessLayers("domain")
                .whereLayer("store")
                .mayOnlyBeAccessedByLayers("topology")
                .whereLayer("store")
                .mayOnlyAccessLayers("memory", "domain")
                .whereLayer("partition")
                .mayOnlyBeAccessedByLayers("app", "topology")
                .whereLayer("partition")
                .mayOnlyAccessLayers("memory", "domain.user", "domain", "session", "time")
                .whereLayer("memory")
                .mayOnlyBeAccessedByLayers("partition", "store", "topology")
                .whereLayer("memory")
                .mayOnlyAccessLayers("domain.user", "domain", "session", "time")
                .whereLayer("domain.user")
                .mayOnlyBeAccessedByLayers("partition", "memory")
                .whereLayer("domain.user")
                .mayOnlyAccessLayers("domain", "session", "time")
                .whereLayer("embedded")
                .mayNotAccessAnyLayer()
                .whereLayer("domain")
                .mayOnlyAccessLayers("session", "time", "text")
                .whereLayer("session")
                .mayOnlyAccessLayers("time")
                .whereLayer("time")
                .mayNotAccessAnyLayer()
                .whereLayer("text")
                .mayNotAccessAnyLayer()
                .check(ROLLCALL);
    }

    @Test
    void shouldBeInAKnownPackageWhenAClassIsOurs() {
        classes()
                .should()
                .resideInAnyPackage(
                        "dev.rollcall.app",
                        "dev.rollcall.app.operator",
                        "dev.rollcall.app.repair",
                        "dev.rollcall.app.repair.letters",
                        "dev.rollcall.app.repair.state",
                        "dev.rollcall.app.repair.user",
                        "dev.rollcall.app.matrix",
                        "dev.rollcall.health",
                        "dev.rollcall.logging",
                        "dev.rollcall.metrics",
                        "dev.rollcall.admin",
                        "dev.rollcall.contract",
                        "dev.rollcall.embedded",
                        "dev.rollcall.matrix",
                        "dev.rollcall.matrix.polls",
                        "dev.rollcall.http",
                        "dev.rollcall.http.events",
                        "dev.rollcall.http.limits",
                        "dev.rollcall.http.server",
                        "dev.rollcall.http.tokens",
                        "dev.rollcall.gateway",
                        "dev.rollcall.client",
                        "dev.rollcall.client.reading",
                        "dev.rollcall.client.sending",
                        "dev.rollcall.simulate",
                        "dev.rollcall.topology",
                        "dev.rollcall.topology.meters",
                        "dev.rollcall.consumer",
                        "dev.rollcall.store",
                        "dev.rollcall.partition",
                        "dev.rollcall.memory",
                        "dev.rollcall.wire",
                        "dev.rollcall.wire.registry",
                        "dev.rollcall.wire.stored",
                        "dev.rollcall.registry",
                        "dev.rollcall.config",
                        "dev.rollcall.domain",
                        "dev.rollcall.domain.user",
                        "dev.rollcall.session",
                        "dev.rollcall.time",
                        "dev.rollcall.text",
                        "dev.rollcall.v1",
                        "dev.rollcall.store.v1")
                .check(ROLLCALL);
    }

    private static final String[] PURE = {
        "dev.rollcall.matrix.polls",
        "dev.rollcall.partition",
        "dev.rollcall.memory",
        "dev.rollcall.domain",
        "dev.rollcall.domain.user",
        "dev.rollcall.session",
        "dev.rollcall.time",
        "dev.rollcall.text"
    };

    @Test
    void shouldKnowNothingButJavaWhenPure() {
        classes()
                .that()
                .resideInAnyPackage(PURE)
                .should()
                .onlyDependOnClassesThat(
                        resideInAnyPackage("java..", "org.jspecify..").or(resideInAnyPackage(PURE)))
                .check(ROLLCALL);
    }

    /** So that a snapshot is the only door to a user: nobody else can reach into its fields. */
    @Test
    void shouldBePrivateWhenAFieldOfThePureClassesCanChange() {
        fields().that()
                .areDeclaredInClassesThat()
                .resideInAnyPackage(PURE)
                .and()
                .areNotFinal()
                .should()
                .bePrivate()
                .check(ROLLCALL);
    }

    @Test
    void shouldStaySmallWhenAPackageOrAClassGrows() throws IOException {
        Map<Path, Long> linesByPackage = new TreeMap<>();
        try (Stream<Path> files = Files.walk(Path.of("src/main/java"))) {
            for (Path file :
                    files.filter(one -> one.toString().endsWith(".java")).toList()) {
                long lines = Files.readAllLines(file).size();
                assertThat(lines).as(file.toString()).isLessThanOrEqualTo(350);
                linesByPackage.merge(file.getParent(), lines, Long::sum);
            }
        }
        assertThat(linesByPackage)
                .isNotEmpty()
                .allSatisfy((path, lines) -> assertThat(lines).isLessThanOrEqualTo(1_500));
    }

    /** What the artifact rollcall-client consists of: pom.xml has the list. */
    @Test
    void shouldBeInTheClientsArtifactWhenAClientReachesThePackage() throws Exception {
        Set<String> reached = new TreeSet<>(Set.of("dev.rollcall.client"));
        Deque<String> left = new ArrayDeque<>(reached);
        while (!left.isEmpty()) {
            for (Dependency dependency : ROLLCALL.getPackage(left.pop()).getClassDependenciesFromThisPackage()) {
                String target = dependency.getTargetClass().getPackageName();
                if (target.startsWith("dev.rollcall.") && reached.add(target)) {
                    left.push(target);
                }
            }
        }

        String list = XPathFactory.newInstance()
                .newXPath()
                .evaluate(
                        "//*[local-name() = 'client.packages']",
                        DocumentBuilderFactory.newInstance()
                                .newDocumentBuilder()
                                .parse("pom.xml"));
        assertThat(Stream.of(list.split("\\|")).map(path -> "dev.rollcall." + path.replace('/', '.')))
                .containsExactlyInAnyOrderElementsOf(reached);
    }

    @Test
    void shouldBeToldTheTimeWhenPure() {
        noClasses()
                .that()
                .resideInAnyPackage(PURE)
                .should()
                .callMethod(System.class, "currentTimeMillis")
                .orShould()
                .callMethod(System.class, "nanoTime")
                .orShould()
                .dependOnClassesThat()
                .haveFullyQualifiedName("java.time.Clock")
                .check(ROLLCALL);
    }

    @Test
    void shouldStayInTheWireWhenAClassIsGeneratedFromASchema() {
        noClasses()
                .that()
                .resideOutsideOfPackages("dev.rollcall.wire..", "dev.rollcall.v1..", "dev.rollcall.store.v1..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("dev.rollcall.v1..", "dev.rollcall.store.v1..", "org.apache.avro..")
                .check(ROLLCALL);
    }

    @Test
    void shouldStayInEmbeddedWhenAClassIsOfKafkasServer() {
        noClasses()
                .that()
                .resideOutsideOfPackage("dev.rollcall.embedded..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "kafka..",
                        "org.apache.kafka.metadata..",
                        "org.apache.kafka.server..",
                        "org.apache.kafka.storage..")
                .check(ROLLCALL);
    }

    @Test
    void shouldKnowNoKafkaWhenInHttp() {
        noClasses()
                .that()
                .resideInAPackage("dev.rollcall.http..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("org.apache.kafka..", "dev.rollcall.client..", "dev.rollcall.wire..")
                .check(ROLLCALL);
    }

    @Test
    void shouldStayInTheMetricsWhenAClassIsOfMicrometer() {
        noClasses()
                .that()
                .resideOutsideOfPackage("dev.rollcall.metrics")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("io.micrometer..", "io.prometheus..")
                .check(ROLLCALL);
    }

    @Test
    void shouldStayInTheTokensWhenAClassIsOfJwt() {
        noClasses()
                .that()
                .resideOutsideOfPackage("dev.rollcall.http.tokens")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("com.nimbusds..")
                .check(ROLLCALL);
    }

    @Test
    void shouldStayInHttpWhenAClassIsOfTheServer() {
        noClasses()
                .that()
                .resideOutsideOfPackage("dev.rollcall.http..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("org.eclipse.jetty..")
                .check(ROLLCALL);
    }

    @Test
    void shouldOnlyHappenInTheAppWhenAKafkaStreamsIsMadeOrTheProcessEnds() {
        noClasses()
                .that()
                .resideOutsideOfPackage("dev.rollcall.app..")
                .should()
                .dependOnClassesThat()
                .areAssignableTo(KafkaStreams.class)
                .orShould()
                .callMethod(System.class, "exit", int.class)
                .check(ROLLCALL);
    }

    @Test
    void shouldShareNothingWithRollcallWhenInTheChecker() {
        classes()
                .that()
                .resideInAPackage("dev.rollcall.chaos.check..")
                .should()
                .onlyDependOnClassesThat(resideOutsideOfPackage("dev.rollcall..")
                        .or(resideInAPackage("dev.rollcall.chaos.check.."))
                        .or(equivalentTo(Row.class)))
                .check(new ClassFileImporter().importPackages("dev.rollcall.chaos.check"));
    }
}
