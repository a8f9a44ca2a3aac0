package dev.rollcall;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.apache.kafka.streams.KafkaStreams;
import org.junit.jupiter.api.Test;

/** The map of the house, held: arrows point down, and each room keeps its own things. */
class ArchitectureTest {
    private static final JavaClasses ROLLCALL = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("dev.rollcall");

    @Test
    void shouldPointDownWhenOneRoomKnowsAnother() {
        layeredArchitecture()
                .consideringOnlyDependenciesInLayers()
                .layer("app")
                .definedBy("dev.rollcall.app..")
                .layer("embedded")
                .definedBy("dev.rollcall.embedded..")
                .layer("simulate")
                .definedBy("dev.rollcall.simulate..")
                .layer("http")
                .definedBy("dev.rollcall.http")
                .layer("http.events")
                .definedBy("dev.rollcall.http.events")
                .layer("http.server")
                .definedBy("dev.rollcall.http.server")
                .layer("gateway")
                .definedBy("dev.rollcall.gateway..")
                .layer("client")
                .definedBy("dev.rollcall.client..")
                .layer("topology")
                .definedBy("dev.rollcall.topology..")
                .layer("wire")
                .definedBy("dev.rollcall.wire..")
                .layer("config")
                .definedBy("dev.rollcall.config..")
                .layer("domain")
                .definedBy("dev.rollcall.domain..")
                .whereLayer("app")
                .mayNotBeAccessedByAnyLayer()
                .whereLayer("embedded")
                .mayOnlyBeAccessedByLayers("app")
                .whereLayer("simulate")
                .mayOnlyBeAccessedByLayers("app")
                .whereLayer("http")
                .mayOnlyBeAccessedByLayers("app")
                .whereLayer("http.events")
                .mayOnlyBeAccessedByLayers("http")
                .whereLayer("http.server")
                .mayOnlyBeAccessedByLayers("app", "http", "http.events")
                .whereLayer("gateway")
                .mayOnlyBeAccessedByLayers("app", "http", "http.events", "http.server")
                .whereLayer("client")
                .mayOnlyBeAccessedByLayers("app", "simulate", "gateway")
                .whereLayer("topology")
                .mayOnlyBeAccessedByLayers("app")
                .whereLayer("wire")
                .mayOnlyBeAccessedByLayers("app", "gateway", "client", "simulate", "topology")
                .whereLayer("config")
                .mayOnlyBeAccessedByLayers("app", "http", "http.events", "http.server", "topology")
                .whereLayer("embedded")
                .mayNotAccessAnyLayer()
                .whereLayer("domain")
                .mayNotAccessAnyLayer()
                .check(ROLLCALL);
    }

    @Test
    void shouldBeInOneOfTheRoomsWhenAClassIsOurs() {
        classes()
                .should()
                .resideInAnyPackage(
                        "dev.rollcall.app",
                        "dev.rollcall.embedded",
                        "dev.rollcall.http",
                        "dev.rollcall.http.events",
                        "dev.rollcall.http.server",
                        "dev.rollcall.gateway",
                        "dev.rollcall.client",
                        "dev.rollcall.simulate",
                        "dev.rollcall.topology",
                        "dev.rollcall.wire",
                        "dev.rollcall.config",
                        "dev.rollcall.domain",
                        "dev.rollcall.v1",
                        "dev.rollcall.store.v1")
                .check(ROLLCALL);
    }

    @Test
    void shouldBePureWhenInTheDomain() {
        classes()
                .that()
                .resideInAPackage("dev.rollcall.domain..")
                .should()
                .onlyDependOnClassesThat(resideInAnyPackage("java..", "org.jspecify..", "dev.rollcall.domain.."))
                .check(ROLLCALL);
    }

    @Test
    void shouldBeToldTheTimeWhenInTheDomain() {
        noClasses()
                .that()
                .resideInAPackage("dev.rollcall.domain..")
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
    void shouldStayInHttpWhenAClassIsOfTheServerOrOfTokens() {
        noClasses()
                .that()
                .resideOutsideOfPackage("dev.rollcall.http..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("org.eclipse.jetty..", "com.auth0..")
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
                .onlyDependOnClassesThat(
                        resideOutsideOfPackage("dev.rollcall..").or(resideInAPackage("dev.rollcall.chaos.check..")))
                .check(new ClassFileImporter().importPackages("dev.rollcall.chaos.check"));
    }
}
