package dev.rollcall.simulation.plan;

import dev.rollcall.simulation.time.Chance;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * A run. What a user or a fault does is drawn from the seed and its own number, so that without the others it does the same.
 *
 * @param users the numbers of those who take part
 * @param unitMs a second of these people's lives: leases and habits are multiples of it
 * @param isSparse everybody is away for days or months, and the shards are silent while they hold nobody
 * @param settings Rollcall's
 */
public record Plan(
        long seed,
        long durationMs,
        List<Integer> users,
        long unitMs,
        boolean isSparse,
        int partitions,
        int machines,
        int shards,
        boolean isHostile,
        int fetchLimit,
        int turnLimit,
        Map<String, String> settings,
        List<Fault> faults) {

    private static final long HOUR_MS = 3_600_000;
    private static final long DAY_MS = 24 * HOUR_MS;
    private static final long YEAR_MS = 365 * DAY_MS;

    /** What the command line sets; 0 and below: drawn. */
    public record Wishes(double years, int users, int faults) {}

    public static Plan draw(long seed, Wishes wishes) {
        Chance chance = Chance.of(seed, "plan", 0);
        Chance pace = Chance.of(seed, "pace", 0);
        int users = (int) chance.magnitude(1, 2_000);
        long unit = chance.oneOf(1_000L, 1_000L, 4_000L, 20_000L);
        long duration = chance.magnitude(HOUR_MS, 4 * DAY_MS) * unit / 1_000;
        int faults = (int) chance.magnitude(1, 60);
        boolean isSparse = wishes.years > 0.1 || (wishes.years <= 0 && pace.oneIn(3));
        if (isSparse) {
            users = (int) pace.magnitude(1, 20);
            unit = 60_000;
            duration = pace.magnitude(30 * DAY_MS, 5 * YEAR_MS);
        }
        if (wishes.users > 0) {
            users = wishes.users;
        }
        if (wishes.years > 0) {
            duration = (long) (wishes.years * YEAR_MS);
        }
        if (isSparse) {
            faults = (int) Math.min(2_000, Math.max(faults, pace.magnitude(1, 4) * duration / DAY_MS / 4));
        }
        if (wishes.faults >= 0) {
            faults = wishes.faults;
        }
        Map<String, String> settings = settings(chance, unit);
        long lease = Long.parseLong(settings.get("device.lease.ms"));
        long last = duration;
        return new Plan(
                seed,
                duration,
                IntStream.range(0, users).boxed().toList(),
                unit,
                isSparse,
                (int) chance.between(1, 4),
                (int) chance.between(1, 3),
                (int) chance.between(1, 4),
                chance.oneIn(3),
                (int) chance.magnitude(5, 1_000),
                (int) chance.magnitude(1, 500),
                settings,
                IntStream.range(0, faults)
                        .mapToObj(number -> Fault.draw(seed, number, last, lease))
                        .toList());
    }

    private static Map<String, String> settings(Chance chance, long unit) {
        Map<String, String> all = new TreeMap<>();
        long lease = chance.between(5, 40) * unit;
        all.put("device.lease.ms", Long.toString(lease));
        all.put("disconnect.grace.ms", Long.toString(chance.oneIn(8) ? 0 : chance.between(1, 8) * unit));
        all.put("user.retention.ms", Long.toString(chance.oneOf(100 * lease, 1_000 * lease, 30 * DAY_MS)));
        all.put("max.devices.per.user", Long.toString(chance.oneOf(3L, 64L, 64L)));
        all.put("shard.quiet.ms", Long.toString(chance.between(5, 20) * unit));
        all.put("shard.hold.ms", Long.toString(chance.oneIn(8) ? 0 : chance.between(10, 70) * unit));
        all.put("shard.lease.ms", Long.toString(Math.min(HOUR_MS, chance.between(5, 40) * unit)));
        all.put("shard.resume.ms", Long.toString(chance.between(2, 20) * unit));
        all.put("last.seen.persist.ms", Long.toString(chance.oneOf(0L, lease, 10 * lease)));
        all.put("pulse.interval.ms", Long.toString(Math.min(60_000, chance.oneOf(unit / 2, unit, unit, 3 * unit))));
        return Map.copyOf(all);
    }

    public long setting(String key) {
        return Long.parseLong(settings.get(key));
    }

    /**
     * Whether a shard uses the client's publisher; the others write by hand. In sparse plans none does: it looks at what is due
     * ten times a second.
     */
    public boolean hasPublisher(int shard) {
        return !isSparse
                && switch (Chance.of(seed, "publishers", 0).below(3)) {
                    case 0 -> false;
                    case 1 -> shard % 2 == 0;
                    default -> true;
                };
    }

    public Plan withUsers(List<Integer> some) {
        return with(durationMs, some, faults);
    }

    public Plan withFaults(List<Fault> some) {
        return with(durationMs, users, some);
    }

    public Plan withDuration(long ms) {
        return with(
                ms, users, faults.stream().filter(fault -> fault.atMs() < ms).toList());
    }

    private Plan with(long ms, List<Integer> someUsers, List<Fault> someFaults) {
        return new Plan(
                seed,
                ms,
                someUsers,
                unitMs,
                isSparse,
                partitions,
                machines,
                shards,
                isHostile,
                fetchLimit,
                turnLimit,
                settings,
                someFaults);
    }

    @Override
    public String toString() {
        return "%d users, %.2f days%s, %d partitions, %d processors, %d shards%s, %d faults, %s"
                .formatted(
                        users.size(),
                        (double) durationMs / DAY_MS,
                        isSparse ? ", sparse" : "",
                        partitions,
                        machines,
                        shards,
                        isHostile ? ", hostile" : "",
                        faults.size(),
                        new TreeMap<>(settings));
    }
}
