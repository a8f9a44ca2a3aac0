// The page: this tab is a device, and lists all users. It reads the event stream with fetch, since EventSource cannot send a token.

const AFK_MS = 5 * 60_000;
const ROW = 52; // px: 3.25rem
const ORDER = { online: 0, idle: 1, offline: 2 };

const $ = (id) => document.getElementById(id);
const users = new Map();
// One value per second of the last minute; the last one is the current second.
const plots = { beats: new Array(60).fill(0), changes: new Array(60).fill(0), late: new Array(60).fill(0) };
let delays = []; // of the last 500 OFFLINEs: from the instant of the change to its arrival here, in ms
let beatsBefore = null;
let shown = [];
let dirty = true;
let session = 0; // counts connections: all but the newest end themselves
let abort = new AbortController();
let nextBatch = ""; // where the stream goes on after a reconnect
let chosen = "online";
let away = false;
let lastInput = performance.now();

const stored = (key, make) => {
  const known = sessionStorage.getItem(key);
  if (known !== null) return known;
  const made = make();
  sessionStorage.setItem(key, made);
  return made;
};
const random = () => Array.from(crypto.getRandomValues(new Uint8Array(4)), (b) => b.toString(16).padStart(2, "0")).join("");
// Not in the session storage: a duplicated tab copies that, but is another device.
const device = `tab-${random()}`;
$("user").value = stored("user", () => `@guest-${random().slice(0, 4)}:example.org`);

const path = (...parts) => "/v2/users/" + parts.map(encodeURIComponent).join("/");
const headers = () => ($("token").value ? { Authorization: `Bearer ${$("token").value}` } : {});
const state = () => (away ? "idle" : chosen);
let me = $("user").value;

async function call(method, where, body) {
  try {
    const answer = await fetch(where, {
      method,
      headers: { ...headers(), "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const error = answer.ok ? {} : await answer.json().catch(() => ({}));
    $("note").textContent = answer.ok ? "" : error.error ?? `refused: ${answer.status}`;
    if (answer.status === 401) $("token-label").hidden = false;
    return answer.ok;
  } catch {
    $("note").textContent = "not sent: there is no connection";
    return false;
  }
}

function showConnection(text, kind) {
  const line = $("connection");
  if (line.textContent !== text) line.textContent = text;
  line.className = kind;
}

// ---- the stream ----

async function connect() {
  const mine = ++session;
  abort.abort();
  abort = new AbortController();
  let wait = 500;
  while (mine === session) {
    try {
      const query = new URLSearchParams({ presence: state() });
      const answer = await fetch(`${path(me, "devices", device, "events")}?${query}`, {
        headers: { ...headers(), Accept: "text/event-stream", ...(nextBatch ? { "Last-Event-ID": nextBatch } : {}) },
        signal: abort.signal,
        cache: "no-store",
      });
      if (!answer.ok) {
        if (answer.status === 401) $("token-label").hidden = false;
        if (answer.status === 400) nextBatch = "";
        const error = await answer.json().catch(() => ({}));
        throw new Error(error.error ?? `refused: ${answer.status}`);
      }
      showConnection("live", "live");
      wait = 500;
      await read(answer.body, mine);
      if (mine !== session) return;
    } catch (failure) {
      if (mine !== session) return;
      showConnection(`connection lost, trying again (${failure.message})`, "lost");
      await new Promise((done) => setTimeout(done, wait * (0.75 + Math.random() / 2)));
      wait = Math.min(wait * 2, 15_000);
    }
  }
}

async function read(body, mine) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done || mine !== session) return;
    text += value;
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      event(text.slice(0, end));
      text = text.slice(end + 2);
    }
  }
}

function event(text) {
  for (const line of text.split("\n")) {
    if (!line.startsWith("data: ")) continue;
    const batch = JSON.parse(line.slice(6));
    if (batch.snapshot) users.clear();
    for (const presence of batch.presences) {
      const before = users.get(presence.user_id);
      if (!batch.snapshot && presence.state === "offline" && before && before.state !== "offline") {
        const late = Math.max(0, Date.now() - presence.since);
        delays = [...delays.slice(-499), late];
        plots.late[59] = Math.max(plots.late[59], late);
      }
      if (presence.state === "unknown") users.delete(presence.user_id);
      else users.set(presence.user_id, presence);
    }
    if (!batch.snapshot) plots.changes[59] += batch.presences.length;
    nextBatch = batch.next_batch;
    dirty = true;
  }
}

// ---- the list ----

function sort() {
  const wanted = $("find").value.toLowerCase();
  shown = [...users.values()].filter((one) => !wanted || one.user_id.toLowerCase().includes(wanted));
  shown.sort((a, b) => ORDER[a.state] - ORDER[b.state] || (a.user_id < b.user_id ? -1 : 1));
  const count = { online: 0, idle: 0, offline: 0 };
  for (const one of users.values()) count[one.state]++;
  const n = (x) => x.toLocaleString("en");
  $("counts").textContent = `${n(count.online)} online, ${n(count.idle)} idle, ${n(count.offline)} offline`;
  $("space").style.height = `${shown.length * ROW}px`;
}

function ago(ms) {
  const s = Math.max(0, Math.round((Date.now() - ms) / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  return s < 86_400 ? `${Math.floor(s / 3600)} h` : `${Math.floor(s / 86_400)} d`;
}

const rows = [];

// Only visible rows are in the document, so that thousands of users cost no more than a screenful.
function draw() {
  const list = $("list");
  const first = Math.max(0, Math.floor(list.scrollTop / ROW) - 2);
  const count = Math.min(shown.length - first, Math.ceil(list.clientHeight / ROW) + 4);
  while (rows.length < count) {
    const row = document.createElement("div");
    row.setAttribute("role", "listitem");
    row.append(...["state", "name", "when", "words"].map((name) => {
      const part = document.createElement("span");
      part.className = name;
      return part;
    }));
    rows.push(row);
    list.append(row);
  }
  rows.forEach((row, i) => {
    const one = i < count ? shown[first + i] : undefined;
    row.hidden = !one;
    row.style.display = one ? "" : "none";
    if (!one) return;
    row.className = `user ${one.state}`;
    row.style.top = `${(first + i) * ROW}px`;
    const [stateText, name, when, words] = row.children;
    const set = (part, text) => { if (part.textContent !== text) part.textContent = text; };
    set(stateText, one.state);
    set(name, one.user_id === me ? `${one.user_id} (me)` : one.user_id);
    set(words, one.status ?? "");
    set(when, `since ${ago(one.since)}${one.last_active ? `\nactive ${ago(one.last_active)}` : ""}`);
  });
}

function plot(name, least) {
  const values = plots[name];
  const canvas = $(`plot-${name}`);
  const scale = devicePixelRatio;
  canvas.width = canvas.clientWidth * scale;
  canvas.height = canvas.clientHeight * scale;
  const pen = canvas.getContext("2d");
  const most = Math.max(least, ...values);
  const wide = canvas.width / values.length;
  const style = getComputedStyle(canvas);
  pen.fillStyle = style.getPropertyValue("--line");
  pen.fillRect(0, canvas.height - scale, canvas.width, scale);
  pen.fillStyle = style.getPropertyValue("--accent");
  values.forEach((value, i) => {
    const high = (value / most) * (canvas.height - 2);
    pen.fillRect(i * wide, canvas.height - high, Math.max(1, wide - scale), high);
  });
}

function drawLife() {
  const n = (x) => x.toLocaleString("en");
  const most = (name) => `${n(plots[name][59])}, at most ${n(Math.max(...plots[name]))}`;
  $("beats").textContent = most("beats");
  $("changes").textContent = most("changes");
  if (delays.length > 0) {
    const sorted = [...delays].sort((a, b) => a - b);
    $("late").textContent = `${n(sorted[sorted.length >> 1])} ms, at most ${n(sorted.at(-1))} ms`;
  }
  plot("beats", 5);
  plot("changes", 5);
  plot("late", 500);
  for (const values of Object.values(plots)) {
    values.push(0);
    values.shift();
  }
}

function frame() {
  if (dirty) {
    dirty = false;
    sort();
    draw();
  }
  setTimeout(() => requestAnimationFrame(frame), 100);
}

// ---- simulated shards ----

async function showSimulation() {
  try {
    const answer = await fetch("/v2/simulation", { headers: headers() });
    if (!answer.ok) return;
    const { users: many, heartbeats } = await answer.json();
    if (beatsBefore !== null && heartbeats > beatsBefore) plots.beats[59] += heartbeats - beatsBefore;
    beatsBefore = heartbeats;
    $("simulated").textContent = many ? `${many.toLocaleString("en")} users are simulated` : "nobody is simulated";
  } catch {
    // the connection's line shows it
  }
}

$("simulate").addEventListener("submit", (submitted) => {
  submitted.preventDefault();
  void call("PUT", "/v2/simulation", { users: $("many").valueAsNumber });
});
$("stop").addEventListener("click", () => void call("DELETE", "/v2/simulation"));

// ---- me ----

function setAway(now) {
  if (now === away) return;
  away = now;
  document.querySelector(`input[name=state][value=${state()}]`).checked = true;
  void call("PUT", path(me, "devices", device, "presence"), { state: state() });
}

function onInput() {
  lastInput = performance.now();
  if (!document.hidden) setAway(false);
}

$("login").addEventListener("submit", (submitted) => {
  submitted.preventDefault();
  me = $("user").value;
  sessionStorage.setItem("user", me);
  nextBatch = "";
  void connect();
});
for (const radio of document.querySelectorAll("input[name=state]")) {
  radio.addEventListener("change", () => {
    chosen = radio.value;
    away = false;
    void call("PUT", path(me, "devices", device, "presence"), { state: chosen });
  });
}
$("hidden").addEventListener("change", async () => {
  const on = $("hidden").checked;
  if (!(await call("PUT", path(me, "appear-offline"), { appear_offline: on }))) $("hidden").checked = !on;
});
$("status").addEventListener("submit", (submitted) => {
  submitted.preventDefault();
  void call("PUT", path(me, "status"), { text: $("text").value });
});
$("clear").addEventListener("click", () => {
  $("text").value = "";
  void call("PUT", path(me, "status"), { text: null });
});
$("find").addEventListener("input", () => { dirty = true; });
$("list").addEventListener("scroll", draw, { passive: true });
addEventListener("resize", () => { dirty = true; });
for (const kind of ["pointerdown", "pointermove", "keydown", "wheel"]) addEventListener(kind, onInput, { passive: true });
document.addEventListener("visibilitychange", () => (document.hidden ? setAway(true) : onInput()));
addEventListener("online", () => void connect());

setInterval(async () => {
  if (performance.now() - lastInput > AFK_MS) setAway(true);
  if (!document.hidden) await showSimulation();
  drawLife();
  draw();
}, 1000);
void connect();
requestAnimationFrame(frame);
