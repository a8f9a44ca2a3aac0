package dev.rollcall.simulate;

/**
 * The size of a simulation.
 *
 * @param users at least 1
 * @param devicesPerUser the most that a user has, 1 to 4; each has 1 up to that
 * @param beatsPerSecond how many heartbeats a second to plan for, above 0
 * @param shards how many homeserver shards there are, at least 1
 * @param seed the same population does the same for the same seed
 */
public record Population(int users, int devicesPerUser, int beatsPerSecond, int shards, long seed) {
    public Population {
        require("users", users, 1, 10_000_000);
        require("devices-per-user", devicesPerUser, 1, 4);
        require("beats-per-second", beatsPerSecond, 1, 10_000_000);
        require("shards", shards, 1, 10_000);
    }

    private static void require(String name, int value, int min, int max) {
        if (value < min || value > max) {
            throw new IllegalArgumentException("%s must be %d to %d: it is %d".formatted(name, min, max, value));
        }
    }
}
