package dev.rollcall.admin;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Of which changelogs the state on disk is, from one start to the next. */
class LocalStateTest {
    private static final Map<String, String> FIRST = Map.of("users", "id-1", "shards", "id-2");
    private static final Map<String, String> REBUILT = Map.of("users", "id-3", "shards", "id-2");

    @TempDir
    private Path dir;

    private Path file;

    @BeforeEach
    void name() {
        file = dir.resolve("data").resolve("rollcall.changelogs");
    }

    @Test
    void shouldBeOutdatedWhenAChangelogWasMadeAnew() {
        ran(FIRST);

        assertThat(atTheStart(FIRST).isOutdated()).isFalse();
        assertThat(atTheStart(REBUILT).isOutdated()).isTrue();
    }

    @Test
    void shouldStayWhatItIsOfWhenAChangelogChangesWhileItRuns() {
        ran(FIRST);
        ran(REBUILT);

        assertThat(atTheStart(REBUILT).isOutdated()).isTrue();
    }

    @Test
    void shouldBeOfTheNewOnesWhenItWasDeleted() {
        ran(FIRST);
        LocalState state = atTheStart(REBUILT);
        state.forget();
        assertThat(state.isOutdated()).isFalse();
        state.add(REBUILT);

        assertThat(atTheStart(REBUILT).isOutdated()).isFalse();
        assertThat(atTheStart(FIRST).isOutdated()).isTrue();
    }

    @Test
    void shouldNotBeOutdatedWhenNothingIsKnownOfIt() {
        assertThat(atTheStart(FIRST).isOutdated()).isFalse();
        ran(FIRST);
        assertThat(atTheStart(Map.of()).isOutdated())
                .as("the brokers do not say")
                .isFalse();
    }

    private void ran(Map<String, String> changelogs) {
        new LocalState(file).add(changelogs);
    }

    private LocalState atTheStart(Map<String, String> changelogs) {
        LocalState state = new LocalState(file);
        state.compare(changelogs);
        return state;
    }
}
