package dev.rollcall.simulation;

import dev.rollcall.simulation.plan.Plan;

/** Plays years of presence in minutes: see docs/simulation.md. */
public final class Simulation {
    private Simulation() {}

    public static void main(String[] args) {
        System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "off");
        System.setProperty("org.slf4j.simpleLogger.log.dev.rollcall", "off");
        long seed = Long.parseLong(args[0]);
        double years = args.length > 1 ? Double.parseDouble(args[1]) : 0;
        int users = args.length > 2 ? Integer.parseInt(args[2]) : 0;
        Plan plan = Plan.draw(seed, new Plan.Wishes(years, users, -1));
        System.out.println(plan);
        Witness witness = new Witness(new Nobody());
        World world = new World(plan, witness, (partition, key, value, timestamp) -> {}, true);
        long began = System.nanoTime();
        long[] next = {began + 5_000_000_000L};
        world.run(elapsed -> {
            if (System.nanoTime() > next[0]) {
                next[0] += 5_000_000_000L;
                System.out.printf("%.2f days, %s, %d events%n", elapsed / 86_400_000.0, witness.counts(), world.time().count());
            }
            return true;
        });
        System.out.printf(
                "%.1f s, digest %016x, %s, %d events, failures %s%n",
                (System.nanoTime() - began) / 1e9,
                witness.digest(),
                witness.counts(),
                world.time().count(),
                world.deployment().failures());
    }
}
