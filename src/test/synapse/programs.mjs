// Processes that are started, killed and started again, and what is asked of them over HTTP.
import { spawn } from "node:child_process";
import { openSync } from "node:fs";
import { createServer, connect } from "node:net";

export const sleep = (seconds) => new Promise((done) => setTimeout(done, 1000 * seconds));

export async function until(what, seconds, condition) {
  const end = Date.now() + 1000 * seconds;
  for (;;) {
    const answer = await Promise.resolve(condition()).catch(() => undefined);
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`${what}: not within ${seconds} s`);
    await sleep(0.1);
  }
}

export const freePort = () =>
  new Promise((found) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => found(port));
    });
  });

const running = new Set();
process.on("exit", () => running.forEach((program) => program.process.kill("SIGKILL")));
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));

export class Program {
  constructor(log, command, args, { env = {}, ready = async () => true, ipc = false } = {}) {
    Object.assign(this, { log, command, args, env, ready, ipc });
  }

  async start() {
    const log = openSync(this.log, "a");
    this.process = spawn(this.command, this.args, {
      env: { ...process.env, ...this.env },
      stdio: ["ignore", log, log, ...(this.ipc ? ["ipc"] : [])],
    });
    running.add(this);
    this.ended = new Promise((done) => this.process.once("exit", done)).then(() => running.delete(this));
    await until(`${this.log}: ready`, 90, () => {
      if (!running.has(this)) throw new Error("it has ended");
      return this.ready();
    });
    return this;
  }

  async stop(signal) {
    this.process.kill(signal);
    await this.ended;
  }
}

/** Lets connections through to a port, until it is cut. */
export class Link {
  static async to(port) {
    const link = new Link();
    link.open = new Set();
    link.server = createServer((client) => {
      if (link.isCut) return client.destroy();
      const target = connect(port, "127.0.0.1");
      client.pipe(target).pipe(client);
      for (const [one, other] of [[client, target], [target, client]]) {
        link.open.add(one);
        one.on("error", () => {}).on("close", () => link.open.delete(one) && other.destroy());
      }
    });
    await new Promise((done) => link.server.listen(0, "127.0.0.1", done));
    link.port = link.server.address().port;
    link.server.unref();
    return link;
  }

  cut() {
    this.isCut = true;
    this.open.forEach((socket) => socket.destroy());
  }

  mend() {
    this.isCut = false;
  }
}

/** The body of an answer; throws what Matrix says is wrong. */
export async function ask(method, url, token, body) {
  const answer = await fetch(url, {
    method,
    headers: { ...(token && { Authorization: `Bearer ${token}` }), "Content-Type": "application/json" },
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(40_000),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${new URL(url).pathname}: ${answer.status} ${text}`);
  return text && JSON.parse(text);
}
