package dev.rollcall.matrix;

import dev.rollcall.domain.PresenceState;
import dev.rollcall.gateway.PresenceWriter;
import dev.rollcall.http.server.ApiException;
import dev.rollcall.matrix.polls.Beat;
import dev.rollcall.matrix.polls.KnownTokens.Answer;
import dev.rollcall.matrix.polls.LogLine;
import dev.rollcall.matrix.polls.MatrixDevice;
import dev.rollcall.matrix.polls.OpenPolls;
import dev.rollcall.matrix.polls.Poll;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** What happens to the polls, each after the other, on the thread of the loop. Thread-safe: no call waits. */
final class PollEvents implements AutoCloseable {
    private static final long ANSWER_MS = 10_000;

    private final EventLoop loop = new EventLoop(this::tick);
    private final OpenPolls polls;
    private final TokenLookup lookup;
    private final ReceiverMeters meters;
    private volatile @Nullable PresenceWriter writer;
    private volatile int open;
    private volatile int devices;
    private volatile int tokens;

    PollEvents(Homeserver homeserver, String shard, int lookups, ReceiverMeters meters) {
        this.polls = new OpenPolls(shard);
        this.lookup = new TokenLookup(homeserver, lookups, loop, meters);
        this.meters = meters;
        meters.gauge("rollcall.matrix.open", "Polls that are open", () -> open);
        meters.gauge("rollcall.matrix.devices", "Devices that have polled within their lease", () -> devices);
        meters.gauge("rollcall.matrix.tokens", "Access tokens that are known", () -> tokens);
        loop.start();
    }

    /** Lets heartbeats be written. */
    void open(PresenceWriter newWriter) {
        writer = newWriter;
    }

    void polled(Mirrored poll) {
        meters.polled();
        offer(() -> begin(poll));
    }

    void ended(LogLine line) {
        meters.logged();
        offer(() -> end(line));
    }

    /** Whose a token is. Fails with an {@link ApiException} if it is nobody's, or that cannot be known now. */
    CompletableFuture<MatrixDevice> caller(String token, String address) {
        CompletableFuture<MatrixDevice> caller = new CompletableFuture<>();
        boolean isAccepted = loop.offer(() -> {
            long waitMs = lookup.find(token, TokenLookup.hash(token), address, answer -> tell(caller, answer));
            if (waitMs > 0) {
                caller.completeExceptionally(
                        ApiException.tooMany("too many access tokens were looked up for this address", waitMs));
            }
        });
        if (!isAccepted) {
            caller.completeExceptionally(ApiException.unavailable("too much waits here"));
        }
        return caller.orTimeout(ANSWER_MS, TimeUnit.MILLISECONDS)
                .exceptionallyCompose(failure -> CompletableFuture.failedFuture(
                        ApiException.of(failure) == failure || failure.getCause() instanceof ApiException
                                ? failure
                                : ApiException.unavailable("the homeserver does not answer")));
    }

    private static void tell(CompletableFuture<MatrixDevice> caller, Answer answer) {
        if (answer instanceof Answer.Of of) {
            caller.complete(of.device());
        } else if (answer instanceof Answer.Nobody) {
            caller.completeExceptionally(ApiException.unknownToken("the homeserver does not know this access token"));
        } else {
            caller.completeExceptionally(ApiException.unavailable("the homeserver does not say whose this token is"));
        }
    }

    /** The client sets the state of its device in another request. */
    void stateIsSet(MatrixDevice device, PresenceState state) {
        loop.add(() -> polls.stateWasSet(device, state));
    }

    @Override
    public void close() {
        loop.close();
    }

    private void offer(Runnable event) {
        if (!loop.offer(event)) {
            meters.dropped();
        }
    }

    // ---- on the thread of the loop ----

    private void begin(Mirrored seen) {
        String hash = TokenLookup.hash(seen.token());
        Poll poll = polls.begin(seen.requestId(), hash, seen.timeoutMs(), seen.state(), EventLoop.nowMs());
        if (poll.isUnauthorized()) { // its line in the log came first
            lookup.evict(hash);
            return;
        }
        if (lookup.find(seen.token(), hash, seen.address(), answer -> identify(poll, answer)) > 0) {
            polls.drop(poll);
        }
    }

    private void identify(Poll poll, Answer answer) {
        if (answer instanceof Answer.Of of) {
            polls.identify(poll, of.device(), EventLoop.nowMs()).ifPresent(this::write);
        } else {
            polls.drop(poll);
        }
    }

    private void end(LogLine line) {
        polls.end(line.requestId(), line.status(), EventLoop.nowMs()).ifPresent(end -> {
            if (end.poll().isUnauthorized()) {
                lookup.evict(end.poll().tokenHash());
            }
            end.beat().ifPresent(this::write);
        });
    }

    private void tick() {
        polls.tick(EventLoop.nowMs()).forEach(this::write);
        open = polls.open();
        devices = polls.devices();
        tokens = lookup.size();
    }

    private void write(Beat beat) {
        PresenceWriter present = writer;
        if (present == null) {
            polls.failed(beat, EventLoop.nowMs());
            return;
        }
        if (beat.heartbeat().connectionEnded()) {
            meters.ended();
        } else {
            meters.written();
        }
        var unused = present.heartbeat(beat.device().user(), beat.heartbeat()).whenComplete((done, failure) -> {
            if (failure != null) {
                meters.failed();
                loop.add(() -> polls.failed(beat, EventLoop.nowMs()));
            }
        });
    }
}
