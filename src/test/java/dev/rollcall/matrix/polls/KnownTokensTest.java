package dev.rollcall.matrix.polls;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.domain.UserId;
import dev.rollcall.matrix.polls.KnownTokens.Answer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class KnownTokensTest {
    private static final Answer PHONE = new Answer.Of(new MatrixDevice(UserId.of("@alice:a"), "phone"));
    private static final Answer NOBODY = new Answer.Nobody();
    private static final Answer UNKNOWN = new Answer.Unknown();

    private final KnownTokens<String> tokens = new KnownTokens<>();

    @ParameterizedTest
    @CsvSource({"299999, true", "300000, false"})
    void shouldBeKnownForFiveMinutes(long after, boolean isKnown) {
        tokens.answered("a", PHONE, 0);

        assertThat(tokens.find("a", after)).isEqualTo(isKnown ? PHONE : UNKNOWN);
    }

    @ParameterizedTest
    @CsvSource({"59999, true", "60000, false"})
    void shouldBeRefusedForAMinuteWhenItIsNobodys(long after, boolean isRefused) {
        tokens.answered("a", NOBODY, 0);

        assertThat(tokens.find("a", after)).isEqualTo(isRefused ? NOBODY : UNKNOWN);
    }

    @Test
    void shouldTellAllWhoWaitWhenTheHomeserverWasAskedOnce() {
        assertThat(tokens.isAsked("a")).isFalse();
        tokens.await("a", "first");
        assertThat(tokens.isAsked("a")).isTrue();
        tokens.await("a", "second");

        assertThat(tokens.answered("a", PHONE, 0).waiting()).containsExactly("first", "second");
        assertThat(tokens.isAsked("a")).isFalse();
        assertThat(tokens.answered("a", PHONE, 0).waiting()).isEmpty();
    }

    @Test
    void shouldNotWaitWithoutABound() {
        for (int i = 0; i < KnownTokens.MAX_WAITING; i++) {
            assertThat(tokens.await("token " + i % 7, "waiter")).isTrue();
        }
        assertThat(tokens.await("another", "waiter")).isFalse();
        tokens.answered("token 0", UNKNOWN, 0);
        assertThat(tokens.await("another", "waiter")).isTrue();
    }

    @Test
    void shouldNotBeKnownWhenItWasEvicted() {
        tokens.answered("a", PHONE, 0);

        tokens.evict("a");

        assertThat(tokens.find("a", 1)).isEqualTo(UNKNOWN);
        assertThat(tokens.answered("a", UNKNOWN, 2).answer()).isEqualTo(UNKNOWN);
    }

    @Test
    void shouldHoldWhenTheHomeserverDoesNotAnswerAgain() {
        tokens.answered("a", PHONE, 0);

        assertThat(tokens.answered("a", UNKNOWN, 300_000).answer()).isEqualTo(PHONE);
        assertThat(tokens.find("a", 309_999)).isEqualTo(PHONE);
        assertThat(tokens.find("a", 310_000)).isEqualTo(UNKNOWN);
        assertThat(tokens.answered("a", UNKNOWN, 3_599_999).answer()).isEqualTo(PHONE);
        assertThat(tokens.answered("a", UNKNOWN, 3_600_000).answer()).isEqualTo(UNKNOWN);
    }

    @Test
    void shouldNotHoldWhenTheHomeserverRefusesItByNow() {
        tokens.answered("a", PHONE, 0);

        assertThat(tokens.answered("a", NOBODY, 300_000).answer()).isEqualTo(NOBODY);
        assertThat(tokens.answered("a", UNKNOWN, 400_000).answer()).isEqualTo(UNKNOWN);
    }

    @Test
    void shouldForgetTheLeastUsedWhenThereAreTooMany() {
        tokens.answered("used", PHONE, 0);
        tokens.answered("unused", PHONE, 0);
        for (int i = 0; i < KnownTokens.MAX_KNOWN - 1; i++) {
            tokens.find("used", 1);
            tokens.answered("token " + i, PHONE, 1);
        }

        assertThat(tokens.size()).isEqualTo(KnownTokens.MAX_KNOWN);
        assertThat(tokens.find("used", 2)).isEqualTo(PHONE);
        assertThat(tokens.find("unused", 2)).isEqualTo(UNKNOWN);
    }

    @Test
    void shouldTakeNoRoomOfOthersWhenItIsNobodys() {
        tokens.answered("a", PHONE, 0);
        for (int i = 0; i < 2 * KnownTokens.MAX_KNOWN; i++) {
            tokens.answered("random " + i, NOBODY, 0);
        }

        assertThat(tokens.find("a", 1)).isEqualTo(PHONE);
        assertThat(tokens.find("random 0", 1)).as("bounded, too").isEqualTo(UNKNOWN);
    }
}
