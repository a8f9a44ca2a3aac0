package dev.rollcall.matrix;

import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One thread, which alone knows the polls and the tokens: no request waits for it. */
final class EventLoop implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(EventLoop.class);
    private static final int MAX_WAITING = 20_000;
    private static final long TICK_MS = 1_000;

    private final BlockingQueue<Runnable> waiting = new LinkedBlockingQueue<>();
    private final Runnable tick;
    private final Thread thread;
    private volatile boolean stopped;
    private long nextTick = nowMs() + TICK_MS;

    /** @param tick run once a second */
    EventLoop(Runnable tick) {
        this.tick = tick;
        thread = new Thread(this::run, "matrix-polls");
        thread.setDaemon(true);
    }

    void start() {
        thread.start();
    }

    /** In ms from any fixed point. */
    static long nowMs() {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime());
    }

    /** Something has happened outside. Returns false, and forgets it, while too much waits. */
    boolean offer(Runnable event) {
        return waiting.size() < MAX_WAITING && waiting.offer(event);
    }

    /** An answer to what was asked from here: there are no more of them than were asked. */
    void add(Runnable event) {
        waiting.add(event);
    }

    @Override
    public void close() {
        stopped = true;
        thread.interrupt();
    }

    private void run() {
        while (!stopped) {
            try {
                Runnable event = waiting.poll(Math.max(0, nextTick - nowMs()), TimeUnit.MILLISECONDS);
                if (event != null) {
                    event.run();
                }
                if (nowMs() >= nextTick) {
                    nextTick = nowMs() + TICK_MS;
                    tick.run();
                }
            } catch (InterruptedException e) {
                // it was closed
            } catch (Throwable e) {
                LOG.error("an event of the receiver has failed, and the next one follows", e);
            }
        }
    }
}
