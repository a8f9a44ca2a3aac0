package dev.rollcall.http;

import com.fasterxml.jackson.databind.JsonNode;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.StatusText;
import dev.rollcall.http.server.ApiException;
import dev.rollcall.http.server.Json;
import java.time.InstantSource;
import java.util.Optional;
import java.util.OptionalLong;

/** What the body of Matrix's {@code PUT …/presence/{userId}/status} says. What does not fit is refused. */
public final class MatrixStatus {
    public static final int MAX_BODY = 16_384;

    private MatrixStatus() {}

    /** The value of {@code presence}, as Matrix names it. */
    public static String presence(JsonNode body) {
        return Json.text(body, "presence");
    }

    /** The state of Matrix's name for it. */
    public static PresenceState state(String presence) {
        return known(presence)
                .orElseThrow(() -> ApiException.invalid("presence must be online, unavailable or offline"));
    }

    /** The state of Matrix's name for it; empty if it is none. */
    public static Optional<PresenceState> known(String presence) {
        return switch (presence) {
            case "online" -> Optional.of(PresenceState.ONLINE);
            case "unavailable" -> Optional.of(PresenceState.IDLE);
            case "offline" -> Optional.of(PresenceState.OFFLINE);
            default -> Optional.empty();
        };
    }

    /** The text; empty: a request without {@code status_msg} leaves it as it is (rule 8). */
    public static Optional<StatusText> text(JsonNode body) {
        return body.has("status_msg")
                ? Optional.of(PresenceRoutes.statusText(
                        Json.optionalText(body, "status_msg").orElse(null),
                        OptionalLong.empty(),
                        InstantSource.system()))
                : Optional.empty();
    }
}
