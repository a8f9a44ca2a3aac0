package dev.rollcall.real;

import static dev.rollcall.real.HttpContext.MAPPER;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rollcall.app.Rollcall;
import dev.rollcall.config.RollcallConfig;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The page in a real browser: Chromium without a window, driven over WebDriver. Leaves pictures in target/page. */
@Tag("other-language")
@Timeout(180)
class PageIT {
    @Test
    void shouldShowWhoIsHereAndLetMeBeHere(@TempDir Path dataDir) throws Exception {
        try (Rollcall rollcall = Rollcall.start(RollcallConfig.of(RealContext.settings(
                dataDir, "http.port", "0", "pulse.interval.ms", "250", "disconnect.grace.ms", "1500")))) {
            rollcall.awaitReady();
            String url = rollcall.httpUrl().orElseThrow();
            HttpContext http = HttpContext.withoutToken(url);
            http.awaitReady();
            for (int i = 0; i < 30; i++) {
                String other = "@other%d:example.org".formatted(i);
                http.put(
                                HttpContext.device(other, "phone") + "/presence",
                                i % 3 == 0 ? "{\"state\":\"idle\"}" : "{\"state\":\"online\"}")
                        .isOk();
                if (i % 4 == 0) {
                    http.put(HttpContext.user(other) + "/status", "{\"text\":\"writing a letter, back at four\"}")
                            .isOk();
                }
            }
            try (Browser browser = new Browser(dataDir)) {
                browser.open(url + "/");
                String me = browser.value("return document.getElementById('user').value");
                http.awaitState(me, "online");
                browser.awaitText("connection", "live");
                browser.awaitRow("@other1:example.org", "online");
                browser.awaitRow(me + " (me)", "online");
                browser.picture("light.png");

                browser.run("document.querySelector('input[value=idle]').click()");
                http.awaitState(me, "idle");
                browser.awaitRow(me + " (me)", "idle");
                browser.run("document.querySelector('input[value=online]').click()");
                http.awaitState(me, "online");
                browser.run("document.getElementById('text').value = 'at <b>tea</b>';"
                        + "document.querySelector('#status button').click()");
                browser.awaitRow(me + " (me)", "at <b>tea</b>");
                browser.run("document.getElementById('hidden').click()");
                http.awaitState(me, "offline");
                browser.awaitRow(me + " (me)", "offline");
                browser.run("document.getElementById('hidden').click()");
                http.awaitState(me, "online");

                String first = browser.tab();
                String second = browser.newTab();
                browser.switchTo(second);
                browser.open(url + "/");
                String other = browser.value("return document.getElementById('user').value");
                assertThat(other).isNotEqualTo(me);
                http.awaitState(other, "online");
                browser.closeTab();
                browser.switchTo(first);
                http.awaitState(other, "offline");
                browser.awaitRow(other, "offline");

                browser.run("document.getElementById('many').value = '3000';"
                        + "document.querySelector('#simulate button').click()");
                browser.awaitText("simulated", "3,000 users are simulated");
                await().alias("thousands are shown")
                        .atMost(RealContext.PATIENCE)
                        .until(() ->
                                Integer.parseInt(browser.value("return document.getElementById('counts').textContent")
                                                .replaceAll(" online.*|,", ""))
                                        > 1_000);
                String rows = browser.value("return String(document.querySelectorAll('#list .user').length)");
                assertThat(Integer.parseInt(rows))
                        .as("only what can be seen exists")
                        .isLessThan(60);
                browser.media("dark");
                browser.picture("dark.png");
                browser.media("light");
                browser.phone();
                browser.picture("phone.png");
                assertThat(
                                browser.value(
                                        "return String(document.documentElement.scrollWidth <= document.documentElement.clientWidth)"))
                        .as("nothing sticks out on a phone")
                        .isEqualTo("true");
                assertThat(browser.value("return performance.getEntriesByType('resource')"
                                + ".filter(r => !r.name.startsWith(location.origin) && !r.name.startsWith('data:'))"
                                + ".map(r => r.name).join()"))
                        .as("loaded from elsewhere")
                        .isEmpty();

                browser.run("document.getElementById('stop').click()");
                browser.awaitText("simulated", "nobody is simulated");

                Runnable end = rollcall::close;
                end.run();
                browser.awaitText("connection", "connection lost");
            }
        }
    }

    /** WebDriver, as far as it is needed here. */
    private static final class Browser implements AutoCloseable {
        private static final Path PICTURES = Path.of("target", "page");

        private final Process driver;
        private final String base;
        private final HttpClient http = HttpClient.newHttpClient();

        Browser(Path dataDir) throws IOException {
            int port = RealContext.freePort();
            try {
                driver = new ProcessBuilder("chromedriver", "--port=" + port)
                        .redirectErrorStream(true)
                        .redirectOutput(dataDir.resolve("chromedriver.log").toFile())
                        .start();
            } catch (IOException e) {
                throw new AssertionError("this test needs chromium and chromedriver", e);
            }
            String root = "http://127.0.0.1:" + port;
            await().atMost(RealContext.PATIENCE)
                    .ignoreExceptions()
                    .until(() ->
                            send("GET", root + "/status", null).path("ready").asBoolean());
            JsonNode session = send("POST", root + "/session", MAPPER.readTree("""
                            {"capabilities": {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": {"args":
                            ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                             "--window-size=1200,900"]}}}}
                            """));
            base = root + "/session/" + session.path("sessionId").asText();
            Files.createDirectories(PICTURES);
        }

        void open(String url) {
            var unused = send("POST", base + "/url", object("url", url));
        }

        String value(String script) {
            ObjectNode body = object("script", script);
            body.putArray("args");
            return send("POST", base + "/execute/sync", body).asText();
        }

        void run(String script) {
            var unused = value(script);
        }

        void awaitText(String id, String beginning) {
            await().alias(id + " says " + beginning)
                    .atMost(RealContext.PATIENCE)
                    .until(() -> value("return document.getElementById('" + id + "').textContent")
                            .startsWith(beginning));
        }

        /** Until a row is there that begins so and has this in it. */
        void awaitRow(String name, String what) {
            await().alias(name + " is shown with " + what)
                    .atMost(RealContext.PATIENCE)
                    .until(() -> {
                        // Found by searching, because only rows that can be seen exist.
                        run("const find = document.getElementById('find'); find.value = '"
                                + name.replace(" (me)", "")
                                + "'; find.dispatchEvent(new Event('input'))");
                        String rows = value("return [...document.querySelectorAll('#list .user')]"
                                + ".filter(r => !r.hidden).map(r => r.innerText).join('\\n--\\n')");
                        run("document.getElementById('find').value = ''");
                        return rows.contains(name) && rows.contains(what);
                    });
        }

        void media(String scheme) throws IOException {
            devTools(
                    "Emulation.setEmulatedMedia",
                    "{\"features\":[{\"name\":\"prefers-color-scheme\",\"value\":\"%s\"}]}".formatted(scheme));
        }

        void phone() throws IOException {
            devTools(
                    "Emulation.setDeviceMetricsOverride",
                    "{\"width\":390,\"height\":844,\"deviceScaleFactor\":2,\"mobile\":true}");
        }

        private void devTools(String command, String parameters) throws IOException {
            ObjectNode body = object("cmd", command);
            body.set("params", MAPPER.readTree(parameters));
            var unused = send("POST", base + "/goog/cdp/execute", body);
        }

        void picture(String name) throws Exception {
            run("document.getElementById('find').dispatchEvent(new Event('input'))");
            RealContext.sleep(Duration.ofMillis(1_500));
            String png = send("GET", base + "/screenshot", null).asText();
            Files.write(PICTURES.resolve(name), Base64.getDecoder().decode(png));
        }

        String tab() {
            return send("GET", base + "/window", null).asText();
        }

        String newTab() {
            return send("POST", base + "/window/new", object("type", "tab"))
                    .path("handle")
                    .asText();
        }

        void switchTo(String tab) {
            var unused = send("POST", base + "/window", object("handle", tab));
        }

        void closeTab() {
            var unused = send("DELETE", base + "/window", null);
        }

        @Override
        public void close() {
            try {
                var unused = send("DELETE", base, null);
            } finally {
                List<ProcessHandle> all = driver.descendants().toList();
                driver.destroy();
                all.forEach(ProcessHandle::destroyForcibly);
                try {
                    if (!driver.waitFor(5, TimeUnit.SECONDS)) {
                        driver.destroyForcibly();
                    }
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }
        }

        private static ObjectNode object(String name, String value) {
            return MAPPER.createObjectNode().put(name, value);
        }

        private JsonNode send(String method, String url, @Nullable JsonNode body) {
            try {
                HttpRequest request = HttpRequest.newBuilder(URI.create(url))
                        .timeout(Duration.ofSeconds(60))
                        .method(
                                method,
                                body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body.toString()))
                        .build();
                JsonNode value = MAPPER.readTree(
                                http.send(request, BodyHandlers.ofString()).body())
                        .path("value");
                assertThat(value.path("error").asText())
                        .as("%s %s: %s", method, url, value)
                        .isEmpty();
                return value;
            } catch (IOException e) {
                throw new AssertionError(method + " " + url, e);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
