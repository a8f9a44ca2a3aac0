// The list of all users. Only visible rows are in the document, so that thousands of users cost no more than a screenful.

const ROW = 52; // px: 3.25rem
const STATES = ["online", "idle", "offline"];

const $ = (id) => document.getElementById(id);
const number = (x) => x.toLocaleString("en");
const setText = (part, text) => { if (part.textContent !== text) part.textContent = text; };

/** How long ago that was, in words; `ms` since the epoch. */
export function ago(ms) {
  const s = Math.max(0, Math.round((Date.now() - ms) / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  return s < 86_400 ? `${Math.floor(s / 3600)} h` : `${Math.floor(s / 86_400)} d`;
}

/** An element with a text that comes from others: it can neither be markup nor turn what is around it. */
export function foreign(text, className) {
  const part = document.createElement("bdi");
  if (className) part.className = className;
  part.textContent = text;
  return part;
}

/** Beside a name, and never part of it. */
export function badge(text) {
  const part = document.createElement("span");
  part.className = "badge";
  part.textContent = text;
  return part;
}

function newRow(role) {
  const row = document.createElement("div");
  if (role) row.setAttribute("role", role);
  const [state, who, when] = ["state", "who", "when"].map((name) => {
    const part = document.createElement("span");
    part.className = name;
    return part;
  });
  who.append(foreign("", "name"));
  row.append(state, who, when, foreign("", "words"));
  return row;
}

function fill(row, one) {
  row.className = `user ${one.state}`;
  setText(row.querySelector(".state"), one.state);
  setText(row.querySelector(".name"), one.user_id);
  setText(row.querySelector(".words"), one.status ?? "");
  const active = one.last_active && one.state !== "online" ? `\nactive ${ago(one.last_active)} ago` : "";
  setText(row.querySelector(".when"), one.since === undefined ? "" : `for ${ago(one.since)}${active}`);
}

export class Roster {
  #users = new Map();
  #me = null;
  #shown = [];
  #rows = [];
  #only = null;
  #closed = false;
  #buttons = new Map();
  #pinned = newRow();
  #dirty = true;

  constructor() {
    for (const state of STATES) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = state;
      button.addEventListener("click", () => {
        this.#only = this.#only === state ? null : state;
        this.changed();
      });
      this.#buttons.set(state, button);
      $("counts").append(button);
    }
    this.#pinned.querySelector(".who").append(badge("me"));
    $("pinned").append(this.#pinned);
    $("find").addEventListener("input", () => this.changed());
    $("list").addEventListener("scroll", () => this.draw(), { passive: true });
    addEventListener("resize", () => this.changed());
    this.#frame();
  }

  get(user) {
    return this.#users.get(user);
  }

  /** Who is pinned; null: nobody. */
  set me(user) {
    this.#me = user;
    this.changed();
  }

  /** Whether nothing is shown because nobody has signed in. */
  set closed(closed) {
    this.#closed = closed;
    this.update(closed, []);
  }

  update(snapshot, presences) {
    if (snapshot) this.#users.clear();
    for (const presence of presences) {
      if (presence.state === "unknown") this.#users.delete(presence.user_id);
      else this.#users.set(presence.user_id, presence);
    }
    this.changed();
  }

  /** Has it drawn soon. */
  changed() {
    this.#dirty = true;
  }

  #frame() {
    if (this.#dirty) {
      this.#dirty = false;
      this.#sort();
      this.draw();
    }
    setTimeout(() => requestAnimationFrame(() => this.#frame()), 100);
  }

  #sort() {
    const wanted = $("find").value.trim().toLowerCase();
    const found = [...this.#users.values()].filter((one) => one.user_id.toLowerCase().includes(wanted));
    const count = { online: 0, idle: 0, offline: 0 };
    for (const one of found) count[one.state]++;
    for (const [state, button] of this.#buttons) {
      setText(button, `${number(count[state])} ${state}`);
      button.setAttribute("aria-pressed", String(this.#only === state));
    }
    this.#shown = found.filter((one) => one.user_id !== this.#me && (!this.#only || one.state === this.#only));
    this.#shown.sort((a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state) || (a.user_id < b.user_id ? -1 : 1));
    $("space").style.height = `${this.#shown.length * ROW}px`;
    setText($("nobody"), this.#shown.length > 0 ? "" : this.#emptiness(wanted));
    $("list").hidden = this.#shown.length === 0;
  }

  #emptiness(wanted) {
    if (this.#closed) return "Sign in to see who is here.";
    const others = this.#users.size - (this.#users.has(this.#me) ? 1 : 0);
    if (others === 0) return "Nobody else has been here yet.";
    return `Nobody else ${this.#only ? `is ${this.#only}` : "is here"}${wanted ? ` whose name has “${wanted}” in it` : ""}.`;
  }

  draw() {
    $("pinned").hidden = this.#me === null;
    if (this.#me !== null) fill(this.#pinned, this.#users.get(this.#me) ?? { user_id: this.#me, state: "unknown" });
    const list = $("list");
    const first = Math.max(0, Math.floor(list.scrollTop / ROW) - 2);
    const count = Math.min(this.#shown.length - first, Math.ceil(list.clientHeight / ROW) + 4);
    while (this.#rows.length < count) {
      const row = newRow("listitem");
      this.#rows.push(row);
      list.append(row);
    }
    this.#rows.forEach((row, i) => {
      const one = i < count ? this.#shown[first + i] : undefined;
      row.hidden = !one;
      if (!one) return;
      fill(row, one);
      row.style.top = `${(first + i) * ROW}px`;
    });
  }
}
