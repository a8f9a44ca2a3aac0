package dev.rollcall.client;

import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Where a publisher's own work is done: on threads of its own, or by hand in tests. */
interface Background extends AutoCloseable {
    /** Runs what may wait for a broker; one task after the other. */
    Executor sending();

    /** Runs a short task again and again, with this pause between the runs, until closed; whatever it throws. */
    void every(Duration pause, Runnable task);

    /** Begins nothing more. */
    @Override
    void close();

    /** Two threads, so that a broker that is away holds up no keep-alive's turn. Daemons: they keep no process alive. */
    static Background threads(String name) {
        ScheduledExecutorService sending = Executors.newSingleThreadScheduledExecutor(task -> daemon(task, name));
        ScheduledExecutorService ticking =
                Executors.newSingleThreadScheduledExecutor(task -> daemon(task, name + "-keep-alive"));
        return new Background() {
            @Override
            public Executor sending() {
                return sending;
            }

            @Override
            public void every(Duration pause, Runnable task) {
                // Not at a fixed rate: the runs that a stall left out would all be made up for at once.
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
     * A task whose next run comes whatever this one throws: an executor would never call it again.
     *
     * @param task what is to be done each time
     */
    record Repeated(Runnable task) implements Runnable {
        private static final Logger LOG = LoggerFactory.getLogger(Background.class);

        @Override
        public void run() {
            try {
                task.run();
            } catch (Throwable e) {
                tell(e);
            }
        }

        private static void tell(Throwable failure) {
            try {
                LOG.error("what is done again and again failed; it will be tried again", failure);
            } catch (Throwable e) {
                // There may be no memory for that, either. The next run will tell, if it fails too.
            }
        }
    }
}
