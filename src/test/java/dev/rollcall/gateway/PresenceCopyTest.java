package dev.rollcall.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.domain.Presence;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.UserId;
import java.lang.reflect.Array;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The copy of the topic: which record of a user holds, in which order they are listed, and how much memory they take. */
class PresenceCopyTest {
    private static final int PARTITIONS = 3;
    private static final int USERS = 200;

    private final PresenceCopy copy = new PresenceCopy();
    private final long[] ends = new long[PARTITIONS];

    @Test
    void shouldGiveBackWhatARecordHas() {
        for (Presence presence : List.of(
                new Presence(PresenceState.ONLINE, null, null, 5, 5L, 1),
                new Presence(PresenceState.IDLE, null, "", 5, null, 2),
                new Presence(PresenceState.OFFLINE, null, "zum Öffnen \uD83C\uDF5D", 0, 0L, Long.MAX_VALUE))) {
            UserId user = UserId.of("é".repeat(127));
            PresenceRecord record = new PresenceRecord(user, presence, 77, 40_000, 1L << 40);

            assertThat(record.presence()).isEqualTo(presence);
            assertThat(record.user()).isEqualTo(user);
            assertThat(record.isOf(user)).isTrue();
        }
    }

    @Test
    void shouldKeepTheLaterRecordWhenTheUserIsOnTwoPartitions() {
        assertThat(put("user", 1, 5_000, 2)).isTrue();

        assertThat(put("user", 50, 4_999, 0)).as("an earlier instant").isFalse();
        assertThat(put("user", 1, 5_000, 2)).as("written twice").isFalse();
        assertThat(listed(0)).isEmpty();
        assertThat(copy.position(0)).isEqualTo(1);
        assertThat(put("user", 1, 6_000, 0)).as("a later instant").isTrue();
        assertThat(listed(2)).isEmpty();
        assertThat(listed(0)).hasSize(1);
    }

    /** Beside a model that has a map and sorts it. */
    @Test
    void shouldListTheLastRecordsInOrderWhateverHappened() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        Map<String, PresenceRecord> model = new HashMap<>();
        for (int round = 0; round < 20_000; round++) {
            int partition = random.nextInt(PARTITIONS);
            if (random.nextInt(4_000) == 0) {
                copy.clear(partition);
                ends[partition] = 0;
                model.values().removeIf(record -> record.partition == partition);
            }
            String user = "user" + random.nextInt(USERS);
            PresenceRecord record = record(user, round, round, partition, random.nextInt(5) == 0);
            copy.put(UserId.of(user), record);
            model.put(user, record);
            if (round % 100 == 0) {
                assertSame(model, seed);
            }
        }
    }

    private void assertSame(Map<String, PresenceRecord> model, long seed) {
        assertThat(copy.size()).as("seed %d", seed).isEqualTo(model.size());
        model.forEach((user, record) ->
                assertThat(copy.get(UserId.of(user))).as("seed %d", seed).isSameAs(record));
        for (int partition = 0; partition < PARTITIONS; partition++) {
            int number = partition;
            List<PresenceRecord> expected = model.values().stream()
                    .filter(record -> record.partition == number)
                    .sorted(Comparator.comparingLong(record -> record.offset))
                    .toList();
            assertThat(listed(partition)).as("seed %d", seed).isEqualTo(expected);
            long from = ends[partition] / 2;
            List<PresenceRecord> late = listed(partition, from);
            assertThat(late)
                    .as("seed %d", seed)
                    .isEqualTo(expected.stream()
                            .filter(record -> record.offset >= from)
                            .toList());
        }
    }

    @Test
    void shouldGoOnWhereItWasWhenRecordsAreTakenInParts() {
        for (int i = 0; i < USERS; i++) {
            put("user" + i, 1, i, 0);
        }
        List<PresenceRecord> all = listed(0);
        List<PresenceRecord> inParts = new ArrayList<>();
        PresenceRecord next = all.get(0);
        while (next != null) {
            List<PresenceRecord> part = new ArrayList<>();
            copy.collect(0, next.offset, next, any -> true, 8, part);
            next = part.size() == 8 ? part.remove(7) : null;
            inParts.addAll(part);
            if (next != null && inParts.size() % 3 == 0) {
                all = new ArrayList<>(all); // the next one moves to the end
                all.remove(next);
                put(next.user().toString(), 2, 1_000, 0);
                all.add(Objects.requireNonNull(copy.get(next.user())));
            }
        }

        assertThat(inParts).isEqualTo(all);
    }

    @Test
    void shouldEvictThoseWhoWereForgottenFirst() {
        int users = PresenceCopy.MAX_FORGOTTEN + 3;
        for (int i = 0; i < users; i++) {
            copy.put(UserId.of("user" + i), record("user" + i, i, i, 0, true));
        }
        put("user1", 1, users, 0); // is back
        assertThat(copy.size()).isEqualTo(users);
        copy.evictForgotten();

        assertThat(copy.size()).isEqualTo(users - 2);
        assertThat(copy.get(UserId.of("user0"))).isNull();
        assertThat(copy.get(UserId.of("user1"))).isNotNull();
        assertThat(copy.evictedBefore(0)).isEqualTo(3);
    }

    /**
     * Counts what is reachable from the copy, as a 64-bit JVM with a heap below 32 GB lays it out: 12 bytes of header, 4 per
     * reference, 16 before an array's elements, all in units of 8.
     */
    @Test
    void shouldTakeLittleMemoryPerUser() throws IllegalAccessException {
        long most = 0;
        long least = Long.MAX_VALUE;
        int users = 0;
        for (int measured = 20_000; measured <= 40_000; measured += 1_000) {
            while (users < measured) {
                put("@user%013d:server".formatted(users++), 3, users, users % PARTITIONS); // 25 bytes
            }
            long each = retained(copy) / users;
            most = Math.max(most, each);
            least = Math.min(least, each);
        }
        System.out.printf("the copy of presence takes %d to %d bytes per user with an id of 25 bytes%n", least, most);
        assertThat(UserId.of("@user%013d:server".formatted(0)).bytes()).hasSize(25);
        assertThat(most).isLessThan(150);
    }

    private static long retained(Object root) throws IllegalAccessException {
        Set<Object> found = Collections.newSetFromMap(new IdentityHashMap<>());
        Deque<Object> open = new ArrayDeque<>(List.of(root));
        long bytes = 0;
        while (!open.isEmpty()) {
            Object one = open.remove();
            if (found.add(one)) {
                bytes += one.getClass().isArray() ? sizeOfArray(one, open) : sizeOfObject(one, open);
            }
        }
        return bytes;
    }

    private static long sizeOfArray(Object array, Deque<Object> open) {
        Class<?> element = array.getClass().getComponentType();
        if (array instanceof Object[] objects) {
            Arrays.stream(objects).filter(Objects::nonNull).forEach(open::add);
        }
        return aligned(16 + (long) Array.getLength(array) * sizeOf(element));
    }

    private static long sizeOfObject(Object object, Deque<Object> open) throws IllegalAccessException {
        long bytes = 12;
        for (Field field : object.getClass().getDeclaredFields()) {
            Class<?> type = field.getType();
            if (!Modifier.isStatic(field.getModifiers())) {
                bytes += sizeOf(type);
                field.setAccessible(true);
                Object value = type.isPrimitive() || type.isEnum() || type.isInterface() ? null : field.get(object);
                if (value != null) {
                    open.add(value);
                }
            }
        }
        return aligned(bytes);
    }

    private static long aligned(long bytes) {
        return (bytes + 7) / 8 * 8;
    }

    private static int sizeOf(Class<?> type) {
        return type == long.class ? 8 : type == byte.class ? 1 : 4; // an int, or a reference
    }

    private List<PresenceRecord> listed(int partition) {
        return listed(partition, 0);
    }

    private List<PresenceRecord> listed(int partition, long from) {
        List<PresenceRecord> found = new ArrayList<>();
        if (partition < copy.partitions()) {
            copy.collect(partition, from, null, any -> true, Integer.MAX_VALUE, found);
        }
        return found;
    }

    private boolean put(String user, long sequence, long at, int partition) {
        return copy.put(UserId.of(user), record(user, sequence, at, partition, false));
    }

    private PresenceRecord record(String user, long sequence, long at, int partition, boolean forgotten) {
        @Nullable
        Presence presence = forgotten ? null : new Presence(PresenceState.ONLINE, null, null, at, at, sequence);
        return new PresenceRecord(UserId.of(user), presence, at, partition, ends[partition]++);
    }
}
