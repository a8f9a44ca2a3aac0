package dev.rollcall.bench;

import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.exceptions.JedisConnectionException;

/** A Redis or Valkey server of our own on this machine, as it is set up by default. */
final class RedisServer implements AutoCloseable {
    private static final Duration START_TIMEOUT = Duration.ofSeconds(10);
    private static final String HOST = "127.0.0.1";

    private final Process process;
    private final int port;

    RedisServer(Path directory) {
        try {
            Files.createDirectories(directory);
            port = freePort();
            process = new ProcessBuilder(
                            program(),
                            "--port",
                            Integer.toString(port),
                            "--bind",
                            HOST,
                            "--dir",
                            directory.toAbsolutePath().toString(),
                            "--daemonize",
                            "no")
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
        } catch (IOException e) {
            throw new BenchmarkException("Redis does not start: " + e);
        }
    }

    private static String program() {
        List<Path> path = Arrays.stream(System.getenv("PATH").split(File.pathSeparator))
                .map(Path::of)
                .toList();
        return Stream.of("valkey-server", "redis-server")
                .flatMap(name -> path.stream().map(directory -> directory.resolve(name)))
                .filter(Files::isExecutable)
                .findFirst()
                .orElseThrow(() -> new BenchmarkException(
                        "there is no valkey-server and no redis-server: apt-get install redis-server"))
                .toString();
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    /** A connection to it, as soon as it answers. */
    Jedis connect() {
        long giveUpAt = System.nanoTime() + START_TIMEOUT.toNanos();
        while (true) {
            try {
                Jedis jedis = new Jedis(HOST, port);
                jedis.ping();
                return jedis;
            } catch (JedisConnectionException e) {
                if (!process.isAlive() || System.nanoTime() > giveUpAt) {
                    throw new BenchmarkException("Redis does not answer: " + e);
                }
                sleep();
            }
        }
    }

    private static void sleep() {
        try {
            TimeUnit.MILLISECONDS.sleep(20);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BenchmarkException("interrupted");
        }
    }

    /** What it has used of the processor so far. */
    long cpuNanos() {
        return process.info().totalCpuDuration().map(Duration::toNanos).orElse(0L);
    }

    @Override
    public void close() {
        process.destroyForcibly().onExit().join();
    }
}
