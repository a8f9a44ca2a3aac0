package dev.rollcall.http;

import com.fasterxml.jackson.databind.JsonNode;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.Limits;
import dev.rollcall.http.server.ApiException;
import dev.rollcall.http.server.Ids;
import dev.rollcall.http.server.Json;
import org.jspecify.annotations.Nullable;

/** A device's heartbeat in JSON. */
final class HeartbeatJson {
    private HeartbeatJson() {}

    /**
     * Reads {@code state}, {@code lease_ms} and {@code shard}; each may be missing or null (rules 2, 4, 13).
     *
     * @param withConnection whether {@code session} and {@code closed} are read too (rules 5, 14)
     */
    static Heartbeat read(String device, JsonNode body, boolean withConnection) {
        String shard = id(body, "shard");
        String session = withConnection ? id(body, "session") : null;
        if (session != null && shard == null) {
            throw ApiException.badJson("a session is one of a shard: shard is missing");
        }
        return new Heartbeat(
                device,
                Json.optionalText(body, "state").map(PresenceRoutes::state).orElse(null),
                withConnection && body.hasNonNull("closed") && Json.flag(body, "closed"),
                Json.optionalNumber(body, "lease_ms", 1, Limits.MAX_LEASE_MS),
                shard,
                session);
    }

    private static @Nullable String id(JsonNode body, String field) {
        return Json.optionalText(body, field)
                .map(text -> Ids.bounded(text, field))
                .orElse(null);
    }
}
