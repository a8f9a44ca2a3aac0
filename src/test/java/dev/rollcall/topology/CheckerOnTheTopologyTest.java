package dev.rollcall.topology;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.chaos.check.Checker;
import dev.rollcall.chaos.check.Entry;
import dev.rollcall.chaos.check.Logs;
import dev.rollcall.chaos.check.Verdict;
import dev.rollcall.domain.Presence;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.UserId;
import dev.rollcall.topology.RandomCampaign.Recorded;
import dev.rollcall.wire.Topic;
import dev.rollcall.wire.Topics;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.UnaryOperator;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The checker against the real topology: it has nothing to say against it, and much against what is not quite it. */
class CheckerOnTheTopologyTest {
    private static final Topic<UserId, Presence> PRESENCE = Topics.ofContract().presence();

    /** To look further, set {@code checker.logs} to more. */
    private static final int LOGS = Integer.getInteger("checker.logs", 25);

    private static final long FIRST = Long.getLong("checker.first", 0);

    private record Played(long seed, boolean faults) {}

    /** Every mutation has the same campaigns. */
    private static final Map<Played, Recorded> CAMPAIGNS = new HashMap<>();

    @ParameterizedTest(name = "faults: {0}")
    @ValueSource(booleans = {false, true})
    void shouldFindNothingWhenTheTopologyDidIt(boolean faults) {
        for (long seed = FIRST; seed < FIRST + LOGS; seed++) {
            Recorded recorded = RandomCampaign.play(seed, faults);
            Verdict verdict = check(recorded, recorded.logs());

            assertThat(verdict.violations())
                    .as("seed %d, %s, windows %s", seed, recorded.settings(), recorded.windows())
                    .isEmpty();
            assertThat(verdict.undecided()).as("seed %d", seed).isEmpty();
            assertThat(verdict.emitted()).as("seed %d", seed).isGreaterThan(20);
        }
    }

    /** What a processor could do wrong, each by the least that is wrong. */
    enum Mutation {
        DROP {
            @Override
            void on(List<Entry> emitted, int at, Random random) {
                emitted.remove(at);
            }
        },
        /** The numbers of the rest close the gap, so that only the inputs tell. */
        DROP_WITHOUT_A_TRACE {
            @Override
            void on(List<Entry> emitted, int at, Random random) {
                renumber(emitted, emitted.remove(at), at, -1);
            }
        },
        DOUBLE {
            @Override
            void on(List<Entry> emitted, int at, Random random) {
                emitted.add(at, emitted.get(at));
            }
        },
        SEQUENCE {
            @Override
            void on(List<Entry> emitted, int at, Random random) {
                emitted.set(
                        at, changed(emitted.get(at), was -> with(was, was.state(), was.since(), was.sequence() + 1)));
            }
        },
        STATE {
            @Override
            void on(List<Entry> emitted, int at, Random random) {
                emitted.set(at, changed(emitted.get(at), was -> {
                    PresenceState other = was.state() == PresenceState.IDLE ? PresenceState.ONLINE : PresenceState.IDLE;
                    return with(was, other, was.since(), was.sequence());
                }));
            }
        },
        SINCE_TOO_EARLY {
            @Override
            void on(List<Entry> emitted, int at, Random random) {
                emitted.set(
                        at, changed(emitted.get(at), was -> with(was, was.state(), was.since() - 1, was.sequence())));
            }
        },
        SINCE_TOO_LATE {
            @Override
            void on(List<Entry> emitted, int at, Random random) {
                emitted.set(
                        at, changed(emitted.get(at), was -> with(was, was.state(), was.since() + 1, was.sequence())));
            }
        },
        LAST_ACTIVE {
            @Override
            void on(List<Entry> emitted, int at, Random random) {
                emitted.set(
                        at,
                        changed(
                                emitted.get(at),
                                was -> new Presence(
                                        was.state(),
                                        was.previousState(),
                                        was.status(),
                                        was.since(),
                                        was.lastActive() == null ? (Long) was.since() : (Long) (was.lastActive() + 1),
                                        was.sequence())));
            }
        },
        TEXT {
            @Override
            void on(List<Entry> emitted, int at, Random random) {
                emitted.set(
                        at,
                        changed(
                                emitted.get(at),
                                was -> new Presence(
                                        was.state(),
                                        was.previousState(),
                                        was.status() == null ? "text0" : null,
                                        was.since(),
                                        was.lastActive(),
                                        was.sequence())));
            }
        },
        /** A device that flaps: everything about the two records is right, but that they are there. */
        FLAP {
            @Override
            void on(List<Entry> emitted, int at, Random random) {
                Entry before = emitted.get(at);
                Presence was = presence(before);
                long when = was.since() + 100;
                PresenceState other =
                        was.state() == PresenceState.OFFLINE ? PresenceState.ONLINE : PresenceState.OFFLINE;
                emitted.add(
                        at + 1,
                        entry(
                                before,
                                when,
                                new Presence(
                                        other, was.state(), was.status(), when, was.lastActive(), was.sequence() + 1)));
                emitted.add(
                        at + 2,
                        entry(
                                before,
                                when + 50,
                                new Presence(
                                        was.state(),
                                        other,
                                        was.status(),
                                        when + 50,
                                        was.lastActive(),
                                        was.sequence() + 2)));
                renumber(emitted, before, at + 3, 2);
            }
        };

        abstract void on(List<Entry> emitted, int at, Random random);

        /** Counts on from another number, for the user of that record. */
        private static void renumber(List<Entry> emitted, Entry of, int from, int by) {
            boolean isNext = true;
            for (int i = from; i < emitted.size(); i++) {
                Entry entry = emitted.get(i);
                if (!Arrays.equals(entry.key(), of.key())) {
                    continue;
                }
                if (entry.value() == null) {
                    return;
                }
                PresenceState previous = isNext && by < 0 ? presence(of).previousState() : null;
                emitted.set(
                        i,
                        changed(
                                entry,
                                was -> new Presence(
                                        was.state(),
                                        previous != null || was.sequence() + by == 1 ? previous : was.previousState(),
                                        was.status(),
                                        was.since(),
                                        was.lastActive(),
                                        was.sequence() + by)));
                isNext = false;
            }
        }

        private static Presence with(Presence was, PresenceState state, long since, long sequence) {
            return new Presence(state, was.previousState(), was.status(), since, was.lastActive(), sequence);
        }

        private static Entry changed(Entry entry, UnaryOperator<Presence> change) {
            Presence was = presence(entry);
            Presence is = change.apply(was);
            return entry(entry, entry.timestamp() == was.since() ? is.since() : entry.timestamp(), is);
        }
    }

    /**
     * What is not caught is not wrong by what the logs show: a text or flag may have been read before the clock tick by which
     * something else ended; what was heard of the shards of users who hide is not certain; and within a disturbance it is
     * open where a task was taken over, and so, within a lease, when a device ended.
     */
    @ParameterizedTest
    @EnumSource
    void shouldNoticeWhenTheOutputIsNotQuiteRight(Mutation mutation) {
        assertThat(caughtOf(mutation, false))
                .as("percent caught, without faults")
                .isGreaterThanOrEqualTo(95);
        assertThat(caughtOf(mutation, true)).as("percent caught, with faults").isGreaterThanOrEqualTo(85);
    }

    private static int caughtOf(Mutation mutation, boolean faults) {
        int tried = 0;
        int caught = 0;
        for (long seed = 0; seed < Math.max(12, LOGS / 8); seed++) {
            Recorded recorded = CAMPAIGNS.computeIfAbsent(
                    new Played(seed, faults), campaign -> RandomCampaign.play(campaign.seed(), campaign.faults()));
            Random random = new Random(seed);
            for (int i = 0; i < 8; i++) {
                List<Entry> emitted = new ArrayList<>(recorded.logs().presence());
                int at = random.nextInt(emitted.size());
                if (emitted.get(at).value() != null) {
                    mutation.on(emitted, at, random);
                    tried++;
                    caught += check(recorded, recorded.logs().withPresence(numbered(emitted)))
                                    .violations()
                                    .isEmpty()
                            ? 0
                            : 1;
                }
            }
        }
        return 100 * caught / tried;
    }

    private static Verdict check(Recorded recorded, Logs logs) {
        return Checker.check(logs, recorded.settings(), recorded.windows());
    }

    private static List<Entry> numbered(List<Entry> emitted) {
        List<Entry> numbered = new ArrayList<>();
        for (Entry entry : emitted) {
            numbered.add(new Entry(0, numbered.size(), entry.timestamp(), entry.key(), entry.value()));
        }
        return numbered;
    }

    private static Presence presence(Entry entry) {
        return PRESENCE.values().deserializer().deserialize("any", entry.value());
    }

    private static Entry entry(Entry like, long timestamp, Presence presence) {
        return new Entry(
                0, 0, timestamp, like.key(), PRESENCE.values().serializer().serialize("any", presence));
    }
}
