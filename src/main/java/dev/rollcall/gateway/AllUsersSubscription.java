package dev.rollcall.gateway;

import dev.rollcall.domain.UserId;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** All users, in the order of the topic's offsets. Keeps positions and no queue, so that its size does not grow with users. */
final class AllUsersSubscription extends PresenceSubscription {
    private final PresenceFeed feed;

    /** Per partition, the next offset after what was delivered. */
    private long[] delivered = new long[0];

    /** Per partition, the end of the snapshot, which leaves out the users who are forgotten. */
    private long[] snapshotEnd = new long[0];

    /** The next record to deliver, where the last batch was full; the next one begins with its partition. */
    private @Nullable PresenceRecord next;

    AllUsersSubscription(PresenceFeed feed, @Nullable BatchToken from, Runnable onChange) {
        super(feed, from, onChange);
        this.feed = feed;
        feed.add(this);
    }

    @Override
    void begin(PresenceCopy copy, @Nullable BatchToken from) {
        if (from == null) {
            snapshotEnd = new long[copy.partitions()];
            Arrays.setAll(snapshotEnd, copy::position);
        } else {
            delivered = new long[copy.partitions()];
            Arrays.setAll(delivered, from::offset);
        }
    }

    @Override
    public boolean watch(Set<UserId> users) {
        return false;
    }

    @Override
    BatchToken collect(PresenceCopy copy, int maxUsers, List<PresenceRecord> found) {
        int partitions = copy.partitions();
        int first = next == null ? 0 : next.partition;
        delivered = Arrays.copyOf(delivered, partitions);
        more = false;
        for (int i = 0; i < partitions && !more; i++) {
            int partition = (first + i) % partitions;
            if (delivered[partition] < copy.position(partition)) {
                copy.collect(partition, delivered[partition], next, this::isNews, maxUsers + 1, found);
                more = found.size() > maxUsers;
                next = more ? found.remove(maxUsers) : null;
                delivered[partition] = next == null ? copy.position(partition) : next.offset;
            }
        }
        return feed.token(partitions, partition -> delivered[partition]);
    }

    private boolean isNews(PresenceRecord record) {
        return !record.isForgotten()
                || record.partition >= snapshotEnd.length
                || record.offset >= snapshotEnd[record.partition];
    }

    @Override
    void restart() {
        super.restart();
        delivered = new long[0];
        snapshotEnd = new long[0];
    }

    @Override
    void changed(UserId user) {
        // The positions tell.
    }

    @Override
    public void close() {
        feed.remove(this);
    }
}
