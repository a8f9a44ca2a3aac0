package dev.rollcall.real;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** What the tabs share, in a real browser, with a server that is made of scripts: its answers come when the test says. */
@Tag("other-language")
@Timeout(120)
class PageHubIT {
    /** A hub and its tabs. A request gets what {@code answer} gives, after the ms that it gives. */
    private static final String HUB = """
            const { Hub } = await import('/hub.js');
            const requests = [];
            let inFlight = 0, mostInFlight = 0, server = null;
            let answer = () => ({ status: 200, after: 0 });
            const wait = (ms) => new Promise((done) => setTimeout(done, ms));
            const until = async (what) => { while (!what()) await wait(20); };
            const fake = async (where, { method = 'GET', body, signal }) => {
              const state = body ? JSON.parse(body).state : new URL(where, location).searchParams.get('presence');
              const request = { method, where, state };
              requests.push(request);
              mostInFlight = Math.max(mostInFlight, ++inFlight);
              const { status, after, events } = answer(request);
              await wait(after);
              inFlight--;
              if (state) server = state;
              if (!where.includes('/events')) return new Response('{"error": "no"}', { status });
              const body2 = new ReadableStream({ start(to) {
                signal.addEventListener('abort', () => to.error(new DOMException('', 'AbortError')));
                to.enqueue(new TextEncoder().encode('retry: 1000\\n\\n' + (events ?? '')));
                if (events) to.close();
              } });
              return new Response(status === 200 ? body2 : '{"error": "no"}', { status });
            };
            const tab = (hub) => {
              const { port1, port2 } = new MessageChannel();
              hub.connect(port2);
              const heard = [];
              port1.onmessage = ({ data }) => heard.push(data);
              port1.postMessage({ type: 'hello', lock: null, open: true });
              return { heard, say: (message) => port1.postMessage(message) };
            };
            const streams = () => requests.filter(({ where }) => where.includes('/events'));
            const refused = ({ heard }) => heard.find((message) => message.type === 'refused');
            const held = ({ heard }, id) => heard.some((message) => message.devices?.some((one) => one.id === id && one.held));
            const be = (device, token = null) => ({ type: 'be', user: '@a:b', device, token, state: 'online', mayShare: true });
            """;

    @RegisterExtension
    static final HttpExtension ROLLCALL = HttpExtension.with();

    private Browser browser;

    @BeforeEach
    void open(@TempDir Path dataDir) throws Exception {
        browser = new Browser(dataDir);
        browser.open(ROLLCALL.url() + "/openapi.json"); // the same origin, without the page's own hub
    }

    @AfterEach
    void close() {
        browser.close();
    }

    @Test
    void shouldEndWithTheLastStateWhenAnEarlierRequestIsSlow() {
        String seen = browser.awaitValue(HUB + """
                const hub = new Hub(fake), one = tab(hub);
                one.say(be('phone'));
                await until(() => held(one, 'phone'));
                answer = ({ state }) => ({ status: 200, after: state === 'idle' ? 800 : 0 });
                one.say({ type: 'state', state: 'idle' });
                await wait(50);
                one.say({ type: 'state', state: 'online' });
                await until(() => requests.length === 4);
                await wait(1200);
                return `${server} ${mostInFlight}`;
                """);

        assertThat(seen).isEqualTo("online 1");
    }

    @Test
    void shouldTryNothingAgainWhenItWasRefused() {
        for (int status : new int[] {401, 403}) {
            String seen = browser.awaitValue(HUB + """
                    answer = () => ({ status: %d, after: 0 });
                    const hub = new Hub(fake, { beat: 200, retry: 100 }), one = tab(hub);
                    one.say(be('phone', 'wrong'));
                    await until(() => refused(one));
                    await wait(1000);
                    const { status, reason } = refused(one);
                    return `${requests.length} ${status} ${reason}`;
                    """.formatted(status));

            assertThat(seen).isEqualTo("1 " + status + " no");
        }
    }

    @Test
    void shouldStopWhenTheTokenIsRefusedWhileTheStreamIsOpen() {
        String seen = browser.awaitValue(HUB + """
                const hub = new Hub(fake, { beat: 200, retry: 100, linger: 50 }), one = tab(hub), two = tab(hub);
                one.say(be('phone', 'good'));
                await until(() => held(one, 'phone'));
                two.say(be('desktop', 'good for a while'));
                await until(() => requests.filter(({ where }) => where.includes('desktop')).length > 2);
                answer = ({ where }) => ({ status: where.includes('desktop') ? 401 : 200, after: 0 });
                await until(() => refused(two));
                const before = requests.length;
                await wait(1000);
                return `${Boolean(refused(one))} ${requests.length - before}`;
                """);

        assertThat(seen).isEqualTo("false 0");
    }

    @Test
    void shouldHaveOneStreamForAllTabsAndHandItOn() {
        String seen = browser.awaitValue(HUB + """
                const hub = new Hub(fake, { beat: 300, linger: 50 });
                const tabs = [0, 1, 2].map(() => tab(hub));
                const which = (some) => [...new Set(some.map(({ where }) => where.match(/tab-./)[0]))].sort();
                tabs.forEach((one, i) => one.say(be(`tab-${i}`)));
                await until(() => held(tabs[0], 'tab-0'));
                const start = requests.length;
                await until(() => which(requests.slice(start)).length === 2);
                await wait(700);
                const before = `${which(streams())} ${which(requests.slice(start))}`;
                tabs[0].say({ type: 'leave' });
                await until(() => streams().length === 2 && requests.some(({ method }) => method === 'DELETE'));
                return `${before} / ${which(streams())} ${which(requests.filter(({ method }) => method === 'DELETE'))}`;
                """);

        assertThat(seen).isEqualTo("tab-0 tab-1,tab-2 / tab-0,tab-1 tab-0");
    }

    @Test
    void shouldComeBackWithoutAWordWhenTheInstanceIsStopping() {
        String seen = browser.awaitValue(HUB + """
                answer = () => ({ status: 200, after: 0, events: streams().length === 1 ? 'event: reconnect\\ndata: {}\\n\\n' : null });
                const hub = new Hub(fake), one = tab(hub);
                one.say(be('phone'));
                await until(() => streams().length === 2 && held(one, 'phone'));
                await wait(300);
                return one.heard.filter((m) => m.type === 'connection').map((m) => m.kind + m.reason).join();
                """);

        assertThat(seen).isEqualTo("connecting,live");
    }

    @Test
    void shouldAskForAnotherTokenWhenTheStreamEndsWithTheToken() {
        String seen = browser.awaitValue(HUB + """
                answer = () => ({ status: 200, after: 0, events: 'event: end\\ndata: {"errcode": "M_UNKNOWN_TOKEN", "error": "expired"}\\n\\n' });
                const hub = new Hub(fake, { beat: 200, retry: 100 }), one = tab(hub);
                one.say(be('phone', 'good for a while'));
                await until(() => refused(one));
                const before = requests.length;
                await wait(1000);
                const { status, reason } = refused(one);
                return `${status} ${reason} ${streams().length} ${requests.length - before}`;
                """);

        assertThat(seen).isEqualTo("401 expired 1 0");
    }

    @Test
    void shouldOpenTheStreamAgainWhenNothingIsHeard() {
        String seen = browser.awaitValue(HUB + """
                const hub = new Hub(fake, { lost: 400, tick: 50 }), one = tab(hub);
                one.say(be('phone'));
                const kinds = () => one.heard.filter((m) => m.type === 'connection').map((m) => m.kind + m.reason);
                await until(() => kinds().length >= 4);
                return kinds().slice(0, 4).join();
                """);

        assertThat(seen).isEqualTo("connecting,live,lostnothing was heard for too long,live");
    }
}
