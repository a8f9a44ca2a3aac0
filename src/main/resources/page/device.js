// A device as the hub keeps it: who it is, in which tabs, and what it has told the server of itself.

const ANSWER_MS = 10_000;

/** An answer that is not OK. `ms`: how long the server wants to be left alone. */
export class Failed extends Error {
  constructor(status, message, ms) {
    super(message);
    this.status = status;
    this.ms = ms;
  }
}

/** Throws what an answer that is not OK means. */
async function requireOk(answer) {
  if (answer.ok) return answer;
  const { error, retry_after_ms: ms } = await answer.json().catch(() => ({}));
  throw new Failed(answer.status, error ?? `the server has answered with ${answer.status}`, ms ?? 0);
}

export class Device {
  constructor(fetch, user, id, token) {
    this.user = user;
    this.id = id;
    this.token = token;
    this.tabs = new Set();
    /** Whether the server has taken a request of it: before, its token may be anything. */
    this.accepted = false;
    /** Whether the stream keeps it alive; else heartbeats do. */
    this.held = false;
    this.path = `/v2/users/${encodeURIComponent(user)}/devices/${encodeURIComponent(id)}`;
    this.fetch = fetch;
    this.told = null; // the state that the last request had, which may be under way; null: none, or it has failed
    this.last = Promise.resolve();
    this.waiting = false;
    this.notBefore = 0;
  }

  /** Online if one of its tabs is. */
  get state() {
    return [...this.tabs].some((tab) => tab.state === "online") ? "online" : "idle";
  }

  headers(more) {
    return this.token ? { Authorization: `Bearer ${this.token}`, ...more } : more;
  }

  /** One request after the other: so what the server hears last is what was meant last. */
  inOrder(task) {
    const done = this.last.then(task);
    this.last = done.catch(() => {});
    return done;
  }

  /**
   * Tells the server the state as it is when the request's turn comes, unless that is told already and `again` is false.
   * Gives whether it did.
   */
  async tell(again) {
    if (this.waiting || (!again && this.told === this.state) || Date.now() < this.notBefore) return false;
    this.waiting = true;
    return this.inOrder(async () => {
      this.waiting = false;
      if (this.tabs.size === 0) return false;
      this.told = this.state;
      await this.#send("PUT", { state: this.told });
      return true;
    }).catch((failure) => {
      this.told = null;
      if (failure instanceof Failed) this.notBefore = Date.now() + failure.ms;
      throw failure;
    });
  }

  /** Opens the event stream, which takes the device's state along. */
  openStream(headers, signal) {
    return this.inOrder(async () => {
      this.told = this.state;
      return requireOk(await this.fetch(`${this.path}/events?presence=${this.told}`, {
        headers: this.headers({ Accept: "text/event-stream", ...headers }),
        signal,
        cache: "no-store",
      }));
    }).catch((failure) => {
      this.told = null;
      throw failure;
    });
  }

  /** Ends its connection: the grace time counts from here. */
  leave() {
    return this.inOrder(() => this.#send("DELETE"));
  }

  async #send(method, body) {
    await requireOk(await this.fetch(`${this.path}/presence`, {
      method,
      headers: this.headers(body ? { "Content-Type": "application/json" } : {}),
      body: body && JSON.stringify(body),
      signal: AbortSignal.timeout(ANSWER_MS),
    }));
  }
}
