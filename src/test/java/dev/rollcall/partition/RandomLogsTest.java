package dev.rollcall.partition;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.rollcall.domain.Presence;
import dev.rollcall.domain.PresenceRules;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.PresenceUpdate;
import dev.rollcall.domain.UserId;
import dev.rollcall.domain.UserSnapshot;
import dev.rollcall.partition.RandomLog.Beat;
import dev.rollcall.partition.RandomLog.ClockTick;
import dev.rollcall.partition.RandomLog.Habits;
import dev.rollcall.partition.RandomLog.Restart;
import dev.rollcall.partition.RandomLog.Review;
import dev.rollcall.partition.RandomLog.Step;
import dev.rollcall.partition.RandomLog.Transcript;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.BiFunction;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The domain against the naive model, on logs made up from seeds; a failure names the seed, and what of its log it takes. */
class RandomLogsTest {
    /** To look further, set {@code random.logs} to more. */
    private static final int LOGS = Integer.getInteger("random.logs", 3_000);

    private static final int STEPS = 300;

    @Test
    void shouldSayWhatTheModelSaysWhenTheLogIsRandom() {
        for (long seed = 0; seed < LOGS; seed++) {
            check(new RandomLog(seed, STEPS, new Habits()), RandomLogsTest::firstDifference);
        }
    }

    @Test
    void shouldSayTheSameOfEachUserWhenSweepsHaveATinyBudget() {
        for (long seed = 0; seed < LOGS / 2; seed++) {
            check(
                    new RandomLog(seed, STEPS, new Habits().steadyClock().sweepBudget(1)),
                    RandomLogsTest::differenceInTheEnd);
        }
    }

    /** With every heartbeat stored, a crash loses nothing but what is known of the partition as a whole. */
    @Test
    void shouldSayWhatTheModelSaysWhenThePartitionRestartsAndAllIsStored() {
        Habits habits = new Habits().restarts().noOutages().inOrder().lastSeenPersist(0);
        for (long seed = 0; seed < LOGS / 2; seed++) {
            check(new RandomLog(seed, STEPS, habits), RandomLogsTest::firstDifference);
        }
    }

    /** With last-seens stored now and then, a crash may delay, but neither lose nor invent. */
    @Test
    void shouldLoseNobodyAndNoSequenceNumberWhenThePartitionRestarts() {
        Habits habits = new Habits().restarts().noOutages().inOrder().steadyUser();
        for (long seed = 0; seed < LOGS / 6; seed++) {
            RandomLog log = new RandomLog(seed, STEPS, habits);
            DomainPartition restarted = new DomainPartition(log.rules);
            DomainPartition steady = new DomainPartition(log.rules);
            Transcript transcript = new Transcript();
            for (Step step : withQuietEnd(log)) {
                step.on(restarted);
                transcript.addAll(restarted.emitted());
                if (!(step instanceof Restart)) {
                    step.on(steady);
                }
                if (step instanceof Beat beat && beat.user().equals(log.steadyUser())) {
                    assertThat(transcript.of(beat.user()).stream().dropWhile(RandomLogsTest::isOffline))
                            .as("seed %d, %s: of a user who keeps beating, from the first beat", seed, beat)
                            .noneMatch(RandomLogsTest::isOffline);
                }
            }
            for (UserId user : log.users) {
                checkOrder("seed %d, %s".formatted(seed, user), transcript.of(user));
                assertThat(summary(restarted, user))
                        .as("seed %d, %s, in the end", seed, user)
                        .isEqualTo(summary(steady, user));
            }
            assertThat(restarted.presence().needsClockTicks())
                    .as("seed %d", seed)
                    .isFalse();
        }
    }

    /** A log, and then silence but for the clock ticks, until all devices and texts are gone, and users forgotten. */
    private static List<Step> withQuietEnd(RandomLog log) {
        List<Step> steps = new ArrayList<>(log.steps);
        long end = log.end() + 60_000 + log.rules.retentionMs();
        for (long time = log.end() + 1_000; time <= end; time += 1_000) {
            steps.add(new ClockTick(time));
        }
        for (long time = end; time <= end + 3_700_000; time += 2_500) {
            steps.add(new ClockTick(time)); // and shards, too
        }
        log.users.forEach(user -> steps.add(new Review(user)));
        return steps;
    }

    private static boolean isOffline(PresenceUpdate update) {
        return update.presence() == null || update.presence().state() == PresenceState.OFFLINE;
    }

    private static void checkOrder(String who, List<PresenceUpdate> all) {
        Presence before = null;
        for (PresenceUpdate update : all) {
            Presence emitted = update.presence();
            if (emitted != null) {
                assertThat(emitted.sequence()).as(who).isEqualTo(before == null ? 1 : before.sequence() + 1);
                assertThat(emitted.previousState()).as(who).isEqualTo(before == null ? null : before.state());
                assertThat(emitted.since()).as(who).isGreaterThanOrEqualTo(before == null ? 0 : before.since());
            } else {
                assertThat(before).as(who).isNotNull();
            }
            before = emitted;
        }
    }

    /** What is stored of a user, but for times and numbers; to have emitted nothing is as good as OFFLINE. */
    private static String summary(Partition partition, UserId user) {
        UserSnapshot snapshot = partition.stored(user);
        if (snapshot == null) {
            return "nothing";
        }
        UserSnapshot.Emitted emitted = snapshot.emitted();
        return "%s, %s, emitted %s, hidden: %s, to be forgotten: %s"
                .formatted(
                        snapshot.devices(),
                        snapshot.status(),
                        emitted == null ? "OFFLINE" : emitted.state(),
                        snapshot.appearOffline(),
                        snapshot.forgettableSince() != UserSnapshot.NEVER);
    }

    // ---- comparing, and finding out what it takes ----

    private static void check(RandomLog log, BiFunction<PresenceRules, List<Step>, @Nullable String> difference) {
        if (difference.apply(log.rules, log.steps) == null) {
            return;
        }
        List<Step> steps = new ArrayList<>(log.steps);
        shrink(steps, shorter -> difference.apply(log.rules, shorter) != null);
        fail("seed %d, %s, and of its log only this:%n%s%n%s"
                .formatted(
                        log.seed,
                        log.rules,
                        steps.stream().map(Step::toString).collect(joining(System.lineSeparator())),
                        difference.apply(log.rules, steps)));
    }

    /** The first thing of which the two say different things; null: there is none. */
    private static @Nullable String firstDifference(PresenceRules rules, List<Step> steps) {
        NaiveModel model = new NaiveModel(rules);
        DomainPartition presence = new DomainPartition(rules);
        for (Step step : steps) {
            Transcript expected = play(model, List.of(step));
            Transcript emitted = play(presence, List.of(step));
            if (!emitted.equals(expected)) {
                return "at the end, the model says %s%n            but the presence  %s".formatted(expected, emitted);
            }
            if (step instanceof Beat && presence.rejection() != model.rejection()) {
                return "at the end, refused: " + presence.rejection();
            }
            if (presence.presence().needsClockTicks() != model.needsClockTicks()) {
                return "at the end, needsClockTicks: " + presence.presence().needsClockTicks();
            }
        }
        return null;
    }

    /** What the two say differently of some user in the course of a log, and until all is noticed; null: nothing. */
    private static @Nullable String differenceInTheEnd(PresenceRules rules, List<Step> steps) {
        List<Step> all = new ArrayList<>(steps);
        steps.stream()
                .map(RandomLogsTest::userOf)
                .filter(Objects::nonNull)
                .distinct()
                .forEach(user -> all.add(new Review(user)));
        Transcript expected = play(new NaiveModel(rules), all);
        Transcript emitted = play(new DomainPartition(rules), all);
        return emitted.equals(expected) ? null : "the model says %s%nbut the presence  %s".formatted(expected, emitted);
    }

    private static @Nullable UserId userOf(Step step) {
        if (step instanceof Beat beat) {
            return beat.user();
        } else if (step instanceof RandomLog.MisroutedBeat beat) {
            return beat.user();
        } else if (step instanceof RandomLog.Text text) {
            return text.user();
        } else if (step instanceof RandomLog.MisroutedText text) {
            return text.user();
        }
        return null;
    }

    private static Transcript play(Partition partition, List<Step> steps) {
        Transcript transcript = new Transcript();
        steps.forEach(step -> step.on(partition));
        transcript.addAll(partition.emitted());
        return transcript;
    }

    /** Drops as many steps as it can, as long as the rest still fails. */
    private static void shrink(List<Step> steps, Predicate<List<Step>> stillFails) {
        for (int size = steps.size() / 2; size > 0; size /= 2) {
            for (int from = steps.size() - size; from >= 0; from -= size) {
                List<Step> shorter = new ArrayList<>(steps.subList(0, from));
                shorter.addAll(steps.subList(Math.min(steps.size(), from + size), steps.size()));
                if (stillFails.test(shorter)) {
                    steps.clear();
                    steps.addAll(shorter);
                }
            }
        }
    }
}
