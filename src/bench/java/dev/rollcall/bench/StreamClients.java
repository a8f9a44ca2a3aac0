package dev.rollcall.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Event streams on one thread, each of a user who watches the users behind: so each user is watched by as many. A stream that
 * does not read has sent its request and takes nothing.
 */
final class StreamClients {
    private static final int LONGEST_MS = 60_000;
    private static final int MAX_REFUSALS_PRINTED = 10;

    private static final class Stream {
        private final int user;
        private final URI edge;
        private final boolean reads;

        /** Of those it watches, the sequence of the last state that it has; -1: none yet. */
        private final int[] sequences;

        private @Nullable SocketChannel channel;
        private byte[] rest = {};
        private boolean isOpen;

        /** Of the last batch; what a browser names as {@code Last-Event-ID} when it comes back. Empty: none yet. */
        private String token = "";

        private Stream(int user, URI edge, boolean reads, int watched) {
            this.user = user;
            this.edge = edge;
            this.reads = reads;
            this.sequences = new int[watched];
            Arrays.fill(sequences, -1);
        }
    }

    private final int users;
    private final int watched;
    private final String query;
    private final List<Stream> streams = new ArrayList<>();
    private final Selector selector;
    private final ByteBuffer buffer = ByteBuffer.allocate(1 << 18);
    private final ConcurrentLinkedQueue<Runnable> orders = new ConcurrentLinkedQueue<>();
    private int @Nullable [] measured;
    private long measuredFrom = Long.MAX_VALUE;
    private int open;
    private int ended;
    private int refused;

    /**
     * @param edges where they connect, in turns
     * @param users how many there are
     * @param first the first user who has a stream; the others follow
     * @param readOf of so many streams all but one read
     * @param query what is added to the request, for example {@code &window=1000}
     */
    StreamClients(List<URI> edges, int users, int first, int streams, int watched, int readOf, String query)
            throws IOException {
        this.users = users;
        this.watched = watched;
        this.query = query;
        selector = Selector.open();
        for (int i = 0; i < streams; i++) {
            this.streams.add(new Stream(first + i, edges.get(i % edges.size()), i % readOf != readOf - 1, watched));
        }
        Thread thread = new Thread(this::run, "streams");
        thread.setDaemon(true);
        thread.start();
    }

    /**
     * Opens all of them, those that were open anew, as a browser does that was cut off: from its last batch on.
     *
     * @return after how many ms all that read had their first batch, or, of those that come back, the beginning of a response
     */
    long open(long atMostMs) throws Exception {
        long begin = System.nanoTime();
        List<Stream> all = List.copyOf(streams);
        order(() -> {
            for (Stream stream : all) {
                SocketChannel channel = stream.channel;
                if (channel != null) {
                    channel.close();
                }
                stream.isOpen = false;
            }
            open = 0;
            ended = 0;
            return null;
        });
        for (Stream stream : all) {
            order(() -> {
                connect(stream);
                return null;
            });
        }
        long readers = all.stream().filter(stream -> stream.reads).count();
        while (order(() -> open) < readers) {
            if (System.nanoTime() - begin > atMostMs * 1_000_000) {
                throw new BenchmarkException("only %d of %d streams are open after %d ms, %d have ended"
                        .formatted(order(() -> open), readers, atMostMs, ended()));
            }
            Thread.sleep(10);
        }
        return (System.nanoTime() - begin) / 1_000_000;
    }

    /** What changes from now on and is delivered in that time: by ms from the broker's stamp to here, how much. */
    int[] measure(long ms) throws Exception {
        int[] byMs = new int[LONGEST_MS + 1];
        order(() -> {
            measured = byMs;
            measuredFrom = System.currentTimeMillis();
            return null;
        });
        Thread.sleep(ms);
        order(() -> measured = null);
        return byMs;
    }

    /** How many of those that read were ended by the other side. */
    int ended() throws Exception {
        return order(() -> ended);
    }

    /** How many of those that read lack the last state of somebody they watch, whose sequence by user is given. */
    int behind(List<Integer> sequences) throws Exception {
        return order(() -> {
            int behind = 0;
            for (Stream stream : streams) {
                if (stream.reads
                        && !IntStream.range(0, watched)
                                .allMatch(i -> stream.sequences[i] == sequences.get((stream.user + 1 + i) % users))) {
                    behind++;
                }
            }
            return behind;
        });
    }

    private <T extends @Nullable Object> T order(Callable<T> what) throws Exception {
        CompletableFuture<T> done = new CompletableFuture<>();
        orders.add(() -> {
            try {
                done.complete(what.call());
            } catch (Exception e) {
                done.completeExceptionally(e);
            }
        });
        selector.wakeup();
        return done.get();
    }

    private void run() {
        try {
            while (true) {
                selector.select(this::read, 1_000);
                for (Runnable order = orders.poll(); order != null; order = orders.poll()) {
                    order.run();
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void connect(Stream stream) throws IOException {
        String users = IntStream.range(0, watched)
                .mapToObj(i -> encoded((stream.user + 1 + i) % this.users))
                .collect(Collectors.joining(","));
        String request =
                "GET /v2/users/%s/devices/tab/events?users=%s%s HTTP/1.1\r\nHost: %s\r\nAccept: text/event-stream\r\n%s\r\n"
                        .formatted(
                                encoded(stream.user),
                                users,
                                query,
                                stream.edge.getAuthority(),
                                stream.token.isEmpty() ? "" : "Last-Event-ID: " + stream.token + "\r\n");
        SocketChannel channel = SocketChannel.open(new InetSocketAddress(stream.edge.getHost(), stream.edge.getPort()));
        stream.channel = channel;
        stream.rest = new byte[0];
        channel.write(ByteBuffer.wrap(request.getBytes(StandardCharsets.US_ASCII)));
        channel.configureBlocking(false);
        if (stream.reads) {
            channel.register(selector, SelectionKey.OP_READ, stream);
        }
    }

    private static String encoded(int user) {
        return new String(LogPlan.key(user), StandardCharsets.US_ASCII)
                .replace("@", "%40")
                .replace(":", "%3A");
    }

    private void read(SelectionKey key) {
        Stream stream = (Stream) key.attachment();
        int read;
        buffer.clear().put(stream.rest);
        try {
            read = ((SocketChannel) key.channel()).read(buffer);
        } catch (IOException e) {
            read = -1;
        }
        if (read < 0) {
            key.cancel();
            ended++;
            return;
        }
        byte[] bytes = buffer.array();
        int end = buffer.position();
        int begin = 0;
        for (int i = stream.rest.length; i < end; i++) {
            if (bytes[i] == '\n') {
                line(stream, new String(bytes, begin, i - begin, StandardCharsets.ISO_8859_1));
                begin = i + 1;
            }
        }
        stream.rest = Arrays.copyOfRange(bytes, begin, end);
    }

    private void line(Stream stream, String line) {
        if (line.startsWith("{\"errcode\"")
                && refused++ < MAX_REFUSALS_PRINTED) { // the body of an answer that is no stream
            System.err.println("a stream was refused: " + line);
        }
        if (line.startsWith("id: ")) {
            stream.token = line.substring(4);
        }
        boolean isBatch = line.startsWith("data: ");
        if (!stream.isOpen && (isBatch || (line.startsWith("retry: ") && !stream.token.isEmpty()))) {
            stream.isOpen = true;
            open++;
        }
        if (!isBatch) {
            return;
        }
        long now = System.currentTimeMillis();
        int at = line.indexOf("\"user_id\":\"");
        while (at >= 0) {
            int next = line.indexOf("\"user_id\":\"", at + 1);
            String one = line.substring(at, next < 0 ? line.length() : next);
            int user = LogPlan.user(one.substring(11, one.indexOf('"', 11)));
            long since = number(one, "\"since\":");
            stream.sequences[Math.floorMod(user - stream.user - 1, users)] = (int) number(one, "\"sequence\":");
            if (measured != null && since >= measuredFrom) {
                measured[(int) Math.max(0, Math.min(now - since, LONGEST_MS))]++;
            }
            at = next;
        }
    }

    private static long number(String json, String name) {
        int begin = json.indexOf(name);
        if (begin < 0) {
            return -1;
        }
        long number = 0;
        for (int i = begin + name.length(); i < json.length() && Character.isDigit(json.charAt(i)); i++) {
            number = 10 * number + json.charAt(i) - '0';
        }
        return number;
    }
}
