// Plays the same to Synapse alone and to Synapse with Rollcall as its presence, prints what bob saw of each, and judges the second.
// node play.mjs CHROOT WORK SOURCE CLASSPATH [SECONDS], how long Rollcall is away: .ci/synapse
import { connect } from "node:http2";
import { readFileSync } from "node:fs";
import { Stack, StackWithRollcall } from "./stack.mjs";
import { ask, sleep, until } from "./programs.mjs";

const [chroot, work, source, classpath, away = 60] = process.argv.slice(2);
const own = new Stack("own", { chroot, work });
const rollcall = new StackWithRollcall("rollcall", { chroot, work, source, classpath });
const both = (action) => Promise.all([own, rollcall].map(action));

const beganAt = Date.now();
const lines = [];
const failures = [];
const say = (scene) => {
  lines.push({ at: Date.now(), scene });
  console.error(`${((Date.now() - beganAt) / 1000).toFixed(1)} s: ${scene}`);
};
const fail = (failure) => {
  failures.push(failure);
  console.error(`WRONG: ${failure}`);
};
const words = ({ user, presence, text }) => `${user} ${presence}${text ? ` "${text}"` : ""}`;

/** What bob, with Rollcall, sees of a scene, all of it: in this order, and nothing more until it is over. */
async function scene(name, play, { expected, within = 8, andNothingFor = 2, notBefore = 0 }) {
  const from = rollcall.seen.length;
  say(name);
  const at = Date.now();
  try {
    await play();
  } catch (failure) {
    fail(`${name}: ${failure.message}`);
  }
  const seen = () => rollcall.seen.slice(from);
  if (expected.length) await until("", within, () => seen().length >= expected.length).catch(() => {});
  await sleep(andNothingFor);
  const was = seen().map(words);
  const late = seen().length ? (seen()[0].at - at) / 1000 : 0;
  if (JSON.stringify(was) !== JSON.stringify(expected)) fail(`${name}: bob saw [${was}], not [${expected}]`);
  if (late < notBefore) fail(`${name}: bob saw it after ${late} s, before ${notBefore} s`);
}

say("both start");
await both((stack) => stack.start());
for (const name of ["bob", "alice", "carol", "dave", "erin"]) await both((stack) => stack.register(name));
await both((stack) => stack.watch());
await both(async (stack) => {
  stack.phone = await stack.device("alice", "phone");
  stack.laptop = await stack.device("alice", "laptop");
  stack.tablet = await stack.device("carol", "tablet");
});
const nothing = [];

await scene("alice opens her phone", () => both((stack) => stack.phone.start()), { expected: ["@alice online"] });
await scene("alice opens her laptop", () => both((stack) => stack.laptop.start()), { expected: nothing });
await scene("carol comes", () => both((stack) => stack.tablet.start()), { expected: ["@carol online"] });
await scene("alice's laptop is killed", () => both((stack) => stack.laptop.stop("SIGKILL")), {
  expected: nothing,
  andNothingFor: 9,
});
await scene(
  "alice's phone is unavailable, with a text, and goes on polling",
  () => both((stack) => stack.phone.set({ presence: "unavailable", status_msg: "at lunch" })),
  { expected: ['@alice unavailable "at lunch"'], andNothingFor: 6 },
);
await scene("alice's phone is online", () => both((stack) => stack.phone.set({ presence: "online" })), {
  expected: ['@alice online "at lunch"'],
});
await scene("alice's phone is killed", () => both((stack) => stack.phone.stop("SIGKILL")), {
  expected: ['@alice offline "at lunch"'],
});
await scene("alice opens her phone", () => both((stack) => stack.phone.start()), { expected: ['@alice online "at lunch"'] });
await scene(
  "alice takes the text away",
  () => both((stack) => stack.phone.set({ presence: "online", status_msg: "" })),
  { expected: ["@alice online"] },
);

let app;
await scene(
  "dave comes with simplified sliding sync over HTTP/2",
  async () => (app = slidingSync(await rollcall.login("dave", "x"))),
  { expected: ["@dave online"] },
);
await scene("dave's app is closed", () => app.close(), { expected: ["@dave offline"] });

const erin = await rollcall.login("erin", "x");
const erinPolls = polls(erin);
await scene("erin comes with polls of a second", erinPolls.start, { expected: ["@erin online"] });
await scene("erin's network is gone, and nobody closes her connections", erinPolls.stop, {
  expected: ["@erin offline"],
  within: 20,
  notBefore: 8,
});
await scene("erin comes again", erinPolls.start, { expected: ["@erin online"] });
await scene(
  "erin's token is logged out, and goes on polling",
  () => ask("POST", `${rollcall.url}/_matrix/client/v3/logout`, erin, {}),
  { expected: ["@erin offline"], within: 10 },
);
erinPolls.stop();

await scene("alice appears offline, on all devices", () => appearOffline(true), { expected: ["@alice offline"] });
await scene("alice does not any more", () => appearOffline(false), { expected: ["@alice online"] });

await scene(
  "Synapse is restarted",
  async () => {
    await rollcall.synapse.stop("SIGTERM");
    rollcall.bobsSync = "";
    await rollcall.synapse.start();
    await rollcall.awaitSync();
  },
  { expected: nothing, andNothingFor: 6 },
);
await scene(
  "Synapse is killed for 20 s, and alice's phone is unavailable meanwhile",
  async () => {
    await rollcall.synapse.stop("SIGKILL");
    rollcall.bobsSync = "";
    await sleep(10);
    await status("unavailable");
    await sleep(10);
    await rollcall.synapse.start();
    await rollcall.awaitSync();
  },
  { expected: ["@alice unavailable"], within: 20, andNothingFor: 3, notBefore: 20 },
);
await scene(
  "the module's feed is cut, and alice's phone is online meanwhile",
  async () => {
    rollcall.feed.cut();
    await status("online");
    await sleep(5);
    rollcall.feed.mend();
  },
  { expected: ["@alice online"], within: 20, notBefore: 5 },
);
await scene(
  "the receiver is killed for 5 s, and nginx reloaded",
  async () => {
    await rollcall.receiver.stop("SIGKILL");
    await sleep(5);
    await rollcall.receiver.start();
    rollcall.nginx.process.kill("SIGHUP");
  },
  { expected: nothing, andNothingFor: 6 },
);
await scene(
  "the receiver hangs for 6 s",
  async () => {
    rollcall.receiver.process.kill("SIGSTOP");
    const at = Date.now();
    for (let i = 0; i < 10; i++) await ask("GET", `${rollcall.url}/_matrix/client/v3/sync?timeout=0`, rollcall.bob.token);
    const each = (Date.now() - at) / 10_000;
    if (each > 1) fail(`a request takes ${each} s while the receiver hangs`);
    await sleep(Math.max(0, 6 - 10 * each));
    rollcall.receiver.process.kill("SIGCONT");
  },
  { expected: nothing, andNothingFor: 3 },
);
await scene(
  `Rollcall is stopped for ${away} s`,
  async () => {
    await rollcall.rollcall.stop("SIGTERM");
    await sleep(away);
    await rollcall.rollcall.start();
  },
  { expected: nothing, andNothingFor: 6 },
);
await scene(
  `Rollcall is killed for ${away} s, and carol's tablet meanwhile`,
  async () => {
    await rollcall.rollcall.stop("SIGKILL");
    await sleep(away / 2);
    await both((stack) => stack.tablet.stop("SIGKILL"));
    await sleep(away / 2);
    await rollcall.rollcall.start();
  },
  { expected: ["@carol offline"], within: 120, notBefore: away },
);
await scene("carol comes again", () => rollcall.tablet.start(), { expected: ["@carol online"] });
await scene("500 polls with random tokens", randomTokens, { expected: nothing, andNothingFor: 6 });
await scene(
  "Rollcall is killed, its data wiped, and carol is gone",
  async () => {
    await rollcall.rollcall.stop("SIGKILL");
    await rollcall.tablet.stop("SIGKILL");
    rollcall.wipe();
    await rollcall.rollcall.start();
  },
  { expected: ["@carol offline"], within: 100, notBefore: 55, andNothingFor: 5 },
);
await scene("alice's phone is killed", () => both((stack) => stack.phone.stop("SIGKILL")), { expected: ["@alice offline"] });

const log = readFileSync(rollcall.synapse.log, "utf8");
if (!log.includes("synapse.rollcall_presence INFO Told Synapse of")) fail("the module does not log what it does");

print();
failures.forEach((failure) => console.log(`WRONG: ${failure}`));
process.exit(failures.length ? 1 : 0);

/** PUT of alice's presence by her phone, also while Synapse is away. */
function status(presence) {
  return ask("PUT", `${rollcall.url}/_matrix/client/v3/presence/${rollcall.phone.user}/status`, rollcall.phone.token, { presence });
}

/** Polls of a second, one after the other. */
function polls(token) {
  let goesOn = false;
  return {
    async start() {
      goesOn = true;
      (async () => {
        while (goesOn) {
          await ask("GET", `${rollcall.url}/_matrix/client/v3/sync?timeout=1000`, token).catch(() => {});
          await sleep(0.2);
        }
      })();
    },
    async stop() {
      goesOn = false;
    },
  };
}

/** Their lookups cost Synapse no more than config/rollcall.properties lets through: five a second, and ten seconds' worth at once. */
async function randomTokens() {
  // One line each; that of the refusal names it too.
  const lookups = () => readFileSync(rollcall.synapse.log, "utf8").match(/Processed request: .*\/account\/whoami/g)?.length ?? 0;
  const before = lookups();
  const at = Date.now();
  const poll = (i) => ask("GET", `${rollcall.url}/_matrix/client/v3/sync?timeout=0`, `random${i}`).catch(() => {});
  for (let i = 0; i < 500; i += 20) await Promise.all(Array.from({ length: 20 }, (_, j) => poll(i + j)));
  await sleep(2);
  const [made, most] = [lookups() - before, 50 + (5 * (Date.now() - at)) / 1000];
  console.error(`500 random tokens: ${made} lookups, of at most ${Math.floor(most)}`);
  if (made === 0 || made > most) fail(`500 random tokens had Synapse asked ${made} times, of at most ${most}`);
}

/** As in docs/synapse.md. */
function appearOffline(whether) {
  const url = `${rollcall.rollcallUrl}/v2/users/${rollcall.phone.user}/appear-offline`;
  return ask("PUT", url, rollcall.serviceToken, { appear_offline: whether });
}

/** One request of the app after the other, as Element X makes them, on one connection. */
function slidingSync(token) {
  const connection = connect(rollcall.tlsUrl, { rejectUnauthorized: false });
  connection.on("error", () => {});
  const next = (position) => {
    const request = connection.request({
      ":method": "POST",
      ":path": `/_matrix/client/unstable/org.matrix.simplified_msc3575/sync?timeout=20000${position ? `&pos=${position}` : ""}`,
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
    });
    let body = "";
    request.setEncoding("utf8");
    request.on("data", (chunk) => (body += chunk));
    request.on("end", () => {
      if (connection.destroyed) return;
      const { pos } = JSON.parse(body);
      next(pos);
    });
    request.on("error", () => {});
    request.end(JSON.stringify({ lists: {}, room_subscriptions: {} }));
  };
  next();
  return { close: () => connection.destroy() };
}

/** What bob saw, beside what happened and how many seconds after. */
function print() {
  const events = (stack) => stack.seen.map((seen) => ({ at: seen.at, [stack.name]: words(seen) }));
  const all = [...lines, ...events(own), ...events(rollcall)].sort((one, other) => one.at - other.at);
  const row = (...cells) => console.log(cells.map((cell, i) => cell.padEnd([8, 36, 36][i])).join(" "));
  row("s", "Synapse alone", "Synapse with Rollcall");
  let began = beganAt;
  for (const { at, scene: name, own: left = "", rollcall: right = "" } of all) {
    if (name) {
      began = at;
      console.log(`${((at - beganAt) / 1000).toFixed(1)} ${name}`);
    } else {
      row(`  +${((at - began) / 1000).toFixed(1)}`, left, right);
    }
  }
}
