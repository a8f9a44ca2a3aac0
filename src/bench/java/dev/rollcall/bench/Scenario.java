package dev.rollcall.bench;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** What can be measured; {@code docs/performance.md} describes how. */
enum Scenario {
    STEADY,
    CHURN,
    SCALE,
    IDLE_TICK,
    MASS_EXPIRY,
    TAKEOVER,
    MEMORY,
    LATENCY,
    SESSIONS,
    STREAMS,
    ATTACKS;

    /** As on the command line, and in the name of the result's file. */
    String id() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    void run(Options options) throws Exception {
        Progress.print("%s", id());
        switch (this) {
            case STEADY -> ThroughputScenarios.steady(options);
            case CHURN -> ThroughputScenarios.churn(options);
            case SCALE -> ThroughputScenarios.scale(options);
            case IDLE_TICK -> IdleTick.scenario(options);
            case MASS_EXPIRY -> MassExpiry.scenario(options);
            case TAKEOVER -> Takeover.takeover(options);
            case MEMORY -> Takeover.memory(options);
            case LATENCY -> Latency.scenario(options);
            case SESSIONS -> OpenConnections.scenario(options);
            case STREAMS -> Streams.scenario(options);
            case ATTACKS -> Attacks.scenario(options);
        }
    }

    /** The scenarios of these names; none: steady. */
    static List<Scenario> named(List<String> ids) {
        if (ids.isEmpty()) {
            return List.of(STEADY);
        }
        if (ids.contains("all")) {
            return List.of(values());
        }
        return ids.stream().map(Scenario::ofId).toList();
    }

    private static Scenario ofId(String id) {
        return Arrays.stream(values())
                .filter(scenario -> scenario.id().equals(id))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("there is no scenario \"%s\"; there are %s, and all"
                        .formatted(id, Arrays.stream(values()).map(Scenario::id).collect(Collectors.joining(", ")))));
    }
}
