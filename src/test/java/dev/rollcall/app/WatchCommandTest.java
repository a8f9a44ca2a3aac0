package dev.rollcall.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.client.PresenceChange;
import dev.rollcall.client.PresenceChange.Kind;
import dev.rollcall.domain.Presence;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.UserId;
import org.junit.jupiter.api.Test;

class WatchCommandTest {
    private static final String HOSTILE =
            "\n10:00:00.000 ERROR Rollcall - x\r\u001b[2J\u009b2J\u202egro\u2066\u200f\u061c\u2028";
    private static final UserId USER = UserId.of("@a" + HOSTILE);

    @Test
    void shouldPrintALineThatSteersNothingWhateverUsersWrote() {
        Presence presence = new Presence(PresenceState.ONLINE, null, HOSTILE, 1, null, 1);

        String line = WatchCommand.line(new PresenceChange(USER, Kind.CHANGE, null, presence, false, 1, 1, 0, 0));

        assertThat(line.replaceAll("\u001b\\[[0-9;]*m", "")) // the state's colour
                .contains("@a\\u000a10:00:00.000 ERROR")
                .contains("\"\\u000a10:00:00.000 ERROR")
                .contains("\\u009b2J\\u202egro\\u2066")
                .matches("[\\x20-\\x7e]*");
    }

    @Test
    void shouldPrintALineThatSteersNothingWhenAUserIsForgotten() {
        String line = WatchCommand.line(new PresenceChange(USER, Kind.FORGOTTEN, null, null, false, 0, 1, 0, 0));

        assertThat(line).matches("[\\x20-\\x7e]*forgotten");
    }
}
