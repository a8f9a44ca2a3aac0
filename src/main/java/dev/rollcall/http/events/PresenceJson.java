package dev.rollcall.http.events;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.rollcall.domain.Presence;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.UserId;
import dev.rollcall.gateway.PresenceSubscription.Batch;
import dev.rollcall.gateway.PresenceSubscription.Found;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import org.jspecify.annotations.Nullable;

/**
 * Presence as JSON. Times are in ms since the epoch. Written as it goes, without a tree: each change is rendered for each
 * stream that watches the user, and trees took 40 % of an edge's time.
 */
public final class PresenceJson {
    private static final String UNKNOWN = "unknown";
    private static final JsonFactory JSON = new JsonFactory();

    /** About as long as the JSON of one user is. */
    private static final int BYTES = 200;

    private interface Content {
        void writeTo(JsonGenerator json) throws IOException;
    }

    private PresenceJson() {}

    /** A user's last published presence; null, for a user who is not known, becomes the state {@code unknown}. */
    public static String render(UserId user, @Nullable Presence presence) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(BYTES);
        write(out, json -> write(json, user, presence));
        return out.toString(UTF_8);
    }

    /** {@code online}, {@code idle} or {@code offline}. */
    public static String name(PresenceState state) {
        return switch (state) {
            case ONLINE -> "online";
            case IDLE -> "idle";
            case OFFLINE -> "offline";
        };
    }

    /** Writes a batch in UTF-8. */
    static void write(OutputStream out, Batch batch) {
        write(out, json -> {
            json.writeStartObject();
            json.writeBooleanField("snapshot", batch.snapshot());
            json.writeArrayFieldStart("presences");
            for (Found found : batch.presences()) {
                write(json, found.user(), found.presence());
            }
            json.writeEndArray();
            json.writeBooleanField("more", batch.more());
            json.writeStringField("next_batch", batch.nextBatch().toString());
            json.writeEndObject();
        });
    }

    private static void write(OutputStream out, Content content) {
        try (JsonGenerator json = JSON.createGenerator(out)) {
            content.writeTo(json);
        } catch (IOException e) {
            throw new UncheckedIOException(e); // not into memory
        }
    }

    private static void write(JsonGenerator json, UserId user, @Nullable Presence presence) throws IOException {
        json.writeStartObject();
        json.writeStringField("user_id", user.toString());
        if (presence == null) {
            json.writeStringField("state", UNKNOWN);
        } else {
            json.writeStringField("state", name(presence.state()));
            json.writeStringField("status", presence.status());
            json.writeNumberField("since", presence.since());
            Long lastActive = presence.lastActive();
            if (lastActive == null) {
                json.writeNullField("last_active");
            } else {
                json.writeNumberField("last_active", lastActive);
            }
            json.writeNumberField("sequence", presence.sequence());
        }
        json.writeEndObject();
    }
}
