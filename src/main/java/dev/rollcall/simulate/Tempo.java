package dev.rollcall.simulate;

/** How much happens among simulated users. The shares are plausible, not measured. */
public enum Tempo {
    /** As in life: a device does something every few minutes. */
    LIFELIKE(1, 0.5, 300_000, 30_000, true, 0, 0.05, 0.01, 0.01),

    /** To be watched: all come within eight seconds, and then something happens all the time. */
    LIVELY(60, 0.3, 8_000, 4_000, false, 0.4, 0.4, 0.08, 0.5);

    private final int speed;
    private final double atOnce;
    private final long arrivalsMs;

    /** The shortest lease of clients that poll. */
    final long minLeaseMs;

    /** Whether shards are deployed. Devices with short leases would not be held through that (rule 13). */
    final boolean deploys;

    /** The share of those who would close their connection, and vanish instead. */
    final double vanishShare;

    /** The share of a device's changes that come with a new status text. */
    final double textShare;

    /** The share of a device's changes with which its user hides. */
    final double hideShare;

    /** The share of a hidden user's device's changes with which the user hides no more. */
    final double showShare;

    Tempo(
            int speed,
            double atOnce,
            long arrivalsMs,
            long minLeaseMs,
            boolean deploys,
            double vanishShare,
            double textShare,
            double hideShare,
            double showShare) {
        this.speed = speed;
        this.atOnce = atOnce;
        this.arrivalsMs = arrivalsMs;
        this.minLeaseMs = minLeaseMs;
        this.deploys = deploys;
        this.vanishShare = vanishShare;
        this.textShare = textShare;
        this.hideShare = hideShare;
        this.showShare = showShare;
    }

    /** How long a mode lasts; {@code dice} is a random number, 0 to 1. */
    long durationMs(Mode mode, double dice) {
        return mode.durationMs(dice) / speed;
    }

    /** When a device does something for the first time: some do at once, the others bit by bit. */
    long firstMs(double first, double second) {
        return first < atOnce ? 0 : Math.round(second * arrivalsMs);
    }
}
