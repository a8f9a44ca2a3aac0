// The page: this tab is a device of somebody, and lists everybody. What tabs share is in hub.js.

import { call, claims } from "/api.js";
import { Hub } from "/hub.js";
import { Life } from "/life.js";
import { Me } from "/me.js";
import { foreign, Roster } from "/roster.js";

const LOST_MS = 35_000; // two pings are missed; the hub notices it first, unless it has ended
const $ = (id) => document.getElementById(id);
const random = () => Array.from(crypto.getRandomValues(new Uint8Array(4)), (b) => b.toString(16).padStart(2, "0")).join("");
const newDevice = () => `tab-${random()}`;
const newGuest = () => `@guest-${random().slice(0, 4)}:example.org`;

// Who this tab is: `{ user, device, token }`, kept for a reload and gone with the tab.
const memory = {
  get: () => JSON.parse(sessionStorage.getItem("identity") ?? "null"),
  set: (identity) => sessionStorage.setItem("identity", JSON.stringify(identity)),
  clear: () => sessionStorage.removeItem("identity"),
};

// Without both, as on a phone, each tab has a hub of its own.
const isShared = Boolean(globalThis.SharedWorker && navigator.locks);
const roster = new Roster();
const life = new Life(() => memory.get()?.token ?? null, ({ ok, reason }) => note(ok ? "" : reason));
const hub = connectHub();
const me = new Me(roster, hub, note);
let withKey = false;
let connection = { kind: "connecting", reason: "", heard: null };

function connectHub() {
  if (isShared) {
    const { port } = new SharedWorker("/worker.js", { type: "module" });
    return port;
  }
  const { port1, port2 } = new MessageChannel();
  new Hub().connect(port2);
  return port1;
}

function note(text) {
  $("note").textContent = text;
}

// ---- who this tab is ----

function be(identity, mayShare) {
  memory.set(identity);
  hub.postMessage({ type: "be", ...identity, state: me.state, mayShare });
  $("user").value = identity.user;
  roster.me = identity.user;
  me.is(identity);
  show(withKey ? ["mine", "sign-out"] : ["person", "mine"]);
}

/** Shows these parts of the section, and none of the others. */
function show(parts) {
  for (const id of ["sign-in", "choose", "person", "mine", "sign-out"]) $(id).hidden = !parts.includes(id);
}

function signIn(token, asUser) {
  const said = claims(token);
  $("as").hidden = !said?.service;
  if (!said) {
    note("This is no token of a device or a service: it must be a JWT with sub and device_id, or with scope.");
  } else if (said.service && !asUser) {
    note("Whom is this tab?");
    $("as-user").focus();
  } else {
    note("");
    be(said.service ? { user: asUser, device: newDevice(), token } : { user: said.user, device: said.device, token }, !said.service);
  }
}

function signOut(why) {
  memory.clear();
  hub.postMessage({ type: "leave" });
  roster.me = null;
  me.is(null);
  note(why);
  if (withKey) {
    roster.closed = true;
    showConnection("not signed in", "");
    connection = { kind: "connecting", reason: "", heard: null };
    show(["sign-in"]);
    $("token").focus();
  } else {
    show(["person"]);
  }
}

function choose(users) {
  const button = (words, user) => {
    const one = document.createElement("button");
    one.type = "button";
    one.append(...words);
    one.addEventListener("click", () => be({ user, device: newDevice(), token: null }, false));
    return one;
  };
  $("choices").replaceChildren(
    ...users.slice(0, 4).map((user) => button(users.length === 1 ? ["another device of mine"] : ["another device of ", foreign(user)], user)),
    button(["another person"], newGuest()),
  );
  show(["choose"]);
}

$("sign-in").addEventListener("submit", (submitted) => {
  submitted.preventDefault();
  signIn($("token").value.trim(), $("as-user").value.trim());
});
$("person").addEventListener("submit", (submitted) => {
  submitted.preventDefault();
  be({ user: $("user").value, device: memory.get()?.device ?? newDevice(), token: null }, false);
});
$("sign-out").addEventListener("click", () => signOut(""));

// ---- what the hub says ----

const messages = {
  others({ users }) {
    const known = memory.get();
    if (known && Boolean(known.token) === withKey) be(known, withKey && !claims(known.token)?.service);
    else if (withKey) signOut("");
    else if (users.length > 0) choose(users);
    else be({ user: newGuest(), device: newDevice(), token: null }, false);
  },
  taken() {
    be({ ...memory.get(), device: newDevice() }, false);
  },
  accepted() {
    note("");
    roster.closed = false;
    $("token").value = "";
    void me.refresh();
  },
  refused({ status, reason }) {
    signOut(status === 401 ? `The token was refused: ${reason}` : `This was refused: ${reason}`);
  },
  devices({ devices }) {
    me.showDevices(devices);
  },
  batch({ snapshot, news, presences }) {
    const own = memory.get()?.user;
    for (const presence of presences) {
      if (news) life.changed(roster.get(presence.user_id), presence);
    }
    roster.update(snapshot, presences);
    if (presences.some((presence) => presence.user_id === own)) me.changed();
  },
  connection(now) {
    connection = now;
    checkConnection();
  },
};
hub.onmessage = ({ data }) => messages[data.type]?.(data);

function checkConnection() {
  const { kind, reason, heard } = connection;
  const silent = heard !== null && Date.now() - heard > LOST_MS;
  if (kind === "live" && !silent) showConnection("live", "live");
  else if (kind === "lost" || silent) {
    const since = heard === null ? "" : `, not updated since ${new Date(heard).toLocaleTimeString("en-GB")}`;
    showConnection(`connection lost${since}: ${reason || "nothing was heard"}; trying again`, "lost");
  }
}

function showConnection(text, kind) {
  const line = $("connection");
  if (line.textContent !== text) line.textContent = text;
  line.className = kind;
  document.body.classList.toggle("stale", kind === "lost");
}

// ---- start ----

async function start() {
  // Whether there is a key: only then is a request without a token answered with 401.
  let probe = await call("GET", "/v2/users/@nobody/presence");
  for (; probe.status === 0; probe = await call("GET", "/v2/users/@nobody/presence")) {
    showConnection("the server cannot be reached; trying again", "lost");
    await new Promise((done) => setTimeout(done, 2_000));
  }
  withKey = probe.status === 401;
  const hello = (lock) => hub.postMessage({ type: "hello", lock, open: !withKey });
  if (!isShared) return hello(null);
  // Held as long as this tab lives, which the hub so learns.
  const lock = `rollcall-tab-${random()}${random()}`;
  await navigator.locks.request(lock, () => {
    hello(lock);
    return new Promise(() => {});
  });
}

setInterval(async () => {
  if (connection.kind !== "connecting") checkConnection();
  roster.draw();
  if (!withKey || memory.get()) await life.tick();
}, 1000);
void start();
