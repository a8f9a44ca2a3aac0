package dev.rollcall.store;

import dev.rollcall.domain.UserSnapshot;
import dev.rollcall.memory.UnstoredUsers;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.processor.TaskId;
import org.apache.kafka.streams.state.KeyValueBytesStoreSupplier;
import org.apache.kafka.streams.state.KeyValueStore;

/** Makes the {@link UserStore} of each task, and knows it until it is closed. Thread-safe. */
public final class UserStores implements KeyValueBytesStoreSupplier {
    private final KeyValueBytesStoreSupplier rows;
    private final Serializer<UserSnapshot> serializer;
    private final Map<TaskId, UserStore> open = new ConcurrentHashMap<>();

    /** @param rows makes the stores in which the rows are, by default RocksDB's */
    public UserStores(KeyValueBytesStoreSupplier rows, Serializer<UserSnapshot> serializer) {
        this.rows = rows;
        this.serializer = serializer;
    }

    @Override
    public String name() {
        return rows.name();
    }

    @Override
    public KeyValueStore<Bytes, byte[]> get() {
        return new UserStore(rows.get(), serializer, open);
    }

    @Override
    public String metricsScope() {
        return rows.metricsScope();
    }

    /**
     * From now on the task's store leaves the rows of these users to the memory that they are in. Only on the task's own
     * thread, and only after all that is stored was read.
     */
    public void leaveTo(UnstoredUsers users, TaskId task) {
        UserStore store = open.get(task);
        if (store == null) {
            throw new IllegalStateException("the store of task %s is not open".formatted(task));
        }
        store.leaveTo(users);
    }
}
