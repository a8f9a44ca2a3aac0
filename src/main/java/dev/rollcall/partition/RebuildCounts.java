package dev.rollcall.partition;

/**
 * How many users there are of each kind, of those that a {@link RebuiltPartition} has.
 *
 * @param withDevices with a device that the log names
 * @param held who keep the published state for a while, though no record says which device it is of
 * @param guessed with a device whose state is taken to be the published one
 * @param changed of whom there is something to publish
 */
public record RebuildCounts(int users, int hidden, int withText, int withDevices, int held, int guessed, int changed) {
    public static final RebuildCounts NONE = new RebuildCounts(0, 0, 0, 0, 0, 0, 0);

    public RebuildCounts plus(RebuildCounts other) {
        return new RebuildCounts(
                users + other.users,
                hidden + other.hidden,
                withText + other.withText,
                withDevices + other.withDevices,
                held + other.held,
                guessed + other.guessed,
                changed + other.changed);
    }
}
