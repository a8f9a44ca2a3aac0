package dev.rollcall.chaos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rollcall.chaos.Variant.Patch;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The broken variants are made from the source as it is: this says at once when the source has moved away from them. */
class VariantsTest {
    @TempDir
    private Path directory;

    static Stream<Variant> variants() {
        return Variants.ALL.stream();
    }

    @ParameterizedTest
    @MethodSource("variants")
    void shouldCompileWhenMadeFromTheSource(Variant variant) throws Exception {
        assertThat(variant.compile(directory))
                .singleElement()
                .satisfies(classes -> assertThat(classes).isDirectoryRecursivelyContaining("glob:**.class"));
    }

    @Test
    void shouldCarryOutEveryPatchOfAFile() throws Exception {
        Variants.named("own-tick-topic").compile(directory);

        assertThat(directory.resolve("sources/dev/rollcall/topology/PresenceTopology.java"))
                .content()
                .containsPattern("CLOCK_TICKS,\\s+\"clock-ticks\"")
                .contains("{topic.name(), \"clock-ticks\"}");
    }

    @Test
    void shouldRefuseWhenTheWordsAreNotFoundExactlyOnce() {
        assertThatThrownBy(() -> broken("no such words").compile(directory))
                .hasMessageContaining("User.java must contain exactly once");
        assertThatThrownBy(() -> broken("hidden").compile(directory)).hasMessageContaining("exactly once");
    }

    @Test
    void shouldRefuseWhenWhatComesOutDoesNotCompile() {
        assertThatThrownBy(() -> broken("final class User {").compile(directory))
                .hasMessageContaining("does not compile");
    }

    private static Variant broken(String words) {
        return new Variant(
                "test",
                "nothing",
                List.of(new Patch("dev/rollcall/domain/user/User.java", words, "nonsense")),
                Map.of(),
                Map.of(),
                false,
                brokers -> {},
                List.of());
    }
}
