package dev.rollcall.app;

import dev.rollcall.http.Simulation;
import dev.rollcall.simulate.Population;
import dev.rollcall.simulate.Simulator;
import dev.rollcall.simulate.Tempo;
import dev.rollcall.wire.Topics;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The simulation that users start and stop on the page. */
final class PageSimulation implements Simulation, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PageSimulation.class);
    private static final int DEVICES_PER_USER = 2;
    private static final int SHARDS = 4;
    private static final long SEED = 1;

    /** A device's heartbeat interval: a third of the lease of {@link Tempo#LIVELY}; longer if there are many devices. */
    private static final int SECONDS_PER_TURN = 2;

    private static final int MANY_SECONDS_PER_TURN = 8;

    /** So many heartbeats a second the shorter interval may take. */
    private static final int MANY_BEATS = 1_000;

    private final Topics topics;
    private final Map<String, Object> settings;
    private int users;
    private @Nullable Simulator simulator;

    PageSimulation(Topics topics, Map<String, Object> settings) {
        this.topics = topics;
        this.settings = settings;
    }

    @Override
    public synchronized void start(int newUsers) {
        stop();
        int devices = newUsers * DEVICES_PER_USER;
        int beatsPerSecond = Math.max(
                Math.max(1, devices / MANY_SECONDS_PER_TURN), Math.min(MANY_BEATS, devices / SECONDS_PER_TURN));
        Simulator started = new Simulator(
                new Population(newUsers, DEVICES_PER_USER, beatsPerSecond, SHARDS, SEED),
                Tempo.LIVELY,
                true,
                topics,
                settings);
        Thread thread = new Thread(() -> run(started), "simulation");
        thread.setDaemon(true);
        thread.start();
        users = newUsers;
        simulator = started;
    }

    private void run(Simulator started) {
        try (started) {
            started.run(Long.MAX_VALUE);
        } catch (Throwable e) {
            LOG.error("the simulation has ended", e);
            ended(started);
        }
    }

    /** A simulation that ended by itself must not be shown as running. */
    private synchronized void ended(Simulator one) {
        if (simulator == one) {
            stop();
        }
    }

    @Override
    public synchronized void stop() {
        if (simulator != null) {
            simulator.stop(); // its own thread closes it
        }
        simulator = null;
        users = 0;
    }

    @Override
    public synchronized State state() {
        return new State(users, simulator == null ? 0 : simulator.totals().heartbeats());
    }

    @Override
    public void close() {
        stop();
    }
}
