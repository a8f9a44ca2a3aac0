package dev.rollcall.matrix;

import dev.rollcall.http.limits.RateLimits;
import dev.rollcall.http.limits.RateLimits.Limit;
import dev.rollcall.matrix.polls.KnownTokens;
import dev.rollcall.matrix.polls.KnownTokens.Answer;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Base64;
import java.util.Deque;
import java.util.List;
import java.util.function.Consumer;

/**
 * Finds out whose an access token is: what is known, or else the homeserver's answer. An address may have only so many tokens looked
 * up, and few look-ups are under way at a time; one that had to wait for too long is given up. For the thread of the loop alone.
 */
final class TokenLookup {
    /** So many at once are some thousand a second on a homeserver that is well. */
    private static final int MAX_UNDER_WAY = 16;

    private static final int MAX_QUEUED = 10_000;
    private static final long MAX_WAIT_MS = 5_000;
    private static final int NETWORK_BYTES = 8;

    private record Lookup(String token, String hash, long askedAt) {}

    private final KnownTokens<Consumer<Answer>> tokens = new KnownTokens<>();
    private final RateLimits rates = new RateLimits();
    private final Deque<Lookup> queue = new ArrayDeque<>();
    private final Homeserver homeserver;
    private final int perSecond;
    private final EventLoop loop;
    private final ReceiverMeters meters;
    private int underWay;

    /** @param perSecond how many tokens one address may have looked up */
    TokenLookup(Homeserver homeserver, int perSecond, EventLoop loop, ReceiverMeters meters) {
        this.homeserver = homeserver;
        this.perSecond = perSecond;
        this.loop = loop;
        this.meters = meters;
    }

    /** What a token is known by. */
    static String hash(String token) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.UTF_8));
            return Base64.getEncoder().encodeToString(hash);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every Java has it
        }
    }

    /**
     * Tells {@code then} whose it is, now or later.
     *
     * @return 0; or how long, in ms, until the address may have another one looked up, and {@code then} is not told
     */
    long find(String token, String hash, String address, Consumer<Answer> then) {
        Answer answer = tokens.find(hash, EventLoop.nowMs());
        if (!(answer instanceof Answer.Unknown)) {
            then.accept(answer);
            return 0;
        }
        boolean isAsked = tokens.isAsked(hash);
        if (!isAsked) {
            long waitMs = rates.take(1, List.of(new Limit(network(address), "lookups", perSecond)));
            if (waitMs > 0) {
                meters.limited();
                return waitMs;
            }
        }
        if (queue.size() >= MAX_QUEUED || !tokens.await(hash, then)) {
            meters.dropped();
            then.accept(answer);
        } else if (!isAsked) {
            queue.add(new Lookup(token, hash, EventLoop.nowMs()));
            askNext();
        }
        return 0;
    }

    /** The homeserver has refused the token by now. */
    void evict(String hash) {
        tokens.evict(hash);
    }

    /** How many tokens are known. */
    int size() {
        return tokens.size();
    }

    private void askNext() {
        while (underWay < MAX_UNDER_WAY && !queue.isEmpty()) {
            Lookup next = queue.remove();
            if (EventLoop.nowMs() - next.askedAt > MAX_WAIT_MS) {
                answered(next.hash, new Answer.Unknown());
                continue;
            }
            underWay++;
            meters.asked();
            var unused = homeserver
                    .whoami(next.token)
                    .thenAccept(answer -> loop.add(() -> {
                        underWay--;
                        answered(next.hash, answer);
                        askNext();
                    }));
        }
    }

    private void answered(String hash, Answer answer) {
        KnownTokens.Resolved<Consumer<Answer>> resolved = tokens.answered(hash, answer, EventLoop.nowMs());
        resolved.waiting().forEach(then -> then.accept(resolved.answer()));
    }

    /** Whoever has one address of IPv6 usually has all of its network. */
    private static Object network(String address) {
        if (!address.matches("[0-9a-fA-F:.]*:[0-9a-fA-F:.]*")) { // else a name would be looked up
            return address;
        }
        try {
            byte[] bytes = InetAddress.getByName(address).getAddress();
            return bytes.length > NETWORK_BYTES
                    ? Arrays.toString(Arrays.copyOf(bytes, NETWORK_BYTES))
                    : Arrays.toString(bytes);
        } catch (UnknownHostException e) {
            return address;
        }
    }
}
