package dev.rollcall.simulation.people;

import dev.rollcall.simulation.kafka.Cluster;
import dev.rollcall.simulation.kafka.Producer;
import dev.rollcall.simulation.plan.Plan;
import dev.rollcall.simulation.time.Chance;
import dev.rollcall.simulation.time.EventQueue;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.IntStream;

/** All shards and users of a run. */
public final class Population {
    /** A user who is shown and should not be, or the other way round. */
    public record Misshown(String user, String what) {}

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
            shards.add(new Shard(time, plan, cluster, new Writer(cluster, producer), number, chance));
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
                    : people.get(chance.below(people.size())).forged();
            time.afterMillis(chance.between(0, 2_000), () -> Blunders.garbage(writer, user, chance));
        }
    }

    /** One of those who are away comes at once. */
    public void callBack(Chance chance) {
        if (!people.isEmpty()) {
            people.get(chance.below(people.size())).returnEarly();
        }
    }

    /** Whether some shards use the client's publisher, which is what {@link #misshown} is about. */
    public boolean hasPublishers() {
        return IntStream.range(0, plan.shards()).anyMatch(plan::hasPublisher);
    }

    /** Nobody does anything from now on; who is connected stays so. */
    public void rest() {
        people.forEach(Person::rest);
        shards.forEach(Shard::calm);
    }

    /**
     * Whom the publishers have not seen to, after a rest of {@link #patienceMs}: who is connected to a shard that has been well
     * for so long must be shown, and if all shards use publishers, who is not connected must not be (promise 12).
     *
     * @param isShown of a user
     */
    public List<Misshown> misshown(Predicate<byte[]> isShown) {
        boolean allHavePublishers = IntStream.range(0, plan.shards()).allMatch(plan::hasPublisher);
        List<Misshown> all = new ArrayList<>();
        for (Person person : people) {
            String user = new String(person.key(), StandardCharsets.UTF_8);
            if (isShown.test(person.key())) {
                if (allHavePublishers && person.mustBeGone()) {
                    all.add(new Misshown(user, "is shown, and none of their devices has been connected for long"));
                }
            } else if (person.mustBeShown(patienceMs(), plan.setting("max.devices.per.user"))) {
                all.add(new Misshown(user, "is not shown, and is connected to a shard that has been well for long"));
            }
        }
        return all;
    }

    /** Everybody goes home; returns how long it may take until nothing is left of them, in ms. */
    public long stop() {
        people.forEach(Person::stop);
        return patienceMs();
    }

    /** How long it may take until all has been told and nothing is left of what has gone, if nothing else goes wrong. */
    public long patienceMs() {
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
