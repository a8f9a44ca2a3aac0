// What presence costs: CPU-seconds a minute of each process, presence events and polls, with clients that do nothing, that leave
// and come back, and that write. First Synapse alone, then with Rollcall. node load.mjs CHROOT WORK SOURCE CLASSPATH [USERS [SECONDS]]
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { Stack, StackWithRollcall } from "./stack.mjs";
import { ask, sleep } from "./programs.mjs";

const [chroot, work, source, classpath, users = 300, seconds = 120] = process.argv.slice(2);
const IN_A_ROOM = 50;
const TICKS = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));

/** A client that polls; its requests have one connection, as a browser's or an app's. */
class Client {
  static polls = 0;
  static events = 0;

  constructor(stack, token, room) {
    Object.assign(this, { stack, token, room });
  }

  async come() {
    const visit = (this.visit = {});
    this.agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (this.visit === visit) {
      const answer = await this.#poll().catch(() => null);
      if (answer === null) {
        await sleep(1);
        continue;
      }
      Client.polls++;
      Client.events += answer.presence?.events?.length ?? 0;
      this.since = answer.next_batch;
    }
  }

  go() {
    this.visit = null;
    this.open?.destroy();
    this.agent.destroy();
  }

  #poll() {
    const query = new URLSearchParams({ timeout: this.since ? "30000" : "0", ...(this.since && { since: this.since }) });
    return new Promise((done, failed) => {
      this.open = request(
        `${this.stack.url}/_matrix/client/v3/sync?${query}`,
        { agent: this.agent, headers: { Authorization: `Bearer ${this.token}` } },
        async (answer) => {
          let body = "";
          for await (const chunk of answer.setEncoding("utf8")) body += chunk;
          answer.statusCode === 200 ? done(JSON.parse(body)) : failed(new Error(body));
        },
      );
      this.open.on("error", failed).end();
    });
  }

  write() {
    const path = `rooms/${encodeURIComponent(this.room)}/send/m.room.message/${Math.random()}`;
    return ask("PUT", `${this.stack.url}/_matrix/client/v3/${path}`, this.token, { msgtype: "m.text", body: "hello" });
  }
}

/** CPU-seconds of a process and of its children. */
function cpu(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /s, "").split(" ");
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean);
  return (Number(stat[11]) + Number(stat[12])) / TICKS + children.reduce((sum, child) => sum + cpu(child), 0);
}

async function measure(what, stack, each) {
  const programs = Object.entries({ Synapse: stack.synapse, nginx: stack.nginx, receiver: stack.receiver, Rollcall: stack.rollcall });
  const now = () => programs.filter(([, program]) => program).map(([name, program]) => [name, cpu(program.process.pid)]);
  const before = now();
  const { polls, events } = Client;
  const end = Date.now() + 1000 * seconds;
  for (let i = 0; Date.now() < end; i++) {
    each(i);
    await sleep(1);
  }
  const minutes = seconds / 60;
  const used = now().map(([name, after], i) => `${name} ${((after - before[i][1]) / minutes).toFixed(1)}`);
  const rest = `${Math.round((Client.events - events) / minutes)} presence events, ${Math.round((Client.polls - polls) / minutes)} polls`;
  console.log(`${stack.name}, ${what}: CPU-seconds a minute: ${used.join(", ")}; ${rest} a minute`);
}

for (const stack of [new Stack("own", { chroot, work }), new StackWithRollcall("rollcall", { chroot, work, source, classpath })]) {
  await stack.start();
  const clients = [];
  for (let i = 0; i < users; i++) {
    const room = Math.floor(i / IN_A_ROOM);
    const token = await stack.register(`u${i}`, room);
    clients.push(new Client(stack, token, stack.rooms.get(room)));
  }
  for (const client of clients) {
    client.come();
    await sleep(0.1);
  }
  await sleep(Math.min(90, seconds));
  await measure("idle", stack, () => {});
  await measure("one a second leaves for 20 s", stack, (i) => {
    const client = clients[i % clients.length];
    client.go();
    setTimeout(() => client.come(), 20_000);
  });
  await sleep(30);
  await measure("one message a second", stack, (i) => clients[i % clients.length].write().catch(() => {}));
  clients.forEach((client) => client.go());
  for (const program of [stack.synapse, stack.nginx, stack.receiver, stack.rollcall]) await program?.stop("SIGKILL");
}
process.exit();
