package dev.rollcall.contract;

/**
 * Something of a cluster that is not as it should be.
 *
 * @param topic empty: it is about the cluster as a whole, or about Rollcall's settings
 * @param setting empty: it is about the topic itself
 * @param fix how to correct it
 */
public record Finding(
        Severity severity, String topic, String setting, String is, String shouldBe, String why, Fix fix) {
    /** How bad it is. */
    public enum Severity {
        /** It would corrupt presence or end the processor later: Rollcall does not start, or ends. */
        REFUSED,
        /** It bears a risk: Rollcall warns. */
        UNWISE
    }

    static Finding refused(String topic, String setting, String is, String shouldBe, String why, Fix fix) {
        return new Finding(Severity.REFUSED, topic, setting, is, shouldBe, why, fix);
    }

    static Finding unwise(String topic, String setting, String is, String shouldBe, String why, Fix fix) {
        return new Finding(Severity.UNWISE, topic, setting, is, shouldBe, why, fix);
    }

    /** Whether Rollcall must not run with it. */
    public boolean isRefused() {
        return severity == Severity.REFUSED;
    }

    /** What is, what should be, and why, in one sentence. */
    @Override
    public String toString() {
        String what = topic.isEmpty() ? "the cluster" : "the topic " + topic;
        String must = isRefused() ? "must" : "should";
        return setting.isEmpty()
                ? "%s is %s, and %s be %s: %s".formatted(what, is, must, shouldBe, why)
                : "%s has %s=%s, and %s have %s: %s".formatted(what, setting, is, must, shouldBe, why);
    }
}
