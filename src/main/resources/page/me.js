// This tab's device, and what the server has of its user.

import { call, inOrder } from "/api.js";
import { ago, badge, foreign } from "/roster.js";

const AFK_MS = 5 * 60_000;
const HIDDEN_MS = 10_000; // so that a look at another tab is not idleness
const REFRESH_MS = 10_000;
const SETTLED_MS = 1_000; // after a write, until what is read has it
const $ = (id) => document.getElementById(id);

export class Me {
  #roster;
  #hub;
  #note;
  #identity = null;
  #chosen = "online";
  #away = false;
  #lastInput = Date.now();
  #hiddenSince = document.hidden ? Date.now() : null;
  #writes = inOrder();
  #inBrowser = []; // the devices that are tabs of this browser
  #onServer = null; // all devices; null: the server does not list them
  #writing = 0; // writes that may not be seen yet
  #refreshing = false;
  #refreshAgain = false;

  constructor(roster, hub, note) {
    this.#roster = roster;
    this.#hub = hub;
    this.#note = note;
    this.#listen();
    setInterval(() => this.#checkAway(), 1_000);
    setInterval(() => void this.refresh(), REFRESH_MS);
  }

  get state() {
    return this.#away ? "idle" : this.#chosen;
  }

  /** Who this tab is; null: nobody. */
  is(identity) {
    this.#identity = identity;
    this.#onServer = null;
    this.#inBrowser = [];
    $("text").value = "";
    $("hidden").checked = false;
    if (!identity) return;
    $("who").replaceChildren(foreign(identity.user), badge("me"), " on ", foreign(identity.device));
    this.changed();
    void this.refresh();
  }

  /** Something was published of the user. */
  changed() {
    const text = this.#roster.get(this.#identity?.user)?.status ?? "";
    if (document.activeElement !== $("text") && this.#writing === 0) $("text").value = text;
    void this.refresh();
  }

  /** Asks for what is not published: the flag, and the devices. */
  async refresh() {
    const identity = this.#identity;
    this.#refreshAgain = this.#refreshing;
    if (!identity || document.hidden || this.#refreshing) return;
    this.#refreshing = true;
    try {
      const [flag, devices] = await Promise.all([this.#get("appear-offline"), this.#get("devices")]);
      if (identity !== this.#identity) return;
      if (flag.ok && this.#writing === 0) $("hidden").checked = flag.json.appear_offline;
      if (devices.ok) this.#onServer = devices.json.devices;
      else if (devices.status === 404) this.#onServer = null;
      this.#drawDevices();
    } finally {
      this.#refreshing = false;
      if (this.#refreshAgain) void this.refresh();
    }
  }

  #get(what) {
    return call("GET", this.#path(what), this.#identity.token);
  }

  #path(what) {
    return `/v2/users/${encodeURIComponent(this.#identity.user)}/${what}`;
  }

  /** Writes in order, and shows what went wrong. */
  async #put(what, body) {
    this.#writing++;
    const { token } = this.#identity;
    const path = this.#path(what);
    const { ok, reason } = await this.#writes(() => call("PUT", path, token, body));
    setTimeout(() => { // what is read earlier may be older
      this.#writing--;
      this.changed();
    }, SETTLED_MS);
    this.#note(ok ? "" : reason);
    return ok;
  }

  // ---- devices ----

  /** The hub's list of the tabs of this browser that are this user's. */
  showDevices(devices) {
    this.#inBrowser = devices;
    this.#drawDevices();
    void this.refresh();
  }

  #drawDevices() {
    const tabs = new Map(this.#inBrowser.map((device) => [device.id, device]));
    const all = this.#onServer ?? this.#inBrowser.map(({ id, state }) => ({ device_id: id, state }));
    $("devices").replaceChildren(...all.map((device) => this.#row(device, tabs.get(device.device_id))));
    $("devices-note").textContent = this.#onServer ? "" : "Of devices elsewhere the server tells with routing.enabled=true; these are the tabs of this browser.";
  }

  #row({ device_id: id, state, since }, tab) {
    const row = document.createElement("li");
    row.className = state;
    const words = document.createElement("span");
    words.className = "state";
    words.textContent = state;
    row.append(words, foreign(id, "name"));
    if (id === this.#identity?.device) row.append(badge("this tab"));
    const how = document.createElement("span");
    how.className = "faint";
    const lives = tab ? (tab.held ? "connection held" : "heartbeats every 10 s") : "elsewhere";
    how.textContent = since === undefined ? lives : `${lives}, for ${ago(since)}`;
    row.append(how);
    return row;
  }

  // ---- idle ----

  #checkAway() {
    const now = Date.now();
    const hidden = this.#hiddenSince !== null && now - this.#hiddenSince >= HIDDEN_MS;
    this.#setAway(hidden || now - this.#lastInput >= AFK_MS, hidden ? "while nobody looks at it" : "nothing was pressed for five minutes");
  }

  #setAway(away, why) {
    if (away === this.#away) return;
    this.#away = away;
    $("away").textContent = away && this.#chosen === "online" ? `Idle ${why}.` : "";
    this.#tell();
  }

  #tell() {
    document.querySelector(`input[name=state][value=${this.state}]`).checked = true;
    if (this.#identity) this.#hub.postMessage({ type: "state", state: this.state });
  }

  #onInput() {
    if (document.hidden) return;
    this.#lastInput = Date.now();
    this.#setAway(false);
  }

  #listen() {
    for (const kind of ["pointerdown", "pointermove", "keydown", "wheel"]) addEventListener(kind, () => this.#onInput(), { passive: true });
    document.addEventListener("visibilitychange", () => {
      this.#hiddenSince = document.hidden ? Date.now() : null;
      if (document.hidden) return;
      this.#onInput();
      void this.refresh();
    });
    for (const radio of document.querySelectorAll("input[name=state]")) {
      radio.addEventListener("change", () => {
        this.#chosen = radio.value;
        this.#away = false;
        this.#tell();
      });
    }
    $("hidden").addEventListener("change", async () => {
      const on = $("hidden").checked;
      if (!(await this.#put("appear-offline", { appear_offline: on }))) $("hidden").checked = !on;
    });
    $("status").addEventListener("submit", (submitted) => {
      submitted.preventDefault();
      document.activeElement?.blur();
      void this.#put("status", { text: $("text").value });
    });
    $("clear").addEventListener("click", () => {
      $("text").value = "";
      void this.#put("status", { text: null });
    });
  }
}
