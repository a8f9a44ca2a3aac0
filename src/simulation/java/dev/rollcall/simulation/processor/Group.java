package dev.rollcall.simulation.processor;

import dev.rollcall.simulation.time.Chance;
import dev.rollcall.simulation.time.EventQueue;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The group of the processors: who owns which partition, and what was committed of the inputs. */
final class Group {
    /** {@code session.timeout.ms} of a processor. */
    static final long SESSION_MS = 10_000;

    private final EventQueue time;
    private final Chance chance;
    private final long[][] committed;
    private final List<StreamThread> members = new ArrayList<>();
    private final @Nullable StreamThread[] owners;
    private final boolean[] isMoving;
    private int shift;
    private boolean isRebalancing;

    Group(EventQueue time, Chance chance, int topics, int partitions) {
        this.time = time;
        this.chance = chance;
        committed = new long[topics][partitions];
        owners = new StreamThread[partitions];
        isMoving = new boolean[partitions];
    }

    long committed(int topic, int partition) {
        return committed[topic][partition];
    }

    void commit(int topic, int partition, long offset) {
        committed[topic][partition] = offset;
    }

    boolean isMember(StreamThread thread) {
        return members.contains(thread);
    }

    int size() {
        return members.size();
    }

    void join(StreamThread thread) {
        members.add(thread);
        rebalance();
    }

    /** One that has given up its partitions, or is taken for dead. */
    void leave(StreamThread thread) {
        if (members.remove(thread)) {
            for (int partition = 0; partition < owners.length; partition++) {
                if (owners[partition] == thread) {
                    owners[partition] = null;
                    isMoving[partition] = false;
                    thread.assignment().fence(partition);
                }
            }
            rebalance();
        }
    }

    /** Gives the partitions to others than before, as after a change of the assignor's mind. */
    void shuffle() {
        shift++;
        rebalance();
    }

    private void rebalance() {
        if (!isRebalancing) {
            isRebalancing = true;
            time.afterMillis(chance.between(50, 3_000), this::assign);
        }
    }

    private void assign() {
        isRebalancing = false;
        if (members.isEmpty()) {
            return;
        }
        for (int partition = 0; partition < owners.length; partition++) {
            StreamThread target = members.get((partition + shift) % members.size());
            StreamThread owner = owners[partition];
            if (owner == target || isMoving[partition]) {
                continue;
            }
            if (owner == null) {
                give(partition, target);
            } else {
                isMoving[partition] = true;
                owner.assignment().revoke(partition);
            }
        }
    }

    /** A revoked partition is free, or its owner is not a member any more. */
    void released(int partition) {
        owners[partition] = null;
        isMoving[partition] = false;
        rebalance();
    }

    private void give(int partition, StreamThread thread) {
        owners[partition] = thread;
        isMoving[partition] = false;
        thread.assignment().give(partition);
    }

    boolean isSettled() {
        return !isRebalancing && Arrays.stream(owners).allMatch(owner -> owner != null && owner.isOpen());
    }

    @Nullable
    StreamThread owner(int partition) {
        return owners[partition];
    }
}
