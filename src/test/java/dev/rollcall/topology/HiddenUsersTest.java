package dev.rollcall.topology;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.config.RollcallConfig;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.RoutingView;
import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserId;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.apache.kafka.streams.test.TestRecord;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Rule 9 as a property of bytes: while a user is hidden, nothing that the user's devices do shows in {@code presence}, nor does
 * the routing view change a byte of it.
 */
class HiddenUsersTest {
    private static final int LOGS = 60;
    private static final RollcallConfig PUBLIC = RollcallConfig.defaults();
    private static final RollcallConfig WITH_ROUTING = RollcallConfig.of(Map.of("routing.enabled", "true"));

    private static final UserId HIDDEN = UserId.of("hidden");
    private static final List<UserId> USERS = List.of(HIDDEN, UserId.of("alice"), UserId.of("bob"));

    private static final List<PresenceState> STATES =
            List.of(PresenceState.OFFLINE, PresenceState.IDLE, PresenceState.ONLINE);

    /** One record of a log, at a time in ms. */
    private record Event(
            long at,
            UserId user,
            @Nullable Heartbeat heartbeat,
            @Nullable StatusText text) {}

    static List<Long> seeds() {
        long first = System.nanoTime();
        List<Long> seeds = new ArrayList<>();
        for (int i = 0; i < LOGS; i++) {
            seeds.add(first + i);
        }
        return seeds;
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void shouldSayTheSameToTheByteWhenAHiddenUsersHeartbeatsAreTakenOut(long seed) {
        List<Event> log = randomLog(seed);
        Predicate<Event> hiddenHeartbeat = event -> event.user().equals(HIDDEN) && event.heartbeat() != null;
        List<Event> without = log.stream().filter(hiddenHeartbeat.negate()).toList();

        assertThat(without).hasSizeLessThan(log.size());
        assertThat(play(log, PUBLIC).presence).isEqualTo(play(without, PUBLIC).presence);
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void shouldTellOnlyTheRoutingViewOfAHiddenUsersDevices(long seed) {
        List<Event> log = randomLog(seed);
        Played withRouting = play(log, WITH_ROUTING);

        assertThat(withRouting.presence).isEqualTo(play(log, PUBLIC).presence);
        assertThat(devicesOf(HIDDEN, withRouting.routing)).isEqualTo(devicesThatBeat(log, HIDDEN));
        assertThat(sequencesOf(HIDDEN, withRouting.routing)).isSorted().doesNotHaveDuplicates();
        assertThat(withRouting.routing.stream().filter(record -> record.key().equals(HIDDEN) && record.value() != null))
                .allMatch(record -> record.value().appearOffline());
    }

    private static Set<String> devicesThatBeat(List<Event> log, UserId user) {
        Set<String> devices = new TreeSet<>();
        for (Event event : log) {
            if (event.user().equals(user) && event.heartbeat() != null) {
                devices.add(event.heartbeat().deviceId());
            }
        }
        return devices;
    }

    private static Set<String> devicesOf(UserId user, List<TestRecord<UserId, RoutingView>> routing) {
        return routing.stream()
                .filter(record -> record.key().equals(user) && record.value() != null)
                .flatMap(record -> record.value().devices().stream())
                .map(RoutingView.RoutedDevice::id)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static List<Long> sequencesOf(UserId user, List<TestRecord<UserId, RoutingView>> routing) {
        return routing.stream()
                .filter(record -> record.key().equals(user) && record.value() != null)
                .map(record -> record.value().sequence())
                .toList();
    }

    private record Played(List<String> presence, List<TestRecord<UserId, RoutingView>> routing) {}

    private static Played play(List<Event> log, RollcallConfig config) {
        try (TopologyContext rollcall = new TopologyContext(config)) {
            rollcall.appearOffline(HIDDEN, true, rollcall.now());
            // One user who is always there: the two logs are then read with the same clock ticks in them.
            rollcall.heartbeat(UserId.of("clock"), beat("clock", null, false, 3_600_000L, null), rollcall.now());
            for (Event event : log) {
                rollcall.passTo(event.at());
                if (event.heartbeat() != null) {
                    rollcall.heartbeat(event.user(), event.heartbeat(), event.at());
                } else if (event.text() != null) {
                    rollcall.status(event.user(), event.text(), event.at());
                }
            }
            rollcall.passTo(rollcall.now() + 200_000);
            return new Played(
                    rollcall.readBytes(rollcall.topics().presence().name()).stream()
                            .map(HiddenUsersTest::hex)
                            .toList(),
                    config.rules().routing() ? rollcall.routing() : List.of());
        }
    }

    private static String hex(TestRecord<byte[], byte[]> record) {
        HexFormat hex = HexFormat.of();
        return "%d %s %s %s"
                .formatted(
                        record.timestamp(),
                        hex.formatHex(record.key()),
                        record.value() == null ? "null" : hex.formatHex(record.value()),
                        record.headers());
    }

    private static List<Event> randomLog(long seed) {
        Random random = new Random(seed);
        List<Event> log = new ArrayList<>();
        long at = 0;
        for (int i = 0; i < 60; i++) {
            at += random.nextInt(6) == 0 ? random.nextInt(40_000) : random.nextInt(3_000);
            UserId user = USERS.get(random.nextInt(USERS.size()));
            if (random.nextInt(8) == 0) {
                Long expiresAt = random.nextBoolean() ? null : (Long) (at + random.nextInt(30_000));
                log.add(new Event(at, user, null, new StatusText("text" + random.nextInt(3), expiresAt)));
            } else {
                PresenceState state = random.nextInt(3) == 0 ? null : STATES.get(random.nextInt(3));
                log.add(new Event(
                        at,
                        user,
                        beat(
                                "device" + random.nextInt(3),
                                state,
                                state != null && random.nextInt(6) == 0,
                                random.nextInt(4) == 0 ? (Long) (1_000L + random.nextInt(60_000)) : null,
                                random.nextBoolean() ? "shard" + random.nextInt(2) : null),
                        null));
            }
        }
        log.add(new Event(at, HIDDEN, beat("last", null, false, null, null), null));
        return log;
    }

    private static Heartbeat beat(
            String device,
            @Nullable PresenceState state,
            boolean ended,
            @Nullable Long leaseMs,
            @Nullable String shard) {
        OptionalLong lease = leaseMs == null ? OptionalLong.empty() : OptionalLong.of(leaseMs);
        return new Heartbeat(device, state, ended, lease, shard);
    }
}
