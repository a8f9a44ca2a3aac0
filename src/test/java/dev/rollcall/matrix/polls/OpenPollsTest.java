package dev.rollcall.matrix.polls;

import static dev.rollcall.domain.PresenceState.IDLE;
import static dev.rollcall.domain.PresenceState.ONLINE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.UserId;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Times are in ms. A poll of 30 s has a lease of 45 s. */
class OpenPollsTest {
    private static final MatrixDevice PHONE = new MatrixDevice(UserId.of("@alice:a"), "phone");
    private static final MatrixDevice TABLET = new MatrixDevice(UserId.of("@alice:a"), "tablet");
    private static final long POLL = 30_000;

    private final OpenPolls polls = new OpenPolls("matrix");

    @ParameterizedTest
    @CsvSource({"0, 15000", "30000, 45000", "-5, 15000", "86385000, 86400000", "9223372036854775807, 86400000"})
    void shouldLiveForTheTimeoutAndSlackWhenItPolls(long timeout, long lease) {
        Poll poll = polls.begin("1", "token", timeout, null, 7);

        assertThat(polls.identify(poll, PHONE, 7)).contains(beat(null, lease));
    }

    @ParameterizedTest
    @CsvSource({"15299, false", "15300, true"})
    void shouldBeWrittenOncePerThirdOfTheLeaseWhenNothingChanges(long at, boolean isWritten) {
        poll("1", POLL, null, 300);
        end("1", 200, 400);

        assertThat(poll("2", POLL, null, at).isPresent()).isEqualTo(isWritten);
    }

    @Test
    void shouldBeWrittenAtOnceWhenTheStateChanges() {
        assertThat(poll("1", POLL, ONLINE, 0)).contains(beat(ONLINE, 45_000));
        assertThat(poll("2", POLL, ONLINE, 10)).isEmpty();
        assertThat(poll("3", POLL, IDLE, 20)).contains(beat(IDLE, 45_000));
        assertThat(poll("4", POLL, null, 30)).isEmpty();
    }

    @Test
    void shouldNotOutlastItsLeaseWhenAPollBeginsSoonAfterTheLastHeartbeat() {
        poll("1", POLL, null, 0);
        end("1", 200, 14_000);
        assertThat(poll("2", POLL, null, 14_000)).isEmpty();

        assertThat(polls.tick(14_900)).isEmpty();
        assertThat(polls.tick(15_000)).containsExactly(beat(null, 44_000));
        assertThat(polls.tick(16_000)).isEmpty();
    }

    @Test
    void shouldHaveTheLongerLeaseSoonWhenTheFirstPollDoesNotWait() {
        assertThat(poll("1", 0, null, 0)).contains(beat(null, 15_000));
        end("1", 200, 50);
        assertThat(poll("2", POLL, null, 100)).isEmpty();

        assertThat(polls.tick(5_000)).containsExactly(beat(null, 40_100));
    }

    @Test
    void shouldHaveTheLongerOfTwoLeasesWhenTwoPollsAreOpen() {
        poll("long", 600_000, null, 0);

        assertThat(poll("short", 0, null, 10_000)).isEmpty();
        assertThat(polls.tick(11_000)).isEmpty();
    }

    @Test
    void shouldHaveAShorterLeaseWhenTheClientHasChosenAMuchShorterTimeout() {
        poll("long", 3_600_000, null, 0);
        end("long", 200, 20_000);

        assertThat(poll("short", POLL, null, 20_000)).contains(beat(null, 45_000));
    }

    @Test
    void shouldEndTheDeviceWhenTheClientClosesItsOnlyPoll() {
        poll("1", POLL, null, 0);

        assertThat(end("1", 499, 2_000)).contains(closed());
        assertThat(poll("2", POLL, null, 2_100)).as("it is back").contains(beat(null, 45_000));
    }

    @Test
    void shouldNotEndTheDeviceWhenAnotherPollOfItIsOpen() {
        poll("1", POLL, null, 0);
        poll("2", POLL, null, 1_000);

        assertThat(end("1", 499, 2_000)).isEmpty();
        assertThat(end("2", 499, 3_000)).contains(closed());
    }

    @Test
    void shouldNotEndTheDeviceWhenAnotherDevicesPollIsClosed() {
        poll("1", POLL, null, 0);
        Poll tablet = polls.begin("2", "token", POLL, null, 0);
        polls.identify(tablet, TABLET, 0);

        assertThat(end("2", 499, 1_000)).map(Beat::device).contains(TABLET);
        assertThat(end("1", 499, 1_000)).map(Beat::device).contains(PHONE);
    }

    @ParameterizedTest
    @ValueSource(ints = {200, 204, 302, 400, 403, 404, 429})
    void shouldLetTheLeaseRunOnWhenAPollIsAnswered(int status) {
        poll("1", POLL, null, 0);

        assertThat(end("1", status, 20_000)).isEmpty();
        assertThat(polls.tick(44_999)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(ints = {500, 502, 503, 504})
    void shouldHaveOneMoreLeaseWhenTheHomeserverFails(int status) {
        poll("1", POLL, null, 0);

        assertThat(end("1", status, 29_900)).contains(beat(null, 45_000));
    }

    @Test
    void shouldEndTheDeviceWhenItsTokenIsRefused() {
        poll("1", POLL, null, 0);
        end("1", 200, 29_000);
        poll("2", POLL, null, 29_100);

        Optional<OpenPolls.End> refused = polls.end("2", 401, 29_200);

        assertThat(refused).hasValueSatisfying(end -> {
            assertThat(end.poll().isUnauthorized()).isTrue();
            assertThat(end.poll().tokenHash()).isEqualTo("token");
            assertThat(end.beat()).contains(closed());
        });
    }

    @Test
    void shouldNotBeOpenWhenItsLineInTheLogCameFirst() {
        assertThat(polls.end("2", 200, 0)).isEmpty();
        poll("1", POLL, null, 10);
        poll("2", POLL, null, 20);

        assertThat(end("1", 499, 30)).contains(closed());
    }

    @Test
    void shouldSayThatItIsUnauthorizedWhenThatLineCameFirst() {
        polls.end("1", 401, 0);

        assertThat(polls.begin("1", "token", POLL, null, 10).isUnauthorized()).isTrue();
        assertThat(polls.begin("1", "token", POLL, null, 20).isUnauthorized()).isFalse();
    }

    @Test
    void shouldForgetALineWhenItsPollDoesNotCome() {
        polls.end("1", 401, 0);
        polls.tick(5_000);

        assertThat(polls.begin("1", "token", POLL, null, 5_001).isUnauthorized())
                .isFalse();
    }

    @Test
    void shouldWriteNothingWhenAPollIsClosedBeforeItIsKnownWhose() {
        Poll poll = polls.begin("1", "token", POLL, null, 0);
        end("1", 499, 10);

        assertThat(polls.identify(poll, PHONE, 20)).isEmpty();
        assertThat(polls.devices()).isZero();
    }

    @Test
    void shouldEndALiveDeviceWhenItsLastPollIsClosedBeforeItIsKnownWhose() {
        poll("1", POLL, null, 0);
        end("1", 200, 10);
        Poll poll = polls.begin("2", "token", POLL, null, 20);
        end("2", 499, 30);

        assertThat(polls.identify(poll, PHONE, 40)).contains(closed());
    }

    @Test
    void shouldStillCountWhenAPollIsAnsweredBeforeItIsKnownWhose() {
        Poll poll = polls.begin("1", "token", 0, null, 0);
        end("1", 200, 10);

        assertThat(polls.identify(poll, PHONE, 20)).contains(beat(null, 14_980));
        assertThat(polls.open()).isZero();
    }

    @Test
    void shouldCountAsClosedWhenItsLineIsLostAndItsLeaseIsOver() {
        poll("lost", POLL, null, 0);
        poll("1", POLL, null, 40_000);
        polls.tick(45_000);

        assertThat(polls.open()).isEqualTo(1);
        assertThat(end("1", 499, 50_000)).contains(closed());
    }

    @Test
    void shouldKeepItsLeaseWhenTheProxyNamesNoRequestId() {
        assertThat(poll("", POLL, null, 0)).contains(beat(null, 45_000));
        assertThat(polls.open()).isZero();
        assertThat(polls.end("", 499, 10)).isEmpty();
    }

    @Test
    void shouldNotEndWhatWasNeverPolled() {
        assertThat(polls.end("forged", 499, 0)).isEmpty();
        assertThat(polls.tick(1)).isEmpty();
    }

    @Test
    void shouldBeWrittenAgainWhenTheBrokersDoNotHaveIt() {
        Beat beat = poll("1", POLL, IDLE, 0).orElseThrow();
        polls.failed(beat, 5_000);

        assertThat(polls.tick(5_500)).isEmpty();
        assertThat(polls.tick(6_000)).containsExactly(beat(IDLE, 39_000));
        assertThat(polls.tick(7_000)).isEmpty();
    }

    @Test
    void shouldEndAgainWhenTheBrokersDoNotHaveTheEnd() {
        poll("1", POLL, null, 0);
        Beat end = end("1", 499, 1_000).orElseThrow();
        polls.tick(4_000);
        polls.failed(end, 5_000);

        assertThat(polls.tick(5_999)).isEmpty();
        assertThat(polls.tick(6_000)).containsExactly(end);
        assertThat(polls.tick(7_000)).isEmpty();
        polls.failed(end, 44_000);
        assertThat(polls.tick(45_000)).as("its lease has ended it").isEmpty();
        assertThat(polls.devices()).isZero();
    }

    @Test
    void shouldNotEndWhatHasComeBackWhenTheBrokersDoNotHaveTheEnd() {
        poll("1", POLL, null, 0);
        Beat end = end("1", 499, 1_000).orElseThrow();
        polls.failed(end, 2_000);

        assertThat(poll("2", POLL, null, 2_500)).contains(beat(null, 45_000));
        assertThat(polls.tick(3_000)).isEmpty();
        polls.failed(end, 3_500);
        assertThat(polls.tick(4_500)).isEmpty();
    }

    @Test
    void shouldNotSayAnOldStateAgainWhenTheClientHasSetAnotherOne() {
        Beat online = poll("1", POLL, ONLINE, 0).orElseThrow();
        polls.stateWasSet(PHONE, IDLE);
        polls.failed(online, 5_000);

        assertThat(polls.tick(6_000)).containsExactly(beat(null, 39_000));
        assertThat(poll("2", POLL, IDLE, 7_000)).as("nothing new").isEmpty();
        assertThat(poll("3", POLL, ONLINE, 8_000)).contains(beat(ONLINE, 45_000));
    }

    @Test
    void shouldBeForgottenWhenItsLeaseIsOver() {
        poll("1", POLL, null, 0);
        end("1", 200, 10_000);
        polls.tick(44_999);
        assertThat(polls.devices()).isEqualTo(1);

        polls.tick(45_000);

        assertThat(polls.devices()).isZero();
        assertThat(polls.open()).isZero();
    }

    @Test
    void shouldNotBeOpenWhenNobodyKnowsWhoseItIs() {
        polls.drop(polls.begin("1", "token", POLL, null, 0));

        assertThat(polls.open()).isZero();
        assertThat(polls.end("1", 401, 10)).isEmpty();
    }

    private Optional<Beat> poll(String id, long timeoutMs, @Nullable PresenceState state, long now) {
        return polls.identify(polls.begin(id, "token", timeoutMs, state, now), PHONE, now);
    }

    private Optional<Beat> end(String id, int status, long now) {
        return polls.end(id, status, now).flatMap(OpenPolls.End::beat);
    }

    private static Beat beat(@Nullable PresenceState state, long leaseMs) {
        return new Beat(PHONE, new Heartbeat("phone", state, false, OptionalLong.of(leaseMs), "matrix"));
    }

    private static Beat closed() {
        return new Beat(PHONE, new Heartbeat("phone", null, true, OptionalLong.empty(), "matrix"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "<190>Nov 30 08:00:00 host nginx: 0123abc 499",
                "<190>Nov 30 08:00:00 nginx: 0123abc 499",
                "<190>Nov  3 08:00:00 host presence: 0123abc 499\n"
            })
    void shouldReadALineOfTheLog(String datagram) {
        assertThat(LogLine.parse(datagram)).contains(new LogLine("0123abc", 499));
    }

    @Test
    void shouldReadNothingWhenItIsNoLineOfTheLog() {
        List<String> others = List.of(
                "",
                " ",
                "499",
                "0123abc 499",
                "Nov 30 08:00:00 host nginx: 0123abc 499",
                "<190>Nov 30 08:00:00 host nginx: 499",
                "<190>Nov 30 08:00:00 host nginx:  499",
                "<190>Nov 30 08:00:00 host nginx: 0123abc 4999",
                "<190>Nov 30 08:00:00 host nginx: 0123abc -99",
                "<190>Nov 30 08:00:00 host nginx: GET /_matrix/client/v3/sync?access_token=x 499",
                "<190>Nov 30 08:00:00 host nginx: " + "x".repeat(200) + " 499");

        assertThat(others).allSatisfy(other -> assertThat(LogLine.parse(other)).isEmpty());
    }
}
