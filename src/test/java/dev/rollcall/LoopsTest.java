package dev.rollcall;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * No loop of ours ends in silence for what it meets. An {@link Error} that nobody catches ends a thread, cancels a
 * repeated task, and is kept by a future that nobody reads, while all else goes on as if nothing had happened. So
 * whatever is handed to a thread or an executor catches {@link Throwable}, and is named here.
 */
class LoopsTest {
    private static final JavaClasses ROLLCALL = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("dev.rollcall");

    /** Who hands work to a thread or an executor, and what catches whatever that work throws. */
    private static final Map<String, List<String>> GUARDS = Map.ofEntries(
            Map.entry("client.sending.Background$1.every", List.of("client.sending.Background$Repeated.run")),
            Map.entry(
                    "client.sending.Outbox.startDraining",
                    List.of("client.sending.Outbox.startDraining", "client.sending.Outbox.drain")),
            Map.entry("gateway.TopicReader.<init>", List.of("gateway.TopicReader.read")),
            Map.entry("http.events.EventStreams.<init>", List.of("http.events.EventStreams.tick")),
            Map.entry(
                    "http.events.EventStream.wake",
                    List.of("http.events.EventStream.wake", "http.events.EventStream.advance")),
            Map.entry("http.events.EventStreams.wakeIn", List.of("http.events.EventStream.wake")),
            Map.entry("admin.TopicWatch.<init>", List.of("admin.TopicWatch.run")),
            Map.entry("admin.TopicsWait.<init>", List.of("admin.TopicsWait.run")),
            Map.entry("health.ProcessorHealth.<init>", List.of("health.ProcessorHealth.tryToLook")),
            Map.entry("health.ProcessorHealth.watch", List.of("health.ProcessorHealth.tryToLook")),
            Map.entry("matrix.EventLoop.<init>", List.of("matrix.EventLoop.run")),
            Map.entry("matrix.AccessLog.<init>", List.of("matrix.AccessLog.run")),
            Map.entry("app.PageSimulation.start", List.of("app.PageSimulation.run")),
            Map.entry("app.SimulateCommand.call", List.of("app.SimulateCommand$LiveLine.print")));

    /** What is run there once, while the process or the broker ends, or is somebody else's task on its way to a thread. */
    private static final Set<String> ONCE = Set.of(
            "client.sending.Background.daemon",
            "app.HoldCommand.call",
            "app.matrix.MatrixCommand.call",
            "app.RunCommand.untilItEnds",
            "app.SimulateCommand.stopOnCtrlC",
            "app.WatchCommand.call",
            "embedded.EmbeddedBroker.close",
            "embedded.EmbeddedBroker.died");

    @Test
    void shouldBeNamedHereWhenSomethingIsHandedToAThread() {
        Set<String> found = new TreeSet<>();
        ROLLCALL.forEach(one -> one.getAccessesFromSelf().stream()
                .filter(access -> startsWork(access.getTargetOwner().reflect(), access.getName()))
                .forEach(access -> found.add(name(access.getOrigin()))));

        Set<String> known = new TreeSet<>(ONCE);
        known.addAll(GUARDS.keySet());
        assertThat(found).isEqualTo(known);
    }

    @TestFactory
    Stream<DynamicTest> shouldCatchEverythingWhenItIsALoop() {
        return GUARDS.values().stream()
                .flatMap(List::stream)
                .map(guard -> DynamicTest.dynamicTest(
                        guard,
                        () -> assertThat(codeUnits(guard))
                                .anyMatch(unit -> unit.getTryCatchBlocks().stream()
                                        .flatMap(block -> block.getCaughtThrowables().stream())
                                        .anyMatch(caught -> caught.isEquivalentTo(Throwable.class)))));
    }

    private static boolean startsWork(Class<?> owner, String method) {
        return (Thread.class.equals(owner) && method.equals("<init>"))
                || (ScheduledExecutorService.class.isAssignableFrom(owner) && method.startsWith("schedule"))
                || (Executor.class.isAssignableFrom(owner)
                        && (method.equals("execute") || method.equals("submit") || method.startsWith("invoke")));
    }

    private static List<JavaCodeUnit> codeUnits(String name) {
        return ROLLCALL.stream()
                .flatMap(one -> one.getCodeUnits().stream())
                .filter(unit -> name(unit).equals(name))
                .toList();
    }

    private static String name(JavaCodeUnit unit) {
        return unit.getOwner().getName().substring("dev.rollcall.".length()) + "." + unit.getName();
    }
}
