package dev.rollcall.http.events;

import dev.rollcall.domain.UserId;
import dev.rollcall.gateway.BatchToken;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a client asks for when it opens a stream.
 *
 * @param user the user whose device opens it
 * @param users whose presence it gets; null: all users'
 * @param from where the client's last stream ended; null: it gets a snapshot
 * @param timeoutMs how long the stream lasts at most
 * @param endsWithToken whether that is because the client's token then ends
 */
public record StreamRequest(
        UserId user,
        String device,
        @Nullable Set<UserId> users,
        @Nullable BatchToken from,
        StreamFormat format,
        long timeoutMs,
        boolean endsWithToken) {}
