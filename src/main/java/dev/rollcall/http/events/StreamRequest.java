package dev.rollcall.http.events;

import dev.rollcall.domain.UserId;
import org.jspecify.annotations.Nullable;

/**
 * What a client asks for when it opens a stream.
 *
 * @param device the device that the stream keeps online; null: it is a service's, and keeps none
 * @param timeoutMs how long the stream lasts at most
 * @param windowMs how long there is no batch after one, in ms; what changes meanwhile comes together, the latest of each user
 * @param endsWithToken whether that is because the client's token then ends
 */
public record StreamRequest(
        @Nullable Device device, StreamFormat format, long timeoutMs, long windowMs, boolean endsWithToken) {
    /** A user's device. */
    public record Device(UserId user, String id) {}
}
