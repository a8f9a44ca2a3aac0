package dev.rollcall.simulate;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.UserId;
import dev.rollcall.simulate.Plan.Event;
import dev.rollcall.wire.Inbound.AppearOffline;
import dev.rollcall.wire.Inbound.Beat;
import dev.rollcall.wire.Inbound.Status;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class PlanTest {
    private static final Population POPULATION = new Population(500, 4, 100, 4, 7);

    @Test
    void shouldPlanTheSameWhenTheSeedIsTheSame() {
        assertThat(plan(POPULATION, 120)).isEqualTo(plan(POPULATION, 120));
        assertThat(plan(POPULATION, 120)).isNotEqualTo(plan(new Population(500, 4, 100, 4, 8), 120));
    }

    @Test
    void shouldGiveAsManyHeartbeatsASecondAsWereAskedFor() {
        List<Event> events = plan(POPULATION, 300);

        assertThat(events.stream()
                        .filter(event -> event.content() instanceof Beat)
                        .collect(Collectors.groupingBy(event -> event.atMs() / 1_000, Collectors.counting())))
                .hasSize(300)
                .containsValue(100L)
                .allSatisfy((second, beats) -> assertThat(beats).isBetween(90L, 100L));
        assertThat(events).isSortedAccordingTo((one, other) -> Long.compare(one.atMs(), other.atMs()));
    }

    @Test
    void shouldGiveUsersOneToFourDevicesOfDifferingHabits() {
        Set<String> devices = new HashSet<>();
        Set<UserId> users = new HashSet<>();
        Set<String> ids = new HashSet<>();
        for (Event event : plan(POPULATION, 600)) {
            if (event.content() instanceof Beat beat) {
                devices.add(event.user() + "/" + beat.heartbeat().deviceId());
                users.add(event.user());
                ids.add(beat.heartbeat().deviceId());
            }
        }

        int planned = new Plan(POPULATION, true, Tempo.LIFELIKE).devices();
        assertThat(ids).containsExactlyInAnyOrder("phone", "desktop", "bot", "tablet");
        assertThat(planned).isBetween(1_100, 1_400);
        assertThat(devices).hasSizeBetween(planned / 2, planned);
        assertThat(users).hasSizeBetween(400, 500);
    }

    @Test
    void shouldHaveAllKindsOfEventsWhenItRunsForAnHour() {
        List<Event> events = plan(POPULATION, 3_600);
        List<Heartbeat> beats = events.stream()
                .filter(event -> event.content() instanceof Beat)
                .map(event -> ((Beat) event.content()).heartbeat())
                .toList();

        assertThat(beats).extracting(Heartbeat::state).contains(PresenceState.ONLINE, PresenceState.IDLE, null);
        long ends = beats.stream().filter(Heartbeat::connectionEnded).count();
        long changes = beats.stream().filter(beat -> beat.state() != null).count();
        assertThat(ends).isBetween(500L, (long) beats.size() / 20);
        assertThat(changes).isBetween(1_000L, (long) beats.size() / 10);
        assertThat(events).anyMatch(event -> event.content() instanceof Status);
        assertThat(events).anyMatch(event -> event.content() instanceof AppearOffline flag && flag.appearOffline());
        assertThat(events).anyMatch(event -> event.content() instanceof AppearOffline flag && !flag.appearOffline());
    }

    @Test
    void shouldBeSilentForAllOfAShardsDevicesWhenItIsDeployed() {
        Plan plan = new Plan(POPULATION, true, Tempo.LIFELIKE);
        Set<String> silent = new HashSet<>();
        plan(POPULATION, 700).forEach(event -> {
            if (event.content() instanceof Beat beat) {
                String name = String.valueOf(beat.heartbeat().shard());
                int shard = Integer.parseInt(name.substring(name.lastIndexOf('-') + 1));
                assertThat(plan.isDown(shard, event.atMs())).isFalse();
                silent.add(name);
            }
        });
        assertThat(silent).hasSize(4);

        for (int shard = 0; shard < 4; shard++) {
            int which = shard;
            assertThat(new ArrayList<>(LongStream.range(0, 660)
                            .filter(second -> plan.isDown(which, second * 1_000))
                            .boxed()
                            .toList()))
                    .hasSize(20);
        }
    }

    @Test
    void shouldOpenChangeAndEndConnectionsOnceWhereTheShardHoldsThem() {
        Map<String, PresenceState> open = new HashMap<>();
        Map<String, String> lives = new HashMap<>();
        int reopened = 0;
        for (Event event : plan(POPULATION, 1_800)) {
            if (!(event.content() instanceof Beat beat)) {
                continue;
            }
            Heartbeat heartbeat = beat.heartbeat();
            String shard = String.valueOf(heartbeat.shard());
            boolean isConnected = shard.endsWith("1") || shard.endsWith("3");
            assertThat(heartbeat.session() != null).isEqualTo(isConnected);
            assertThat(heartbeat.leaseMs().isPresent()).isNotEqualTo(isConnected);
            if (!isConnected) {
                continue;
            }
            String device = event.user() + "/" + heartbeat.deviceId();
            String life = String.valueOf(heartbeat.session());
            if (!life.equals(lives.put(shard, life))) {
                reopened += open.size();
                open.keySet().removeIf(one -> one.startsWith(shard + "/"));
            }
            String key = shard + "/" + device;
            assertThat(event.opens()).isEqualTo(!open.containsKey(key) && !heartbeat.connectionEnded());
            if (heartbeat.connectionEnded()) {
                assertThat(open.remove(key)).isNotNull();
            } else {
                assertThat(open.put(key, heartbeat.state())).isNotEqualTo(heartbeat.state());
            }
        }
        assertThat(open).hasSizeGreaterThan(100);
        assertThat(reopened).isGreaterThan(100);
    }

    @Test
    void shouldShowAllThatUsersDoWithinTenSecondsWhenItIsToBeWatched() {
        Plan plan = new Plan(new Population(300, 2, 300, 4, 1), true, Tempo.LIVELY);
        List<Event> events = new ArrayList<>();
        for (int second = 0; second < 20; second++) {
            plan.nextSecond(events::add);
        }
        Map<String, Heartbeat> last = new HashMap<>();
        Map<String, Long> lastAt = new HashMap<>();
        Set<UserId> came = new HashSet<>();
        Set<UserId> idle = new HashSet<>();
        Set<UserId> left = new HashSet<>();
        Set<UserId> hid = new HashSet<>();
        Set<String> texts = new HashSet<>();
        for (Event event : events) {
            if (event.content() instanceof Beat beat) {
                String device = event.user() + "/" + beat.heartbeat().deviceId();
                last.put(device, beat.heartbeat());
                lastAt.put(device, event.atMs());
            }
            if (event.atMs() >= 10_000) {
                continue;
            }
            if (event.content() instanceof Beat beat) {
                came.add(event.user());
                if (beat.heartbeat().state() == PresenceState.IDLE) {
                    idle.add(event.user());
                }
                if (beat.heartbeat().connectionEnded() && event.atMs() < 5_000) { // and a grace of 5 s
                    left.add(event.user());
                }
            } else if (event.content() instanceof AppearOffline flag && flag.appearOffline()) {
                hid.add(event.user());
            } else if (event.content() instanceof Status status) {
                texts.add(String.valueOf(status.text().text()));
            }
        }
        long vanished = lastAt.entrySet().stream()
                .filter(device -> {
                    Heartbeat heartbeat = requireNonNull(last.get(device.getKey()));
                    return !heartbeat.connectionEnded()
                            && heartbeat.leaseMs().isPresent()
                            && device.getValue() + heartbeat.leaseMs().getAsLong() < 10_000;
                })
                .count();

        assertThat(came).hasSizeGreaterThan(150);
        assertThat(idle).hasSizeGreaterThan(15);
        assertThat(left).hasSizeGreaterThan(2);
        assertThat(hid).hasSizeGreaterThan(2);
        assertThat(texts).hasSizeGreaterThan(5);
        assertThat(vanished).isGreaterThan(0);
    }

    @Test
    void shouldOnlyPollWhenThereAreToBeNoConnections() {
        Plan plan = new Plan(POPULATION, false, Tempo.LIFELIKE);
        List<Event> events = new ArrayList<>();
        for (int second = 0; second < 60; second++) {
            plan.nextSecond(events::add);
        }

        assertThat(events)
                .filteredOn(event -> event.content() instanceof Beat)
                .isNotEmpty()
                .allMatch(event -> ((Beat) event.content()).heartbeat().session() == null);
    }

    @Test
    void shouldSleepAtNightWhenItIsAPersonAndNeverWhenItIsABot() {
        assertThat(Habit.awake(4)).isBetween(0.04, 0.06);
        assertThat(Habit.awake(16)).isBetween(0.94, 0.96);
        assertThat(Habit.awake(28)).isEqualTo(Habit.awake(4));

        assertThat(Habit.DESKTOP.next(Mode.AWAY, 0.5, 0.05)).isEqualTo(Mode.AWAY);
        assertThat(Habit.DESKTOP.next(Mode.AWAY, 0.5, 0.95)).isEqualTo(Mode.ACTIVE);
        assertThat(Habit.DESKTOP.next(Mode.ACTIVE, 0.01, 0.95)).isEqualTo(Mode.VANISHED);
        assertThat(Habit.PHONE.next(Mode.ACTIVE, 0.1, 0.95)).isEqualTo(Mode.TUNNEL);
        assertThat(Habit.PHONE.next(Mode.TUNNEL, 0.99, 0.05)).isEqualTo(Mode.ACTIVE);
        assertThat(Habit.PHONE.next(Mode.ACTIVE, 0.5, 0.95)).isEqualTo(Mode.AWAY);
        assertThat(Habit.BOT.next(Mode.AWAY, 0.99, 0.05)).isEqualTo(Mode.ACTIVE);
        assertThat(Habit.BOT.next(Mode.ACTIVE, 0.5, 0.05)).isEqualTo(Mode.ACTIVE);
    }

    @Test
    void shouldNameALeaseOfThreeTurnsWhenTurnsAreLong() {
        assertThat(firstLease(new Population(1_000, 1, 10, 1, 1))).isEqualTo(300_000);
        assertThat(firstLease(new Population(1_000, 1, 1_000, 1, 1))).isEqualTo(30_000);
        assertThat(firstLease(new Population(100_000, 1, 1, 1, 1))).isEqualTo(86_400_000);
    }

    @Test
    void shouldRefuseWhenTheFiguresMakeNoSense() {
        assertThatIllegalArgumentException().isThrownBy(() -> new Population(0, 1, 1, 1, 1));
        assertThatIllegalArgumentException().isThrownBy(() -> new Population(1, 5, 1, 1, 1));
        assertThatIllegalArgumentException().isThrownBy(() -> new Population(1, 1, 0, 1, 1));
        assertThatIllegalArgumentException().isThrownBy(() -> new Population(1, 1, 1, 0, 1));
    }

    private static long firstLease(Population population) {
        return plan(population, 60).stream()
                .filter(event -> event.content() instanceof Beat)
                .mapToLong(
                        event -> ((Beat) event.content()).heartbeat().leaseMs().orElseThrow())
                .findFirst()
                .orElseThrow();
    }

    private static List<Event> plan(Population population, int seconds) {
        Plan plan = new Plan(population, true, Tempo.LIFELIKE);
        List<Event> events = new ArrayList<>();
        for (int second = 0; second < seconds; second++) {
            plan.nextSecond(events::add);
        }
        return events;
    }
}
