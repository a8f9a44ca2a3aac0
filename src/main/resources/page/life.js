// Simulated people, and plots of what they cause.

import { call, claims } from "/api.js";

const SECONDS = 60;
const $ = (id) => document.getElementById(id);
const number = (x) => x.toLocaleString("en");

export class Life {
  // One value per second of the last minute; the last one is the current second.
  #plots = { beats: new Array(SECONDS).fill(0), changes: new Array(SECONDS).fill(0), late: new Array(SECONDS).fill(0) };
  #delays = []; // of the last 500 OFFLINEs: from the instant of the change to its arrival here, in ms
  #beatsBefore = null;
  #token;
  #refusedFor; // the token, or null without one, for which the simulation is off; undefined: none

  /** `token` gives the token to call with; `note` shows what went wrong. */
  constructor(token, note) {
    this.#token = token;
    $("simulate").addEventListener("submit", (submitted) => {
      submitted.preventDefault();
      void call("PUT", "/v2/simulation", token(), { users: $("many").valueAsNumber }).then(note);
    });
    $("stop").addEventListener("click", () => void call("DELETE", "/v2/simulation", token()).then(note));
  }

  /** A change has arrived; `before` is what was known of the user. */
  changed(before, now) {
    this.#plots.changes[SECONDS - 1]++;
    if (now.state !== "offline" || !before || before.state === "offline") return;
    const late = Math.max(0, Date.now() - now.since);
    this.#delays = [...this.#delays.slice(-499), late];
    this.#plots.late[SECONDS - 1] = Math.max(this.#plots.late[SECONDS - 1], late);
  }

  /** To be called each second. */
  async tick() {
    if (!document.hidden) await this.#askHowMany();
    this.#draw();
    for (const values of Object.values(this.#plots)) {
      values.push(0);
      values.shift();
    }
  }

  async #askHowMany() {
    const token = this.#token();
    if (token === this.#refusedFor) return;
    const { ok, status, json } = await call("GET", "/v2/simulation", token);
    if (status === 403) this.#refusedFor = token;
    if (ok || status === 403) this.#offer(ok && (token === null || claims(token)?.service));
    if (!ok) return; // the connection's line shows it
    const { users, heartbeats } = json;
    if (this.#beatsBefore !== null && heartbeats > this.#beatsBefore) {
      this.#plots.beats[SECONDS - 1] += heartbeats - this.#beatsBefore;
    }
    this.#beatsBefore = heartbeats;
    $("simulated").textContent = users ? `${number(users)} people are simulated.` : "Nobody is simulated.";
  }

  /** Shows what simulated people need, if this tab may start them. */
  #offer(mayStart) {
    document.querySelectorAll(".simulation").forEach((part) => (part.hidden = !mayStart));
  }

  #draw() {
    for (const name of ["beats", "changes"]) {
      const values = this.#plots[name];
      $(name).textContent = `now ${number(values[SECONDS - 1])}, at most ${number(Math.max(...values))}`;
    }
    if (this.#delays.length > 0) {
      const sorted = [...this.#delays].sort((a, b) => a - b);
      $("late").textContent = `half of them within ${number(sorted[sorted.length >> 1])} ms, at most ${number(sorted.at(-1))} ms`;
    }
    this.#plot("beats", 5);
    this.#plot("changes", 5);
    this.#plot("late", 500);
  }

  #plot(name, least) {
    const values = this.#plots[name];
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
}
