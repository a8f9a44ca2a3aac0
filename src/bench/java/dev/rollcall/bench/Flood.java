package dev.rollcall.bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** One request, again and again, on several connections at once, each as fast as it is answered. */
final class Flood {
    private final URI edge;
    private final byte[] request;
    private final List<Thread> threads = new ArrayList<>();
    private final Map<String, Long> answers = new TreeMap<>();
    private volatile boolean ended;

    /** @param token the bearer token */
    Flood(URI edge, int connections, String method, String path, String token, String json) {
        this.edge = edge;
        byte[] body = json.getBytes(UTF_8);
        this.request = ("%s %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n"
                        + "Content-Length: %d\r\n\r\n%s")
                .formatted(method, path, edge.getAuthority(), token, body.length, json)
                .getBytes(UTF_8);
        for (int i = 0; i < connections; i++) {
            Thread thread = new Thread(this::run, "flood-" + i);
            thread.setDaemon(true);
            threads.add(thread);
            thread.start();
        }
    }

    /** Ends it; returns how many answers there were, by their status; "cut off": the edge ended the connection. */
    Map<String, Long> end() throws InterruptedException {
        ended = true;
        for (Thread thread : threads) {
            thread.join();
        }
        return answers;
    }

    private void run() {
        while (!ended) {
            try (Socket socket = new Socket(edge.getHost(), edge.getPort())) {
                InputStream in = new BufferedInputStream(socket.getInputStream());
                while (!ended) {
                    socket.getOutputStream().write(request);
                    count(answer(in));
                }
            } catch (IOException e) {
                count("cut off");
            }
        }
    }

    private synchronized void count(String answer) {
        answers.merge(answer, 1L, Long::sum);
    }

    private static String answer(InputStream in) throws IOException {
        String status = line(in).split(" ", -1)[1];
        int length = 0;
        for (String header = line(in); !header.isEmpty(); header = line(in)) {
            if (header.toLowerCase(Locale.ROOT).startsWith("content-length:")) {
                length = Integer.parseInt(header.substring(15).strip());
            }
        }
        in.skipNBytes(length);
        return status;
    }

    private static String line(InputStream in) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int next = in.read(); next != '\n'; next = in.read()) {
            if (next < 0) {
                throw new IOException("the connection has ended");
            }
            line.append((char) next);
        }
        return line.toString().stripTrailing();
    }
}
