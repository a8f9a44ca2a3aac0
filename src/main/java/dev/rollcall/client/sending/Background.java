package dev.rollcall.client.sending;

import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Runs a publisher's tasks: on threads of its own, or by hand in tests. */
public interface Background extends AutoCloseable {
    /** Runs tasks that may block on a broker, each on a thread of its own. */
    Executor sending();

    /** Runs a task that does not block, with this pause between two runs, until closed, whatever it throws. */
    void every(Duration pause, Runnable task);

    /** Starts no further run. */
    @Override
    void close();

    /** Daemon threads: one for what is repeated, and one more for each topic that is sent to. */
    static Background threads(String name) {
        ExecutorService sending = Executors.newCachedThreadPool(task -> daemon(task, name));
        ScheduledExecutorService ticking =
                Executors.newSingleThreadScheduledExecutor(task -> daemon(task, name + "-tick"));
        return new Background() {
            @Override
            public Executor sending() {
                return sending;
            }

            @Override
            public void every(Duration pause, Runnable task) {
                // Not at a fixed rate: after a stall all missed runs would follow at once.
                var unused = ticking.scheduleWithFixedDelay(
                        new Repeated(task), pause.toMillis(), pause.toMillis(), TimeUnit.MILLISECONDS);
            }

            @Override
            public void close() {
                ticking.shutdown();
                sending.shutdown();
            }
        };
    }

    private static Thread daemon(Runnable task, String name) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        return thread;
    }

    /**
     * Catches what a task throws: an executor would never run it again.
     *
     * @param task what to run each time
     */
    record Repeated(Runnable task) implements Runnable {
        private static final Logger LOG = LoggerFactory.getLogger(Background.class);

        @Override
        public void run() {
            try {
                task.run();
            } catch (Throwable e) {
                log(e);
            }
        }

        private static void log(Throwable failure) {
            try {
                LOG.error("A repeated task failed; it runs again", failure);
            } catch (Throwable e) {
                // There may be no memory for logging, either. The next run logs if it fails too.
            }
        }
    }
}
