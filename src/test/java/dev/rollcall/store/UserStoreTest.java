package dev.rollcall.store;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserId;
import dev.rollcall.domain.UserSnapshot;
import dev.rollcall.memory.UnstoredUsers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.processor.TaskId;
import org.apache.kafka.streams.processor.api.MockProcessorContext;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One truth per user, whether in memory, on the way to RocksDB, or there; with a real RocksDB. */
class UserStoreTest {
    private static final TopicPartition CHANGELOG = new TopicPartition("test-users-changelog", 3);
    private static final TaskId TASK = new TaskId(0, 3);
    private static final UserId ALICE = UserId.of("@alice:example.org");
    private static final UserId BOB = UserId.of("@bob:example.org");

    @TempDir
    private Path directory;

    private final Memory memory = new Memory();
    private KeyValueStore<Bytes, byte[]> store;

    @BeforeEach
    void open() {
        store = open(StreamsConfig.EXACTLY_ONCE_V2);
    }

    @AfterEach
    void close() {
        store.close();
    }

    @Test
    void shouldLeaveTheRowToTheMemoryOfThoseInIt() {
        memory.users.put(ALICE, text("new"));

        store.put(key(ALICE), row("new"));
        store.put(key(BOB), row("his"));

        assertThat(rows(store.range(null, null))).containsExactly(Map.entry(BOB, "his"));
        assertThat(text(store.get(key(ALICE)))).isEqualTo("new");
    }

    @Test
    void shouldReadWhatCameLastWhenRocksDbHasAnOlderRow() {
        store.put(key(ALICE), row("old"));
        rows(store.all());

        store.put(key(ALICE), row("newer"));
        assertThat(text(store.get(key(ALICE)))).isEqualTo("newer");

        memory.users.put(ALICE, text("newest"));
        assertThat(text(store.get(key(ALICE)))).isEqualTo("newest");

        memory.users.clear();
        store.put(key(ALICE), null);
        assertThat(store.get(key(ALICE))).isNull();
    }

    @Test
    void shouldFindEverybodyAfterACleanClose() {
        memory.users.put(ALICE, text("in memory"));
        store.put(key(BOB), row("waiting"));

        store.commit(Map.of(CHANGELOG, 7L));
        store.close();
        memory.users.clear();
        store = open(StreamsConfig.EXACTLY_ONCE_V2);

        assertThat(store.committedOffset(CHANGELOG)).isEqualTo(7);
        assertThat(rows(store.all())).containsOnly(Map.entry(ALICE, "in memory"), Map.entry(BOB, "waiting"));
    }

    /** As Kafka Streams does with a corrupted task, before it wipes the directory. */
    @Test
    void shouldHaveNoOffsetWhenWhatIsHereIsCorrupt() {
        store.commit(Map.of(CHANGELOG, 7L));

        store.commit(Map.of());

        assertThat(store.committedOffset(CHANGELOG)).isNull();
    }

    /** There, a crash leaves the rows up to the last commit, and they are believed. */
    @Test
    void shouldLeaveNothingToTheMemoryUnderAtLeastOnce() {
        store.close();
        store = open(StreamsConfig.AT_LEAST_ONCE);
        memory.users.put(ALICE, text("in memory"));

        store.put(key(ALICE), row("stored"));
        store.commit(Map.of(CHANGELOG, 7L));

        assertThat(rows(store.range(null, null))).containsExactly(Map.entry(ALICE, "stored"));
    }

    /** Users come, change, leave and are forgotten; the store is closed and opened again; beside a map that does the same. */
    @Test
    void shouldAlwaysKnowTheNewestOfEachUser() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        Map<UserId, String> truth = new HashMap<>();
        for (int step = 0; step < 8_000; step++) {
            UserId user = UserId.of("user " + random.nextInt(500));
            String text = "text " + step;
            int kind = random.nextInt(1_000);
            if (kind < 400) { // a change in memory
                memory.users.put(user, text(text));
                store.put(key(user), row(text));
                truth.put(user, text);
            } else if (kind < 800) { // the user leaves, or changes without being in memory
                memory.users.remove(user);
                store.put(key(user), row(text));
                truth.put(user, text);
            } else if (kind < 950) {
                memory.users.remove(user);
                store.put(key(user), null);
                truth.remove(user);
            } else if (kind < 980) { // a scan
                Set<UserId> found =
                        new HashSet<>(rows(store.range(key(user), null)).keySet());
                Set<UserId> missing = new HashSet<>(truth.keySet());
                missing.removeIf(one -> one.compareTo(user) < 0 || memory.users.containsKey(one));
                assertThat(found).as("seed %d, step %d", seed, step).containsAll(missing);
            } else if (kind < 990) {
                store.commit(Map.of(CHANGELOG, (long) step));
                store.close();
                memory.users.clear();
                store = open(StreamsConfig.EXACTLY_ONCE_V2);
            } else if (kind == 990) {
                assertThat(rows(store.all())).as("seed %d, step %d", seed, step).isEqualTo(truth);
            }
            UserId any = UserId.of("user " + random.nextInt(500));
            byte[] read = store.get(key(any));
            assertThat(read == null ? null : text(read))
                    .as("seed %d, step %d", seed, step)
                    .isEqualTo(truth.get(any));
        }
    }

    private KeyValueStore<Bytes, byte[]> open(String guarantee) {
        Properties properties = new Properties();
        properties.put(StreamsConfig.APPLICATION_ID_CONFIG, "test");
        properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "nowhere:1");
        properties.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, guarantee);
        UserStores stores = new UserStores(
                Stores.persistentKeyValueStore("users"),
                (topic, user) -> row(Objects.requireNonNull(user.status().text())));
        KeyValueStore<Bytes, byte[]> opened = stores.get();
        opened.init(
                new MockProcessorContext<Void, Void>(properties, TASK, directory.toFile()).getStateStoreContext(),
                opened);
        stores.leaveTo(memory, TASK);
        return opened;
    }

    private static Map<UserId, String> rows(KeyValueIterator<Bytes, byte[]> iterator) {
        Map<UserId, String> rows = new TreeMap<>();
        try (iterator) {
            while (iterator.hasNext()) {
                KeyValue<Bytes, byte[]> row = iterator.next();
                rows.put(UserId.ofBytes(row.key.get()), text(row.value));
            }
        }
        return rows;
    }

    private static Bytes key(UserId user) {
        return Bytes.wrap(user.bytes());
    }

    private static byte[] row(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String text(byte[] row) {
        return new String(row, StandardCharsets.UTF_8);
    }

    private static UserSnapshot text(String text) {
        UserSnapshot none = UserSnapshot.EMPTY;
        return new UserSnapshot(
                none.devices(),
                new StatusText(text, null),
                none.appearOffline(),
                none.emitted(),
                none.lastActive(),
                none.forgettableSince(),
                none.statusAt(),
                none.appearOfflineAt(),
                none.leftOnline(),
                none.leftIdle(),
                none.routingSequence(),
                none.clockAheadMs(),
                none.takenEarly());
    }

    /** Those in memory, as a partition would have them. */
    private static final class Memory implements UnstoredUsers {
        private final Map<UserId, UserSnapshot> users = new TreeMap<>();

        @Override
        public boolean contains(UserId user) {
            return users.containsKey(user);
        }

        @Override
        public UserSnapshot get(UserId user) {
            return Objects.requireNonNull(users.get(user));
        }

        @Override
        public void forEach(BiConsumer<UserId, UserSnapshot> consumer) {
            List<Map.Entry<UserId, UserSnapshot>> all = new ArrayList<>(users.entrySet());
            all.forEach(user -> consumer.accept(user.getKey(), user.getValue()));
        }

        @Override
        public void stored() {}
    }
}
