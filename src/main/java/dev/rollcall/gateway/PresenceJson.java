package dev.rollcall.gateway;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rollcall.domain.Presence;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.UserId;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Presence as JSON. Times are in ms since the epoch. */
public final class PresenceJson {
    private static final String UNKNOWN = "unknown";
    private static final JsonMapper MAPPER = new JsonMapper();

    private PresenceJson() {}

    /** A user's last published presence; null, for a user who is not known, becomes the state {@code unknown}. */
    public static ObjectNode render(UserId user, @Nullable Presence presence) {
        ObjectNode json = MAPPER.createObjectNode().put("user_id", user.toString());
        if (presence == null) {
            return json.put("state", UNKNOWN);
        }
        return json.put("state", name(presence.state()))
                .put("status", presence.status())
                .put("since", presence.since())
                .put("last_active", presence.lastActive())
                .put("sequence", presence.sequence());
    }

    /** {@code online}, {@code idle} or {@code offline}. */
    public static String name(PresenceState state) {
        return state.name().toLowerCase(Locale.ROOT);
    }
}
