package dev.rollcall.real;

import static dev.rollcall.real.RealContext.await;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** The page in a real browser, at a Rollcall without a key. Its pictures are in target/page; README's is light.png. */
@Tag("other-language")
@Timeout(180)
class PageIT {
    @RegisterExtension
    static final HttpExtension ROLLCALL = HttpExtension.with("disconnect.grace.ms", "1500", "routing.enabled", "true");

    private final HttpContext http = ROLLCALL.http();
    private Browser browser;

    @BeforeEach
    void open(@TempDir Path dataDir) throws Exception {
        browser = new Browser(dataDir);
        browser.open(ROLLCALL.url() + "/");
    }

    @AfterEach
    void close() {
        browser.close();
    }

    @Test
    void shouldShowWhoIsHereAndLetMeBeHere() throws Exception {
        for (int i = 0; i < 12; i++) {
            http.setState("@other%d:example.org".formatted(i), "phone", i % 3 == 0 ? "idle" : "online");
        }
        String me = me();
        http.awaitState(me, "online");
        browser.awaitText("connection", "live");
        browser.awaitRow("@other1:example.org", "online");
        browser.awaitRow("@other3:example.org", "idle");
        browser.awaitMe(me);
        browser.awaitMe("online");

        browser.click("input[value=idle]");
        http.awaitState(me, "idle");
        browser.awaitMe("idle");
        browser.click("input[value=online]");
        http.awaitState(me, "online");
        browser.run("document.getElementById('text').value = 'at <b>tea</b>'");
        browser.click("#status button");
        browser.awaitMe("at <b>tea</b>");

        browser.click("#counts .idle");
        await().until(() -> !browser.rows("#list .user").contains("online"));
        assertThat(browser.rows("#list .user")).contains("@other3:example.org").contains("for ");
        browser.click("#counts .idle");
        browser.find("somebody else");
        assertThat(browser.text("nobody")).isEqualTo("Nobody else is here whose name has “somebody else” in it.");
        assertThat(browser.rows("#pinned .user")).as("I stay").contains(me);
    }

    @Test
    void shouldNotTakeAnyIdForMeNorLetOneTurnTheRow() throws Exception {
        String right = "@\u202Eright(me):example.org";
        http.setState(right, "phone", "online");
        browser.awaitRow("right(me)", "right(me)");

        browser.find("right(me)");
        assertThat(browser.value("return String(document.querySelectorAll('#list .user:not([hidden]) .badge').length)"))
                .isEqualTo("0");
        assertThat(browser.value("return document.querySelector('#list .user:not([hidden]) .name').localName"))
                .isEqualTo("bdi");
        assertThat(browser.value("return String(document.querySelectorAll('#pinned .badge').length)"))
                .isEqualTo("1");
    }

    @Test
    void shouldBeTheSameAfterAReload() throws Exception {
        String me = me();
        String device = browser.value("return JSON.parse(sessionStorage.identity).device");
        http.awaitState(me, "online");
        browser.run("document.getElementById('text').value = 'at tea'");
        browser.click("#status button");
        browser.awaitMe("at tea");
        browser.click("#hidden");
        http.awaitState(me, "offline");

        browser.open(ROLLCALL.url() + "/");

        browser.awaitText("who", me + "me on " + device);
        browser.awaitText("connection", "live");
        await().alias("the flag is set")
                .until(() -> browser.value("return String(document.getElementById('hidden').checked)")
                        .equals("true"));
        await().alias("the text is there")
                .until(() -> browser.value("return document.getElementById('text').value")
                        .equals("at tea"));
        http.setState(me, "elsewhere", "idle");
        awaitDevices("online", device, "this tab", "connection held", "idle", "elsewhere");
        assertThat(http.presence(me).path("state").asText()).as("still hidden").isEqualTo("offline");
    }

    @Test
    void shouldHoldAllDevicesWhenEightTabsAreOpen() throws Exception {
        String me = me();
        http.awaitState(me, "online");
        String first = browser.tab();
        List<String> others = new ArrayList<>();
        for (int i = 1; i < 8; i++) {
            String tab = browser.newTab();
            browser.switchTo(tab);
            browser.open(ROLLCALL.url() + "/");
            await().until(() -> browser.value("return String(document.getElementById('choose').hidden)")
                    .equals("false"));
            browser.click(i <= 4 ? "#choices button:first-child" : "#choices button:last-child");
            browser.awaitText("connection", "live");
            if (i <= 4) {
                browser.awaitText("who", me);
            } else {
                assertThat(me()).isNotEqualTo(me);
                http.awaitState(me(), "online");
            }
            others.add(tab);
        }
        browser.switchTo(first);
        await().untilAsserted(() -> assertThat(devices()).hasSize(5));

        for (String tab : others) {
            browser.switchTo(tab);
            browser.closeTab();
        }
        browser.switchTo(first);
        await().atMost(Duration.ofSeconds(20)) // not their leases
                .untilAsserted(() -> assertThat(devices()).hasSize(1));
        http.awaitState(me, "online");
    }

    @Test
    void shouldBeIdleSomeTimeAfterTheTabWasHiddenAndOnlineAtOnceWhenItIsShown() throws Exception {
        String me = me();
        http.awaitState(me, "online");

        browser.setHidden(true);
        RealContext.sleep(Duration.ofSeconds(4));
        assertThat(http.presence(me).path("state").asText()).isEqualTo("online");
        http.awaitState(me, "idle");

        browser.setHidden(false);
        http.awaitState(me, "online");
    }

    @Test
    void shouldSayThatNothingIsUpdatedWhenPingsAreMissed(@TempDir Path dataDir) throws Exception {
        try (TcpProxy proxy = new TcpProxy();
                Browser behind = new Browser(dataDir)) {
            proxy.leadTo(Integer.parseInt(ROLLCALL.url().replaceFirst(".*:", "")));
            behind.open("http://127.0.0.1:" + proxy.port() + "/");
            behind.awaitText("connection", "live");

            proxy.delay(600_000); // open, and silent

            behind.awaitText("connection", "connection lost, not updated since ");
            assertThat(behind.value("return getComputedStyle(document.querySelector('#pinned .state')).color"))
                    .as("grey")
                    .isEqualTo(behind.value("return getComputedStyle(document.querySelector('#pinned .when')).color"));
        }
    }

    @Test
    void shouldBeWorthLookingAtWithinTenSeconds() throws Exception {
        browser.awaitText("connection", "live");
        browser.run("document.getElementById('text').value = 'writing a page'");
        browser.click("#status button");
        await().until(() -> browser.value("return String(document.getElementById('simulate').hidden)")
                .equals("false"));
        browser.click("#simulate button");
        browser.awaitText("simulated", "300 people are simulated.");
        await().alias("all kinds of people") // within ten seconds: PlanTest
                .atMost(RealContext.TIMEOUT)
                .until(() -> count("online") >= 10 && count("idle") >= 10 && count("offline") >= 10);
        browser.find("sim-");
        assertThat(browser.rows("#list .user")).isNotEmpty();
        browser.find("");
        browser.screen(1_120, 1_240, false);
        for (String scheme : List.of("light", "dark")) {
            browser.media(scheme);
            assertThat(browser.accessibilityViolations()).as(scheme).isEmpty();
            browser.picture(scheme + ".png");
        }
        browser.media("light");
        browser.screen(390, 844, true);
        assertThat(browser.accessibilityViolations()).as("on a phone").isEmpty();
        browser.picture("phone.png");
        assertThat(browser.value("return String(document.documentElement.scrollWidth"
                        + " <= document.documentElement.clientWidth)"))
                .as("nothing sticks out on a phone")
                .isEqualTo("true");
        assertThat(Integer.parseInt(browser.value("return String(document.querySelectorAll('#list .user').length)")))
                .as("only what can be seen exists")
                .isLessThan(60);
        assertThat(browser.value("return performance.getEntriesByType('resource')"
                        + ".filter(r => !r.name.startsWith(location.origin) && !r.name.startsWith('data:'))"
                        + ".map(r => r.name).join()"))
                .as("loaded from elsewhere")
                .isEmpty();

        browser.click("#stop");
        browser.awaitText("simulated", "Nobody is simulated.");
    }

    private String me() {
        browser.awaitMe("online");
        return browser.value("return JSON.parse(sessionStorage.identity).user");
    }

    private int count(String state) {
        return Integer.parseInt(browser.value("return document.querySelector('#counts ." + state + "').textContent")
                .replaceAll("[^0-9]", ""));
    }

    private List<String> devices() {
        return List.of(browser.rows("#devices li").split("--"));
    }

    private void awaitDevices(String... words) {
        await().alias("my devices")
                .atMost(RealContext.TIMEOUT)
                .untilAsserted(() -> assertThat(browser.rows("#devices li")).contains(words));
    }
}
