package dev.rollcall.simulation.time;

import java.util.SplittableRandom;

/** What a seed draws for one concern: another one draws the same, whatever this one does. */
public final class Chance {
    private final SplittableRandom random;

    private Chance(long seed) {
        random = new SplittableRandom(seed);
    }

    public static Chance of(long seed, String concern, long number) {
        return new Chance(mix(mix(seed) + 31L * concern.hashCode()) ^ mix(number + 0x632BE59BD9B4E019L));
    }

    /** The finalizer of SplitMix64. */
    private static long mix(long value) {
        long mixed = (value ^ (value >>> 30)) * 0xBF58476D1CE4E5B9L;
        mixed = (mixed ^ (mixed >>> 27)) * 0x94D049BB133111EBL;
        return mixed ^ (mixed >>> 31);
    }

    public boolean oneIn(int count) {
        return random.nextInt(count) == 0;
    }

    public boolean with(double probability) {
        return random.nextDouble() < probability;
    }

    /** 0 to {@code bound} - 1. */
    public int below(int bound) {
        return random.nextInt(bound);
    }

    /** Both included. */
    public long between(long first, long last) {
        return first + random.nextLong(last - first + 1);
    }

    /** Each order of magnitude as likely as the others; both included. */
    public long magnitude(long first, long last) {
        double drawn = Math.exp(Math.log((double) first) + random.nextDouble() * Math.log((double) last / first));
        return Math.max(first, Math.min(last, Math.round(drawn)));
    }

    /** Exponentially distributed, at least 1. */
    public long around(long mean) {
        return 1 + (long) (-Math.log(1 - random.nextDouble()) * mean);
    }

    @SafeVarargs
    public final <T> T oneOf(T... all) {
        return all[random.nextInt(all.length)];
    }
}
