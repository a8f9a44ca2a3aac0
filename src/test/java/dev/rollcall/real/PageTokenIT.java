package dev.rollcall.real;

import static dev.rollcall.real.RealContext.await;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.domain.UserId;
import dev.rollcall.http.tokens.TokenSigner;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** The page in a real browser, at a Rollcall with a key. */
@Tag("other-language")
@Timeout(120)
class PageTokenIT {
    private static final String ALICE = "@alice:example.org";

    @RegisterExtension
    static final HttpExtension ROLLCALL = HttpExtension.with(
            "http.jwt.key", HttpContext.KEY, "disconnect.grace.ms", "1500", "http.simulation.enabled", "false");

    private final HttpContext service = HttpContext.ofService(ROLLCALL.url());
    private final TokenSigner tokens = HttpContext.TOKENS;
    private final Instant inAnHour = Instant.now().plus(Duration.ofHours(1));
    private Browser browser;

    @BeforeEach
    void open(@TempDir Path dataDir) throws Exception {
        browser = new Browser(dataDir);
        browser.open(ROLLCALL.url() + "/");
        await().until(() -> browser.value("return String(document.getElementById('sign-in').hidden)")
                .equals("false"));
    }

    @AfterEach
    void close() {
        browser.close();
    }

    @Test
    void shouldBeTheTokensUserAndDeviceWhenOneIsPasted() throws Exception {
        assertThat(browser.accessibilityViolations()).isEmpty();
        browser.picture("sign-in.png");

        signIn(tokens.forDevice(UserId.of(ALICE), "phone", inAnHour));

        browser.awaitText("connection", "live");
        browser.awaitText("who", ALICE + "me on phone");
        service.awaitState(ALICE, "online");
        browser.click("input[value=idle]");
        service.awaitState(ALICE, "idle");
        browser.click("#hidden");
        service.awaitState(ALICE, "offline");

        browser.open(ROLLCALL.url() + "/");

        browser.awaitText("who", ALICE + "me on phone");
        await().until(() -> browser.value("return String(document.getElementById('hidden').checked)")
                .equals("true"));
        browser.click("#sign-out");
        browser.awaitText("connection", "not signed in");
        assertThat(browser.rows("#list .user, #pinned:not([hidden]) .user"))
                .as("nobody is shown")
                .isEmpty();
        browser.awaitText("nobody", "Sign in to see who is here.");
    }

    @Test
    void shouldBeWhoeverIsNamedWhenTheTokenIsAServices() throws Exception {
        signIn(tokens.forService(inAnHour));
        browser.run("document.getElementById('as-user').value = '@bob:example.org'");
        browser.click("#sign-in button");

        browser.awaitText("who", "@bob:example.org");
        service.awaitState("@bob:example.org", "online");
        RealContext.sleep(Duration.ofSeconds(2)); // the page asks for the simulation each second
        assertThat(browser.value(
                        "return String([...document.querySelectorAll('.simulation')].every((one) => one.hidden))"))
                .as("simulated people are not offered where they are off")
                .isEqualTo("true");
        browser.awaitText("note", "");
    }

    @Test
    void shouldSayWhatIsWrongWhenTheTokenIs() {
        signIn("a.b");
        browser.awaitText("note", "This is no token of a device or a service");

        signIn(HttpContext.tokensOf("another key, which is not the server's")
                .forDevice(UserId.of(ALICE), "phone", inAnHour));

        browser.awaitText("note", "The token was refused: no key here verifies the token");
        assertThat(browser.value("return String(document.getElementById('sign-in').hidden)"))
                .isEqualTo("false");
    }

    private void signIn(String token) {
        browser.run("document.getElementById('token').value = '" + token + "'");
        browser.click("#sign-in button");
    }
}
