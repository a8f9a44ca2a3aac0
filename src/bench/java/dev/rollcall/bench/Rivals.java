package dev.rollcall.bench;

import dev.rollcall.config.RollcallConfig;

/** The contestants on other engines. They are compiled with the Maven profile {@code rivals} only, which brings the engines. */
interface Rivals {
    /** The one implementation. */
    String IMPLEMENTATION = "dev.rollcall.bench.RivalRuns";

    Run run(Contestant contestant, RollcallConfig config);

    /** Whether the profile is on. */
    static boolean arePresent() {
        try {
            Class.forName(IMPLEMENTATION);
            return true;
        } catch (ClassNotFoundException e) {
            return false;
        }
    }

    /**
     * Says what is missing.
     *
     * @throws IllegalArgumentException if the profile is not on
     */
    static void requirePresent(Contestant contestant) {
        if (!arePresent()) {
            throw new IllegalArgumentException(
                    "%s needs the Maven profile rivals: mvn -q -Pbench,rivals test-compile exec:java …"
                            .formatted(contestant.id()));
        }
    }

    /** Starts one in this JVM. */
    static Run start(Contestant contestant, RollcallConfig config) {
        requirePresent(contestant);
        try {
            Rivals rivals = Class.forName(IMPLEMENTATION)
                    .asSubclass(Rivals.class)
                    .getDeclaredConstructor()
                    .newInstance();
            return rivals.run(contestant, config);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }
}
