package dev.rollcall.admin;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whether the state on disk may be used, from one start to the next. */
class LocalStateTest {
    private static final Map<String, String> FIRST = Map.of("users", "id-1", "shards", "id-2");
    private static final Map<String, String> REBUILT = Map.of("users", "id-3", "shards", "id-2");
    private static final Duration TOMBSTONES = Duration.ofDays(1);

    private Instant now = Instant.parse("2026-11-30T12:00:00Z");

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

        assertThat(atTheStart(FIRST).whyOutdated()).isEmpty();
        assertThat(atTheStart(REBUILT).whyOutdated()).isPresent();
    }

    @Test
    void shouldStayWhatItIsOfWhenAChangelogChangesWhileItRuns() {
        ran(FIRST);
        ran(REBUILT);

        assertThat(atTheStart(REBUILT).whyOutdated()).isPresent();
    }

    @Test
    void shouldBeOfTheNewOnesWhenItWasDeleted() {
        ran(FIRST);
        LocalState state = atTheStart(REBUILT);
        state.forget();
        assertThat(state.whyOutdated()).isEmpty();
        state.used(REBUILT);

        assertThat(atTheStart(REBUILT).whyOutdated()).isEmpty();
        assertThat(atTheStart(FIRST).whyOutdated()).isPresent();
    }

    @Test
    void shouldNotBeOutdatedWhenNothingIsKnownOfIt() {
        assertThat(atTheStart(FIRST).whyOutdated()).isEmpty();
        ran(FIRST);
        assertThat(atTheStart(Map.of()).whyOutdated())
                .as("the brokers do not say")
                .isEmpty();
    }

    @Test
    void shouldBeOutdatedWhenTombstonesMayHaveGoneSinceItWasUsed() {
        ran(FIRST);

        now = now.plus(TOMBSTONES.dividedBy(2));
        assertThat(atTheStart(FIRST).whyOutdated()).isEmpty();
        now = now.plusMillis(1);
        assertThat(atTheStart(FIRST).whyOutdated())
                .hasValue("it was last used at 2026-11-30T12:00:00Z, and changelogs keep tombstones for PT24H"
                        + " (delete.retention.ms)");
    }

    @Test
    void shouldBeAsNewAsItsLastUse() {
        ran(FIRST);
        LocalState state = atTheStart(FIRST);
        now = now.plus(TOMBSTONES.multipliedBy(3));
        state.used(FIRST);

        assertThat(atTheStart(FIRST).whyOutdated()).isEmpty();
    }

    @Test
    void shouldNotBeNewerThanWhatIsLeftOfAnEarlierRunBeforeThatIsDeleted() {
        ran(FIRST);
        now = now.plus(Duration.ofHours(8));
        LocalState state = atTheStart(FIRST);
        now = now.plus(Duration.ofHours(6));
        state.used(FIRST);
        assertThat(atTheStart(FIRST).whyOutdated()).isPresent();

        now = now.plusMillis(1);
        state.used(FIRST);
        assertThat(atTheStart(FIRST).whyOutdated()).isEmpty();
    }

    @Test
    void shouldBeOutdatedWhenItWasLastUsedInTheFuture() {
        ran(FIRST);

        now = now.minus(Duration.ofMinutes(2));
        assertThat(atTheStart(FIRST).whyOutdated()).isPresent();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "\0\0\0", "users=\\u00zz", "last\\ used,\\ ms\\ since\\ the\\ epoch=soon"})
    void shouldBeOutdatedWhenWhatIsKnownOfItIsDamaged(String content) throws IOException {
        Files.createDirectories(file.getParent());
        Files.writeString(file, content);

        LocalState state = atTheStart(FIRST);
        assertThat(state.whyOutdated()).hasValue(file + " is damaged, which says what it is of");
        state.forget();
        state.used(FIRST);
        assertThat(atTheStart(FIRST).whyOutdated()).isEmpty();
    }

    private void ran(Map<String, String> changelogs) {
        new LocalState(file, () -> now).used(changelogs);
    }

    private LocalState atTheStart(Map<String, String> changelogs) {
        LocalState state = new LocalState(file, () -> now);
        state.compare(changelogs, TOMBSTONES);
        return state;
    }
}
