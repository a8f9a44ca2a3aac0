// What all tabs of a browser share: one event stream, which keeps one of their devices alive, and heartbeats for the others.
// It runs in a SharedWorker, or in the page where there is none.

import { Device, Failed } from "/device.js";

const TIMES = {
  beat: 10_000, // a third of the lease of 30 s
  lost: 33_000, // the server sends a ping every 15 s: two are missed
  open: 10_000, // for the stream's headers
  retry: 2_000, // a request that failed
  linger: 1_500, // a tab that is loaded again is back by then
  tick: 1_000,
};
const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 15_000;

const keyOf = (user, device) => JSON.stringify([user, device]);

function reasonOf(failure) {
  if (failure instanceof Failed) return failure.message;
  return failure.name === "AbortError" ? "nothing was heard for too long" : "the server cannot be reached";
}

/** Whether the same request would get the same answer again. */
function isFinal({ status }) {
  return status >= 400 && status < 500 && status !== 408 && status !== 429;
}

export class Hub {
  #fetch;
  #times;
  #tabs = new Set();
  #devices = new Map();
  #presences = new Map();
  #inSnapshot = false; // which takes several batches if it is long
  #nextBatch = "";
  #following = false;
  #holder = null;
  #abort = new AbortController();
  #deadline = Infinity;
  #connection = { kind: "connecting", reason: "", heard: null };

  /** The arguments are there for tests. */
  constructor(fetch = globalThis.fetch.bind(globalThis), times = {}) {
    this.#fetch = fetch;
    this.#times = { ...TIMES, ...times };
    setInterval(() => this.#beat(), this.#times.beat);
    setInterval(() => this.#watch(), this.#times.tick);
  }

  /** A tab has come. It says what it is with messages to this port. */
  connect(port) {
    const tab = { port, device: null, state: "online", open: false };
    port.onmessage = ({ data }) => this.#message(tab, data);
  }

  #message(tab, { type, ...data }) {
    if (type === "hello") this.#hello(tab, data);
    else if (type === "be") this.#be(tab, data);
    else if (type === "state") this.#state(tab, data);
    else if (type === "leave") this.#leave(tab);
  }

  #hello(tab, { lock, open }) {
    tab.open = open;
    this.#tabs.add(tab);
    // Granted when the tab has gone, however it went.
    if (lock) void navigator.locks.request(lock, () => this.#gone(tab));
    tab.port.postMessage({ type: "others", users: [...new Set([...this.#devices.values()].map((device) => device.user))] });
    if (open) this.#welcome(tab);
  }

  // ---- devices ----

  #be(tab, { user, device: id, token, state, mayShare }) {
    const key = keyOf(user, id);
    let device = this.#devices.get(key);
    if (device && device.token === token && device === tab.device) return;
    if (device && !mayShare && device.tabs.size > 0) {
      tab.port.postMessage({ type: "taken" }); // the tab was duplicated, and its memory with it
      return;
    }
    this.#leave(tab);
    if (!device || device.token !== token) {
      if (device) this.#replace(device);
      device = new Device(this.#fetch, user, id, token);
      this.#devices.set(key, device);
    }
    device.tabs.add(tab);
    tab.device = device;
    tab.state = state;
    if (device.accepted) this.#accepted(device);
    else this.#tell(device, true);
    this.#showDevices();
  }

  /** The same device has another token: the one before may be at its end. */
  #replace(device) {
    device.tabs.forEach((tab) => this.#leave(tab));
    this.#forget(device);
  }

  #state(tab, { state }) {
    tab.state = state;
    if (tab.device) this.#tell(tab.device, false);
    this.#showDevices();
  }

  #tell(device, again) {
    device.tell(again).then(
      (told) => {
        if (!told || device.tabs.size === 0) return;
        if (!device.accepted) this.#accepted(device);
        // The state may have changed while the request was under way.
        this.#tell(device, false);
      },
      (failure) => {
        if (isFinal(failure)) this.#refused(device, failure);
        else setTimeout(() => device.tabs.size > 0 && this.#tell(device, false), Math.max(failure.ms ?? 0, this.#times.retry));
      },
    );
  }

  #accepted(device) {
    device.accepted = true;
    device.tabs.forEach((tab) => {
      tab.port.postMessage({ type: "accepted" });
      if (!tab.open) this.#welcome(tab);
    });
    void this.#follow();
  }

  /** Trying again would be of no use, and is a nuisance. */
  #refused(device, { status, message }) {
    this.#forget(device);
    for (const tab of device.tabs) {
      tab.device = null;
      tab.port.postMessage({ type: "refused", status, reason: message });
    }
    device.tabs.clear();
  }

  #gone(tab) {
    this.#tabs.delete(tab);
    this.#leave(tab);
  }

  #leave(tab) {
    const device = tab.device;
    tab.device = null;
    if (!device) return;
    device.tabs.delete(tab);
    if (device.tabs.size > 0) this.#tell(device, false);
    else setTimeout(() => this.#end(device), this.#times.linger);
    this.#showDevices();
  }

  #end(device) {
    if (device.tabs.size > 0 || !this.#forget(device)) return;
    device.leave().catch(() => {}); // its lease ends too
  }

  #forget(device) {
    if (!this.#isKnown(device)) return false;
    this.#devices.delete(keyOf(device.user, device.id));
    if (this.#holder === device) this.#abort.abort();
    this.#showDevices();
    return true;
  }

  #isKnown(device) {
    return this.#devices.get(keyOf(device.user, device.id)) === device;
  }

  #beat() {
    for (const device of this.#devices.values()) {
      if (device.accepted && (!device.held || device.told !== device.state)) this.#tell(device, true);
    }
  }

  #showDevices() {
    const all = [...this.#devices.values()].filter((device) => device.tabs.size > 0);
    for (const tab of this.#tabs) {
      const devices = all.filter((device) => device.user === tab.device?.user);
      tab.port.postMessage({
        type: "devices",
        devices: devices.map(({ id, state, held, tabs }) => ({ id, state, held, tabs: tabs.size })),
      });
    }
  }

  // ---- the stream ----

  async #follow() {
    if (this.#following) return;
    this.#following = true;
    let wait = FIRST_RETRY_MS;
    for (let holder = this.#nextHolder(); holder; holder = this.#nextHolder()) {
      this.#holder = holder;
      this.#abort = new AbortController();
      let pause = 0;
      const start = Date.now();
      try {
        this.#deadline = Date.now() + this.#times.open;
        const from = this.#nextBatch ? { "Last-Event-ID": this.#nextBatch } : {};
        const answer = await holder.openStream(from, this.#abort.signal);
        holder.held = true;
        this.#heard();
        this.#showDevices();
        await this.#read(answer.body);
        // Streams have an end, and the next one begins at once; but not if they all end at once.
        if (Date.now() - start > MAX_RETRY_MS) wait = FIRST_RETRY_MS;
        else pause = wait;
      } catch (failure) {
        pause = this.#failed(holder, failure, wait);
        wait = Math.min(wait * 2, MAX_RETRY_MS);
      }
      this.#deadline = Infinity;
      holder.held = false;
      this.#holder = null;
      if (pause > 0 && this.#isKnown(holder)) this.#tell(holder, true); // it lives by heartbeats until a stream holds it again
      this.#showDevices();
      if (pause > 0) await new Promise((done) => setTimeout(done, pause));
    }
    this.#following = false;
  }

  #nextHolder() {
    return [...this.#devices.values()].find((device) => device.accepted && device.tabs.size > 0);
  }

  /** How long to wait before the next attempt, in ms. */
  #failed(holder, failure, wait) {
    if (isFinal(failure) && failure.status !== 400) {
      this.#refused(holder, failure);
      return 0;
    }
    if (failure.name === "AbortError" && !this.#isKnown(holder)) return 0; // it has left
    this.#show("lost", reasonOf(failure));
    if (failure.status === 400) this.#nextBatch = ""; // all else was accepted before
    return Math.max(failure.ms ?? 0, wait * (0.75 + Math.random() / 2));
  }

  async #read(body) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      this.#heard();
      text += value;
      for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
        this.#event(text.slice(0, end));
        text = text.slice(end + 2);
      }
    }
  }

  /** Of the events, `reconnect` needs nothing: the stream ends then, and the next one begins, at another instance. */
  #event(text) {
    const field = (name) => text.split("\n").find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
    if (field("event") === "presence") this.#batch(JSON.parse(field("data")));
    else if (field("event") === "end") throw new Failed(401, JSON.parse(field("data")).error, 0); // the token's end
  }

  #batch(batch) {
    if (batch.snapshot) this.#presences.clear();
    this.#inSnapshot ||= batch.snapshot;
    for (const presence of batch.presences) {
      if (presence.state === "unknown") this.#presences.delete(presence.user_id);
      else this.#presences.set(presence.user_id, presence);
    }
    this.#nextBatch = batch.next_batch;
    this.#send({ type: "batch", snapshot: batch.snapshot, news: !this.#inSnapshot, presences: batch.presences });
    this.#inSnapshot &&= batch.more;
  }

  #heard() {
    this.#deadline = Date.now() + this.#times.lost;
    this.#show("live", "");
  }

  /** A connection can be dead without an end: then only the missing pings tell. */
  #watch() {
    if (Date.now() > this.#deadline) this.#abort.abort();
  }

  #show(kind, reason) {
    const heard = kind === "live" ? Date.now() : this.#connection.heard;
    const isNews = kind !== this.#connection.kind || reason !== this.#connection.reason;
    if (!isNews && heard - this.#connection.heard < 1_000) return;
    this.#connection = { kind, reason, heard };
    this.#send({ type: "connection", ...this.#connection });
  }

  #send(message) {
    this.#tabs.forEach((tab) => this.#mayRead(tab) && tab.port.postMessage(message));
  }

  /** All that a tab has missed which may read now. */
  #welcome(tab) {
    tab.port.postMessage({ type: "connection", ...this.#connection });
    if (this.#nextBatch) tab.port.postMessage({ type: "batch", snapshot: true, news: false, presences: [...this.#presences.values()] });
  }

  #mayRead(tab) {
    return tab.open || tab.device?.accepted;
  }
}
