package dev.rollcall.simulation.judge;

import dev.rollcall.simulation.judge.Decoded.Bad;
import dev.rollcall.simulation.judge.Decoded.Flag;
import dev.rollcall.simulation.judge.Decoded.Heartbeat;
import dev.rollcall.simulation.judge.Decoded.ShardBeat;
import dev.rollcall.simulation.judge.Decoded.Text;
import dev.rollcall.simulation.judge.Decoded.Tick;
import dev.rollcall.simulation.judge.History.Input;
import dev.rollcall.simulation.judge.History.Output;
import dev.rollcall.simulation.judge.History.Topic;
import dev.rollcall.simulation.judge.Silence.Word;
import dev.rollcall.simulation.judge.Violation.Kind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** One partition as the rules have it: takes what was handled and committed, and compares what was published with it. */
final class PartitionModel {
    /** A header that a text carries a heartbeat in (rule 8). */
    static final String CARRIED = "rollcall.heartbeat";
    /** No choice is asked of it: the answers of plain heartbeats are not open. */
    private static final Choices NONE = new Choices();

    private final Decoder decoder;
    private final Routing routing;
    private final Report report;
    private final Ground ground;
    private final Map<Key, User> users = new HashMap<>();
    private final Agenda agenda = new Agenda();
    private final OrderCheck order;
    private final Silence silence;
    private final HeartbeatRules heartbeats;
    private final FactRules facts;
    private final Sweep sweep;

    PartitionModel(int partition, JudgeSettings settings, Decoder decoder, List<Violation> violations) {
        this.decoder = decoder;
        this.ground = new Ground(settings);
        this.report = new Report(violations, partition, ground);
        this.routing = new Routing(partition, settings.partitions(), report);
        this.order = new OrderCheck(report);
        this.silence = new Silence(ground, users.values());
        this.heartbeats = new HeartbeatRules(ground);
        this.facts = new FactRules(ground);
        this.sweep = new Sweep(ground, agenda, report);
    }

    /** A processor begins: what it reads first gives everybody one more lease. */
    void takenOver(long trueTime) {
        order.takenOver(trueTime);
        silence.takenOver();
        ground.time.takenOver();
    }

    /** What was handled in one transaction, in that order. */
    void commit(List<Handling> handlings) {
        boolean[] early = early(handlings);
        for (int i = 0; i < handlings.size(); i++) {
            handle(handlings.get(i), early[i]);
        }
    }

    /** Which heartbeats were handled before some that lie before them in the log: they say nothing of the log's time. */
    private static boolean[] early(List<Handling> handlings) {
        boolean[] early = new boolean[handlings.size()];
        long least = Long.MAX_VALUE;
        for (int i = handlings.size() - 1; i >= 0; i--) {
            Input input = handlings.get(i).input;
            if (input != null && input.topic() == Topic.DEVICE_HEARTBEAT) {
                early[i] = input.offset() > least;
                least = Math.min(least, input.offset());
            }
        }
        return early;
    }

    private void handle(Handling handling, boolean early) {
        int first = 0;
        // Whoever is due to be forgotten by the last clock tick is so before the next record of that user takes effect.
        while (handling.input != null
                && first < handling.outputs.size()
                && handling.outputs.get(first).value() == null
                && Arrays.equals(handling.outputs.get(first).key(), handling.input.key())) {
            output(handling.outputs.get(first++));
        }
        User touched = handling.input == null ? null : input(handling, handling.input, early);
        for (Output output : handling.outputs.subList(first, handling.outputs.size())) {
            output(output);
        }
        if (touched != null) {
            touched.settle();
        }
    }

    /** The user whose records must be published before the next input is handled; null: none. */
    private @Nullable User input(Handling handling, Input input, boolean early) {
        Decoded decoded = decoder.input(input.topic(), input.key(), input.value());
        if (decoded instanceof Tick) {
            order.tick(input);
            Moment moment = moment(input, true, early);
            word(moment, Word.YES, true, early);
            routing.expectStays(handling, input);
            sweep.tick(moment.arrived());
            return null;
        }
        if (decoded instanceof ShardBeat beat) {
            order.place(input, null);
            Moment moment = moment(input, true, early);
            word(moment, Word.YES, false, early);
            routing.expectStays(handling, input);
            shardBeat(beat, moment.arrived());
            return null;
        }
        // Bad input, records for another partition and heartbeats of hidden users say nothing of the partition's time.
        if (decoded instanceof Bad bad) {
            boolean isOfUser = input.topic() == Topic.DEVICE_HEARTBEAT && input.key() != null;
            order.place(input, isOfUser ? user(Objects.requireNonNull(input.key())) : null);
            routing.expectRefused(handling, input, bad);
            return null;
        }
        byte[] key = Objects.requireNonNull(input.key());
        if (!routing.isHere(key)) {
            order.place(input, null);
            routing.expectSentOn(handling, input, key);
            return null;
        }
        User user = user(key);
        sweep.catchUp(user);
        if (decoded instanceof Heartbeat heartbeat) {
            Word word = !user.isPossiblyHidden() ? Word.YES : user.isSurelyHidden() ? Word.NO : Word.PERHAPS;
            Moment moment = moment(input, word != Word.NO, early);
            order.heartbeat(user, input, moment.misrouted());
            word(moment, moment.misrouted() && word == Word.YES ? Word.PERHAPS : word, false, early);
            heartbeat(user, heartbeat, moment, word, handling, input);
        } else {
            Moment moment = moment(input, false, false);
            order.fact(user, input, moment.misrouted());
            silence.read(moment.arrived());
            fact(user, decoded, moment, handling, input);
        }
        return user;
    }

    /** When the record counts from, and when it was written here; {@code moves}: the partition's time moves with it. */
    private Moment moment(Input input, boolean moves, boolean early) {
        long stamp = input.stamp();
        long time;
        if (input.topic() != Topic.DEVICE_HEARTBEAT) {
            time = ground.time.ofStamp(stamp);
        } else if (moves && !early) {
            time = ground.time.place(input.offset(), stamp);
        } else {
            time = ground.time.beside(stamp);
            if (moves) {
                ground.time.isYetToCome(input.offset(), stamp);
            }
        }
        Long first = Routing.firstWritten(input);
        if (first != null) {
            long from = Math.min(first, stamp);
            long at = Math.min(ground.time.ofStamp(from), time);
            return new Moment(at, at, from, time, stamp, true);
        }
        return Moment.of(time, stamp);
    }

    private void word(Moment moment, Word word, boolean tick, boolean early) {
        if (!early) {
            silence.word(moment.arrived(), word, tick);
        }
    }

    private User user(byte[] key) {
        User user = users.computeIfAbsent(new Key(key), added -> new User(added, agenda, report));
        ground.users = users.size();
        return user;
    }

    private void heartbeat(User user, Heartbeat heartbeat, Moment moment, Word word, Handling handling, Input input) {
        List<Variant> variants = user.variants();
        if (variants.size() == 1 && HeartbeatRules.isPlain(variants.get(0), heartbeat, moment)) {
            Variant variant = variants.get(0);
            heartbeats.apply(user, variant, heartbeat, moment, NONE);
            emit(variant, moment, "of a heartbeat (rules 1 to 5)");
        } else {
            user.branch((variant, choices) -> {
                heartbeats.apply(user, variant, heartbeat, moment, choices);
                emit(variant, moment, "of a heartbeat (rules 1 to 5)");
            });
        }
        if (heartbeat.shard() != null && word != Word.NO) {
            boolean surely = word == Word.YES && !moment.misrouted() && counts(heartbeat);
            ground.shards.shard(heartbeat.shard()).heard(moment.arrived(), surely, ground.settings.shardQuietMs());
        }
        user.refused(routing.expectTooMany(handling, input));
    }

    private boolean counts(Heartbeat heartbeat) {
        if (heartbeat.session() == null) {
            return true;
        }
        Session session = ground.shards.session(heartbeat);
        return !session.superseded && !session.saidEnded;
    }

    private static void emit(Variant variant, Moment moment, String why) {
        variant.emit(moment.stamp(), moment.stamp(), moment.stamp(), moment.stamp(), Expected.AT_ONCE, why);
    }

    private void fact(User user, Decoded decoded, Moment moment, Handling handling, Input input) {
        byte[] header = input.topic() == Topic.STATUS ? input.headers().get(CARRIED) : null;
        Decoded carried = header == null ? null : decoder.carried(header);
        if (carried instanceof Bad bad) { // all of the record is refused (rule 8)
            routing.expectRefused(handling, input, bad);
            return;
        }
        Moment ofHeartbeat = carriedMoment(moment);
        boolean forgotten = user.maybeForgotten(moment.arrivedStamp(), ground.settings.userRetentionMs());
        user.branch((variant, choices) -> {
            variant.refuses = false;
            variant.mayRefuse = false;
            if (decoded instanceof Text text) {
                facts.text(variant, text, moment, forgotten, choices);
                user.lookAt(variant.textEnds);
            } else if (decoded instanceof Flag flag) {
                facts.flag(variant, flag, moment, forgotten, choices);
            }
            if (carried instanceof Heartbeat heartbeat) {
                heartbeats.apply(user, variant, heartbeat, ofHeartbeat, choices);
            }
            // A text or flag takes effect when it arrives (rule 7), what it carries counts from when it was first
            // written.
            long from = carried == null ? moment.arrivedStamp() : moment.stamp();
            long at = moment.arrivedStamp();
            variant.emit(from, at, from, at, Expected.AT_ONCE, "of a text or flag (rules 8 and 9)");
        });
        if (carried instanceof Heartbeat heartbeat && heartbeat.shard() != null && !user.isSurelyHidden()) {
            ground.shards.shard(heartbeat.shard()).heard(ofHeartbeat.hi(), false, ground.settings.shardQuietMs());
        }
        user.refused(routing.expectTooMany(handling, input));
    }

    /** What a text carries is stamped by another partition's leader: where that is behind, the partition's time is not exact. */
    private Moment carriedMoment(Moment moment) {
        if (moment.misrouted() || ground.time.now() <= moment.lo()) {
            return moment;
        }
        return new Moment(
                moment.lo(), ground.time.now(), moment.stamp(), moment.arrived(), moment.arrivedStamp(), false);
    }

    private void shardBeat(ShardBeat beat, long at) {
        Shard shard = ground.shards.shard(beat.shard());
        Set<Session> before = new LinkedHashSet<>();
        for (Session session : shard.sessions.values()) {
            if (session.heard && !session.superseded) {
                before.add(session);
            }
        }
        Shards.Effect effect = ground.shards.beat(beat, at);
        shard.heard(at, effect == Shards.Effect.HEARD, ground.settings.shardQuietMs());
        Session session = Objects.requireNonNull(shard.sessions.get(beat.session()));
        switch (effect) {
            case HEARD -> sweep.heard(session);
            case EARLIER -> sweep.earlier(session, at);
            case NOTHING -> {}
        }
        if (session.saidEnded) {
            sweep.ended(session, at);
        }
        for (Session earlier : before) {
            if (earlier.superseded) {
                sweep.ended(earlier, at);
            }
        }
    }

    private void output(Output output) {
        User user = user(output.key());
        if (!routing.isHere(output.key())) {
            report.add(Kind.UNEXPLAINED, user.key, "a record of a user of another partition was published");
        }
        if (output.value() == null) {
            long now = ground.time.laterStamp(ground.time.now());
            user.forget(output.timestamp(), now, ground.settings.userRetentionMs());
            return;
        }
        Presence presence = decoder.presence(output.value(), output.timestamp());
        if (presence == null) {
            report.add(Kind.UNREADABLE, user.key, "a record of presence that is no UserPresence");
            return;
        }
        user.publish(presence);
    }

    /** Nothing more comes; {@code present} is the stamp that a record would have now. */
    void end(long present) {
        for (User user : new ArrayList<>(users.values())) {
            user.end();
        }
        sweep.end(users.values(), ground.time.ofStamp(present));
    }
}
