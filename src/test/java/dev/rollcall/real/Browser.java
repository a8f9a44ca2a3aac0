package dev.rollcall.real;

import static dev.rollcall.real.HttpContext.MAPPER;
import static dev.rollcall.real.RealContext.await;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Chromium without a window, driven over WebDriver, as far as it is needed here. Leaves pictures in target/page. */
final class Browser implements AutoCloseable {
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
        await().ignoreExceptions()
                .until(() -> send("GET", root + "/status", null).path("ready").asBoolean());
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

    /** As {@link #value}, of a script that has {@code await} in it and returns its value. */
    String awaitValue(String script) {
        ObjectNode body = object(
                "script",
                "const done = arguments[0]; (async () => {" + script
                        + "})().then(done, failure => done('failed: ' + failure + failure.stack))");
        body.putArray("args");
        return send("POST", base + "/execute/async", body).asText();
    }

    void run(String script) {
        var unused = value(script);
    }

    void awaitText(String id, String beginning) {
        await().alias(id + " says " + beginning)
                .atMost(RealContext.TIMEOUT)
                .until(() -> value("return document.getElementById('" + id + "').textContent")
                        .startsWith(beginning));
    }

    String text(String id) {
        return value("return document.getElementById('" + id + "').textContent");
    }

    void click(String selector) {
        run("document.querySelector('" + selector + "').click()");
    }

    /** Until the list has a row of this user with this in it. */
    void awaitRow(String user, String what) throws InterruptedException {
        // Found by searching, because only rows that can be seen exist.
        await().alias(user + " is shown with " + what)
                .atMost(RealContext.TIMEOUT)
                .until(() -> {
                    find(user);
                    return rows("#list .user").contains(what);
                });
        find("");
    }

    /** Until the row that is pinned has this in it. */
    void awaitMe(String what) {
        await().alias("I am shown with " + what)
                .atMost(RealContext.TIMEOUT)
                .until(() -> rows("#pinned .user").contains(what));
    }

    void find(String text) throws InterruptedException {
        run("const find = document.getElementById('find'); find.value = '" + text
                + "'; find.dispatchEvent(new Event('input'))");
        RealContext.sleep(Duration.ofMillis(250));
    }

    String rows(String selector) {
        return value("return [...document.querySelectorAll('" + selector + "')]"
                + ".filter(r => !r.hidden).map(r => r.innerText).join('\\n--\\n')");
    }

    /** Hides the tab, or shows it again, as far as its scripts can tell. */
    void setHidden(boolean hidden) {
        run("Object.defineProperty(document, 'hidden', {configurable: true, get: () => " + hidden
                + "}); document.dispatchEvent(new Event('visibilitychange'))");
    }

    /** What axe finds wrong with the page as it is, in words; empty: nothing. */
    String accessibilityViolations() throws IOException {
        try (InputStream in = Objects.requireNonNull(Browser.class.getResourceAsStream("/axe.min.js"))) {
            run(new String(in.readAllBytes(), StandardCharsets.UTF_8));
        }
        return awaitValue("const { violations } = await axe.run(); return violations.map(v => v.id + ': '"
                + " + v.nodes.map(n => n.html + ' ' + n.failureSummary).join('; ')).join('\\n')");
    }

    void media(String scheme) throws IOException {
        devTools(
                "Emulation.setEmulatedMedia",
                "{\"features\":[{\"name\":\"prefers-color-scheme\",\"value\":\"%s\"}]}".formatted(scheme));
    }

    /** Sets the size of the screen, in px of CSS. */
    void screen(int width, int height, boolean phone) throws IOException {
        devTools(
                "Emulation.setDeviceMetricsOverride",
                "{\"width\":%d,\"height\":%d,\"deviceScaleFactor\":%d,\"mobile\":%s}"
                        .formatted(width, height, phone ? 2 : 1, phone));
    }

    private void devTools(String command, String parameters) throws IOException {
        ObjectNode body = object("cmd", command);
        body.set("params", MAPPER.readTree(parameters));
        var unused = send("POST", base + "/goog/cdp/execute", body);
    }

    void picture(String name) throws IOException, InterruptedException {
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
                    .method(method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body.toString()))
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
