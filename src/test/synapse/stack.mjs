// A homeserver with what belongs to it, and bob, who watches: Synapse alone, or nginx, Synapse, and Rollcall as its presence.
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Link, Program, ask, freePort, until } from "./programs.mjs";

const SERVER = "rollcall.test";
const KEY = "a key of thirty-two bytes or more, for tests";

export class Stack {
  /** What bob has seen. */
  seen = [];
  users = new Map();
  rooms = new Map();

  constructor(name, { chroot, work }) {
    Object.assign(this, { name, chroot, directory: join(work, name) });
    mkdirSync(this.directory, { recursive: true });
  }

  async start() {
    this.synapse = await this.#synapse();
    this.url ??= this.synapseUrl;
    await this.synapse.start();
  }

  async #synapse() {
    this.synapsePort ??= await freePort();
    this.synapseUrl = `http://127.0.0.1:${this.synapsePort}`;
    const inside = `/srv/${this.name}`;
    const home = join(this.chroot, inside);
    rmSync(home, { recursive: true, force: true });
    mkdirSync(home, { recursive: true });
    writeFileSync(
      join(home, "homeserver.yaml"),
      JSON.stringify({
        server_name: SERVER,
        report_stats: false,
        pid_file: `${inside}/pid`,
        listeners: [
          {
            port: this.synapsePort,
            bind_addresses: ["127.0.0.1"],
            type: "http",
            x_forwarded: true,
            resources: [{ names: ["client"] }],
          },
        ],
        database: { name: "sqlite3", args: { database: `${inside}/homeserver.db` } },
        media_store_path: `${inside}/media`,
        signing_key_path: `${inside}/signing.key`,
        log_config: `${inside}/log.yaml`,
        macaroon_secret_key: KEY,
        form_secret: KEY,
        bcrypt_rounds: 4,
        enable_registration: true,
        enable_registration_without_verification: true,
        trusted_key_servers: [],
        rc_room_creation: { per_second: 1000, burst_count: 1000 },
        rc_message: { per_second: 1000, burst_count: 1000 },
        rc_registration: { per_second: 1000, burst_count: 1000 },
        rc_joins: { local: { per_second: 1000, burst_count: 1000 } },
        rc_joins_per_room: { per_second: 1000, burst_count: 1000 },
        rc_invites: { per_room: { per_second: 1000, burst_count: 1000 }, per_user: { per_second: 1000, burst_count: 1000 } },
        rc_login: { address: { per_second: 1000, burst_count: 1000 }, account: { per_second: 1000, burst_count: 1000 } },
        ...this.synapseSettings(inside, home),
      }),
    );
    writeFileSync(
      join(home, "log.yaml"),
      JSON.stringify({
        version: 1,
        formatters: { line: { format: "%(asctime)s %(name)s %(levelname)s %(message)s" } },
        handlers: { console: { class: "logging.StreamHandler", formatter: "line" } },
        loggers: { synapse: { level: "INFO" } }, // as Debian has it
        root: { level: "INFO", handlers: ["console"] },
      }),
    );
    const run = [this.chroot, "env", `PYTHONPATH=${inside}`, "python3", "-m", "synapse.app.homeserver", "-c", `${inside}/homeserver.yaml`];
    execFileSync("chroot", [...run, "--generate-keys"], { stdio: "pipe" });
    return new Program(join(this.directory, "synapse.log"), "chroot", run, {
      ready: () => ask("GET", `${this.synapseUrl}/_matrix/client/versions`),
    });
  }

  synapseSettings() {
    return { presence: { enabled: true } };
  }

  /** A user in a room; in that of all unless it is named. */
  async register(name, room = "all") {
    const password = "a password";
    const { access_token } = await ask("POST", `${this.synapseUrl}/_matrix/client/v3/register`, null, {
      username: name,
      password,
      auth: { type: "m.login.dummy" },
    });
    const id = this.rooms.get(room);
    if (id === undefined) {
      const created = await ask("POST", `${this.synapseUrl}/_matrix/client/v3/createRoom`, access_token, { preset: "public_chat" });
      this.rooms.set(room, created.room_id);
    } else {
      await ask("POST", `${this.synapseUrl}/_matrix/client/v3/join/${encodeURIComponent(id)}`, access_token, {});
    }
    this.users.set(name, password);
    return access_token;
  }

  login(name, device) {
    return ask("POST", `${this.synapseUrl}/_matrix/client/v3/login`, null, {
      type: "m.login.password",
      identifier: { type: "m.id.user", user: name },
      password: this.users.get(name),
      device_id: device,
    }).then((answer) => answer.access_token);
  }

  /** A device that was logged in; it syncs from its start on. */
  async device(name, id) {
    const token = await this.login(name, id);
    const device = new Program(
      join(this.directory, `${name}-${id}.log`),
      process.execPath,
      [fileURLToPath(new URL("device.mjs", import.meta.url)), this.url, `@${name}:${SERVER}`, id, token],
      { ipc: true, ready: () => device.isSyncing },
    );
    device.token = token;
    device.user = `@${name}:${SERVER}`;
    const start = device.start;
    device.start = () => {
      const started = start.call(device);
      device.isSyncing = false;
      device.process.on("message", (message) => {
        device.isSyncing ||= message.sync === "SYNCING" || message.sync === "PREPARED";
        device.listener?.(message);
      });
      return started;
    };
    device.set = (presence) => device.process.send({ presence });
    return device;
  }

  /** bob, and whom he sees from now on. */
  async watch() {
    const bob = await this.device("bob", "screen");
    bob.listener = ({ user, presence, status_msg: text, sync }) => {
      if (sync) this.bobsSync = sync;
      if (user && user !== bob.user) this.seen.push({ at: Date.now(), user: user.replace(/:.*/, ""), presence, text });
    };
    this.bob = await bob.start();
  }

  awaitSync() {
    return until("bob syncs again", 60, () => this.bobsSync === "SYNCING");
  }
}

export class StackWithRollcall extends Stack {
  constructor(name, options) {
    super(name, options);
    Object.assign(this, options);
  }

  async start() {
    this.synapsePort = await freePort();
    const [kafka, http, matrix, syslog, front, tls] = await Promise.all(Array.from({ length: 6 }, freePort));
    this.receiverUrl = `http://127.0.0.1:${matrix}`;
    this.data = join(this.directory, "data");
    this.rollcallUrl = `http://127.0.0.1:${http}`;
    this.rollcall = this.#java("rollcall", "run", () => ask("GET", `${this.rollcallUrl}/health/ready`), {
      "embedded.kafka.port": kafka,
      "http.port": http,
      "data.dir": this.data,
    });
    await this.rollcall.start();
    this.receiver = this.#java("receiver", "matrix", () => this.isReceiving(), {
      "bootstrap.servers": `127.0.0.1:${kafka}`,
      "matrix.port": matrix,
      "matrix.syslog.port": syslog,
      "matrix.homeserver": `http://127.0.0.1:${this.synapsePort}`,
    });
    await this.receiver.start();
    this.feed = await Link.to(http);
    this.nginx = this.#nginx({ front, tls, matrix, syslog });
    await this.nginx.start();
    this.url = `http://127.0.0.1:${front}`;
    this.tlsUrl = `https://127.0.0.1:${tls}`;
    await super.start();
  }

  isReceiving() {
    return fetch(`${this.receiverUrl}/_matrix/client/v3/sync`).then((answer) => answer.status === 204);
  }

  synapseSettings(inside, home) {
    copyFileSync(join(this.source, "examples/synapse/rollcall_presence.py"), join(home, "rollcall_presence.py"));
    this.serviceToken = execFileSync("java", ["-cp", this.classpath, "dev.rollcall.app.Main", "token", "--minutes", "600"], {
      env: { ...process.env, ROLLCALL_HTTP_JWT_KEY: KEY },
      encoding: "utf8",
    }).trim();
    writeFileSync(join(home, "rollcall.token"), this.serviceToken);
    return {
      presence: { enabled: "untracked" },
      modules: [
        {
          module: "rollcall_presence.RollcallPresence",
          config: {
            url: `http://127.0.0.1:${this.feed.port}`,
            token_file: `${inside}/rollcall.token`,
            position_file: `${inside}/rollcall.position`,
          },
        },
      ],
    };
  }

  #java(name, command, ready, settings) {
    const sets = Object.entries(settings).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
    const args = ["-Xmx384m", "-cp", this.classpath, "dev.rollcall.app.Main", command, ...sets];
    return new Program(join(this.directory, `${name}.log`), "java", args, { ready, env: { ROLLCALL_HTTP_JWT_KEY: KEY } });
  }

  /** What an operator copies, with addresses of this machine. */
  #nginx({ front, tls, matrix, syslog }) {
    const directory = join(this.directory, "nginx");
    mkdirSync(directory, { recursive: true });
    const certificate = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"];
    execFileSync("openssl", [...certificate, "-keyout", "tls.key", "-out", "tls.crt"], { cwd: directory, stdio: "pipe" });
    let snippet = readFileSync(join(this.source, "config/proxy/synapse.nginx.conf"), "utf8");
    for (const [documented, here] of [
      [
        "listen 80;",
        `listen 127.0.0.1:${front}; listen 127.0.0.1:${tls} ssl http2; ssl_certificate tls.crt; ssl_certificate_key tls.key;`,
      ],
      ["server 127.0.0.1:8008;", `server 127.0.0.1:${this.synapsePort};`],
      ["server 127.0.0.1:8009;", `server 127.0.0.1:${matrix};`],
      ["server=127.0.0.1:5514", `server=127.0.0.1:${syslog}`],
    ]) {
      if (!snippet.includes(documented)) throw new Error(`synapse.nginx.conf does not have: ${documented}`);
      snippet = snippet.replace(documented, here);
    }
    writeFileSync(join(directory, "synapse.nginx.conf"), snippet);
    const own = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((of) => `${of}_temp_path ${of};`).join("\n");
    writeFileSync(
      join(directory, "main.conf"),
      `daemon off;\nuser root;\npid pid;\nworker_processes 2;\nevents { }\nhttp {\naccess_log off;\n${own}\ninclude synapse.nginx.conf;\n}\n`,
    );
    const nginx = existsSync("/usr/sbin/nginx") ? "/usr/sbin/nginx" : "nginx";
    return new Program(join(this.directory, "nginx.log"), nginx, ["-e", "stderr", "-p", directory, "-c", join(directory, "main.conf")], {
      ready: () => fetch(`http://127.0.0.1:${front}/`),
    });
  }

  wipe() {
    rmSync(this.data, { recursive: true });
  }
}
