package dev.rollcall.simulation.people;

import dev.rollcall.simulation.kafka.Cluster;
import dev.rollcall.simulation.kafka.Producer;
import dev.rollcall.simulation.plan.Plan;
import dev.rollcall.simulation.time.Chance;
import dev.rollcall.simulation.time.EventQueue;
import java.util.ArrayList;
import java.util.List;

/** All shards and users of a run. */
public final class Population {
    private final EventQueue time;
    private final Plan plan;
    private final List<Shard> shards = new ArrayList<>();
    private final List<Person> people = new ArrayList<>();

    public Population(EventQueue time, Plan plan, Cluster cluster) {
        this.time = time;
        this.plan = plan;
        for (int number = 0; number < plan.shards(); number++) {
            Chance chance = Chance.of(plan.seed(), "shard", number);
            Producer producer = new Producer(
                    time,
                    Chance.of(plan.seed(), "producer", number),
                    chance.magnitude(500, 20_000),
                    chance.oneOf(0, 50, 1_000));
            shards.add(new Shard(time, plan, new Writer(cluster, producer), number, chance));
        }
        for (int user : plan.users()) {
            people.add(new Person(time, plan, shards, user, time.millis()));
        }
    }

    public List<Shard> shards() {
        return shards;
    }

    /** Writes so many bad records. */
    public void garbage(int count, Chance chance) {
        for (int i = 0; i < count; i++) {
            Writer writer = shards.get(chance.below(shards.size())).writer();
            byte[] user = people.isEmpty() || chance.oneIn(3)
                    ? Blunders.stranger(chance.below(1_000))
                    : people.get(chance.below(people.size())).key();
            time.afterMillis(chance.between(0, 2_000), () -> Blunders.garbage(writer, user, chance));
        }
    }

    /** One of those who are away comes at once. */
    public void callBack(Chance chance) {
        if (!people.isEmpty()) {
            people.get(chance.below(people.size())).returnEarly();
        }
    }

    /** Everybody goes home; returns how long it may take until nothing is left of them, in ms. */
    public long stop() {
        people.forEach(Person::stop);
        long lease = plan.setting("device.lease.ms");
        long shardLease = Math.min(3_600_000, 4 * plan.setting("shard.lease.ms"));
        return 200_000
                + 20 * lease
                + 3 * plan.setting("shard.hold.ms")
                + 4 * shardLease
                + 3 * plan.setting("shard.resume.ms");
    }

    public void stopShards() {
        shards.forEach(Shard::stop);
    }
}
