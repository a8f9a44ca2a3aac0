package dev.rollcall.simulation;

import dev.rollcall.simulation.judge.Judge;
import dev.rollcall.simulation.judge.JudgeSettings;
import dev.rollcall.simulation.judge.Violation;
import dev.rollcall.simulation.plan.Plan;
import java.util.List;

/** Makes the judge of a run, with the settings that Rollcall has in it. */
final class Judges {
    private Judges() {}

    /** @param ignored parts of findings that are known, and do not count */
    static Judged judge(Plan plan, List<String> ignored) {
        JudgeSettings settings = new JudgeSettings(
                plan.setting("device.lease.ms"),
                plan.setting("disconnect.grace.ms"),
                plan.setting("shard.quiet.ms"),
                plan.setting("shard.hold.ms"),
                plan.setting("shard.lease.ms"),
                plan.setting("shard.resume.ms"),
                plan.setting("user.retention.ms"),
                plan.setting("last.seen.persist.ms"),
                (int) plan.setting("max.devices.per.user"),
                plan.setting("pulse.interval.ms"),
                plan.partitions());
        return new ByTheRules(new Judge(settings), ignored);
    }

    /** The judge, who knows the rules alone. */
    private static final class ByTheRules extends Forwarding implements Judged {
        private final Judge judge;
        private final List<String> ignored;

        ByTheRules(Judge judge, List<String> ignored) {
            super(judge);
            this.judge = judge;
            this.ignored = ignored;
        }

        @Override
        public List<Finding> findings() {
            return judge.violations().stream()
                    .map(ByTheRules::finding)
                    .filter(finding -> ignored.stream().noneMatch(finding.toString()::contains))
                    .toList();
        }

        private static Finding finding(Violation violation) {
            return new Finding(violation.kind().name(), violation.partition(), violation.user(), violation.sentence());
        }
    }
}
