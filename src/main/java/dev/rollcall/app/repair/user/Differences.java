package dev.rollcall.app.repair.user;

import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.rollcall.app.repair.Output;
import dev.rollcall.domain.Presence;
import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserSnapshot;
import dev.rollcall.domain.UserSnapshot.Emitted;
import dev.rollcall.wire.Inbound;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What does not agree, as sentences. */
record Differences(ArrayNode all) {
    void ofTheOutput(@Nullable UserSnapshot stored, @Nullable Presence published) {
        @Nullable Emitted emitted = stored == null ? null : stored.emitted();
        if (emitted == null && published != null) {
            all.add("presence has a record, and none is known to have been published: what is stored was lost"
                    + " (rollcall rebuild)");
        } else if (emitted != null && published == null) {
            all.add("record %d was published, and presence does not have it (rollcall republish)"
                    .formatted(emitted.sequence()));
        } else if (emitted != null && published != null) {
            add("sequence", published.sequence(), emitted.sequence());
            add("state", published.state(), emitted.state());
            add("since", Output.time(published.since()), Output.time(emitted.since()));
            add("text", published.status(), text(stored));
        }
    }

    void ofTheText(@Nullable UserSnapshot stored, Inbound.@Nullable Content content) {
        if (content instanceof Inbound.Status status && !isOver(status.text())) {
            if (!Objects.equals(status.text().text(), text(stored))) {
                all.add("text: status has %s, what is stored has %s"
                        .formatted(status.text().text(), text(stored)));
            }
        }
    }

    void ofTheFlag(@Nullable UserSnapshot stored, Inbound.@Nullable Content content) {
        boolean isHidden = stored != null && stored.appearOffline();
        if (content instanceof Inbound.AppearOffline flag && flag.appearOffline() != isHidden) {
            all.add("appear_offline: appear-offline has %s, what is stored has %s"
                    .formatted(flag.appearOffline(), isHidden));
        }
    }

    private static boolean isOver(StatusText text) {
        return text.isExpired(System.currentTimeMillis());
    }

    private static @Nullable String text(@Nullable UserSnapshot stored) {
        return stored == null ? null : stored.status().text();
    }

    private void add(String what, @Nullable Object published, @Nullable Object stored) {
        if (!Objects.equals(published, stored)) {
            all.add("%s: presence has %s, what is stored has %s".formatted(what, published, stored));
        }
    }
}
