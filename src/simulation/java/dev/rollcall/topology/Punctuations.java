package dev.rollcall.topology;

import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.streams.processor.Cancellable;
import org.apache.kafka.streams.processor.Punctuator;

/** A task's wall-clock punctuators, fired as Kafka Streams does: late ones once, and on their own grid. Times in ms. */
final class Punctuations {
    private final List<Schedule> all = new ArrayList<>();

    private static final class Schedule implements Cancellable {
        private final long interval;
        private final Punctuator punctuator;
        private long next;
        private boolean isCancelled;

        Schedule(long interval, Punctuator punctuator, long next) {
            this.interval = interval;
            this.punctuator = punctuator;
            this.next = next;
        }

        @Override
        public void cancel() {
            isCancelled = true;
        }
    }

    Cancellable schedule(long interval, Punctuator punctuator, long now) {
        Schedule schedule = new Schedule(interval, punctuator, now + interval);
        all.add(schedule);
        return schedule;
    }

    /** Fires what is due; returns whether anything was. */
    boolean fire(long now) {
        boolean fired = false;
        for (int i = 0; i < all.size(); i++) { // firing may add one
            Schedule schedule = all.get(i);
            if (!schedule.isCancelled && schedule.next <= now) {
                schedule.next += ((now - schedule.next) / schedule.interval + 1) * schedule.interval;
                schedule.punctuator.punctuate(now);
                fired = true;
            }
        }
        all.removeIf(schedule -> schedule.isCancelled);
        return fired;
    }

    /** When the next one is due; {@link Long#MAX_VALUE}: none is scheduled. */
    long next() {
        long next = Long.MAX_VALUE;
        for (Schedule schedule : all) {
            next = Math.min(next, schedule.next);
        }
        return next;
    }

    /** Leaves out all that are due before then: they would have nothing to do. */
    void skipTo(long then) {
        for (Schedule schedule : all) {
            if (schedule.next < then) {
                schedule.next += (then - schedule.next + schedule.interval - 1) / schedule.interval * schedule.interval;
            }
        }
    }

    /** The first instant on the grid of the first schedule after this one; there is one schedule. */
    void resume(long now) {
        for (Schedule schedule : all) {
            if (schedule.next > now + schedule.interval) {
                schedule.next -= (schedule.next - now - 1) / schedule.interval * schedule.interval;
            }
        }
    }
}
