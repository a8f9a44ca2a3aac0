package dev.rollcall.bench;

import dev.rollcall.config.RollcallConfig;

/** Found by {@link Rivals} by its name. */
final class RivalRuns implements Rivals {
    @Override
    public Run run(Contestant contestant, RollcallConfig config) {
        return contestant == Contestant.REDIS ? new RedisRun(config) : new FlinkRun(contestant, config);
    }
}
