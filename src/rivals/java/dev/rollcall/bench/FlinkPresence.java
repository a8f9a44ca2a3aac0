package dev.rollcall.bench;

import dev.rollcall.domain.PresenceState;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;
import org.jspecify.annotations.NullUnmarked;

/**
 * Presence in Flink: the state of a user with their devices, and one event-time timer per user. A heartbeat does not move the timer:
 * when that fires too early, it is registered again for the deadline that is the next by then.
 */
@NullUnmarked // set in open, which Flink calls first
final class FlinkPresence extends KeyedProcessFunction<String, FlinkBeat, FlinkChange> {
    private static final long serialVersionUID = 1;

    private transient ValueState<FlinkUser> users;

    @Override
    public void open(OpenContext context) {
        users = getRuntimeContext().getState(new ValueStateDescriptor<>("users", FlinkUser.class));
        FlinkRun.processesHere();
    }

    @Override
    public void processElement(FlinkBeat beat, Context context, Collector<FlinkChange> out) throws Exception {
        FlinkUser known = users.value();
        FlinkUser user = known == null ? new FlinkUser() : known;
        // Whose lease has ended before this heartbeat, though the watermark has not come so far, was away.
        for (long end = user.nextDeadline(); end <= beat.at; end = user.nextDeadline()) {
            user.expire(end);
            emit(user, beat.user, end, out);
        }
        user.take(beat);
        emit(user, beat.user, beat.at, out);
        long next = user.nextDeadline();
        if (next < user.timer) {
            if (user.timer != FlinkUser.NEVER) {
                context.timerService().deleteEventTimeTimer(user.timer);
            }
            context.timerService().registerEventTimeTimer(next);
            user.timer = next;
        }
        users.update(user);
        FlinkRun.count();
    }

    @Override
    public void onTimer(long time, OnTimerContext context, Collector<FlinkChange> out) throws Exception {
        FlinkUser user = users.value();
        user.expire(time);
        emit(user, context.getCurrentKey(), time, out);
        user.timer = user.nextDeadline();
        if (user.timer != FlinkUser.NEVER) {
            context.timerService().registerEventTimeTimer(user.timer);
        }
        users.update(user);
    }

    private static void emit(FlinkUser user, String id, long at, Collector<FlinkChange> out) {
        PresenceState now = user.union();
        if (now != user.shown) {
            user.sequence++;
            FlinkChange change = new FlinkChange();
            change.user = id;
            change.state = now;
            change.previous = user.sequence == 1 ? null : user.shown;
            change.since = at;
            change.lastActive = user.lastActive;
            change.sequence = user.sequence;
            user.shown = now;
            out.collect(change);
        }
    }
}
