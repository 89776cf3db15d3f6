/** The collector as a process, given less CPU than its load needs: it leaves out whole connections, counts each event, and recovers. Needs root. */
import { once } from "node:events";
import { readFileSync, statSync } from "node:fs";
import { request } from "node:http";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { HealthSnapshot } from "../model/wire/health.ts";
import type { Environment } from "../store/config.ts";
import { start, WEIR } from "../tests/weir.ts";
import { connectNamespaces, testNamespaces, testStore } from "./testing.ts";

/** The load must come on a busy machine, too: the collector itself asks for -10. */
const FIRST = `require("node:os").setPriority(-15);`;
const SERVER = `${FIRST}
const server = require("node:net").createServer((socket) => { socket.on("data", () => socket.end("bye")); socket.on("error", () => {}); });
server.listen({ port: 8080, host: "::", backlog: 4096 }, () => console.log("ready"));`;

/** Connects from 32 loops until it is told to stop, then says how many connections it made. */
const CLIENT = `${FIRST}
const net = require("node:net");
let made = 0, stop = false;
const one = () => new Promise((done) => {
  const socket = net.connect(8080, "10.252.1.3", () => { made++; socket.write("hello"); });
  socket.on("error", (error) => { console.error(error); process.exit(1); }).on("data", () => {}).on("close", done);
});
process.stdin.on("data", () => { stop = true; });
Promise.all(Array.from({ length: 32 }, async () => { while (!stop) await one(); })).then(() => { console.log(made); process.exit(0); });`;

/** Where nothing else runs, an idle collector takes a fiftieth of a CPU or less. */
const LEAST_LIMIT = 0.03;
const SETTLED_MS = 6000;
const LOOKED_AT_MS = 4000;

/** CPUs that a collector needs here and now, with nothing to see: several times as much on a busy machine. */
async function idleCores(env: Environment): Promise<number> {
  await using collector = start(WEIR, ["collect"], { ...env, WEIR_COLLECT_CPU: "0" });
  await collector.untilSays(/the collector runs/);
  await new Promise((resolve) => setTimeout(resolve, SETTLED_MS));
  const before = cpuTicks(collector.child.pid!);
  await new Promise((resolve) => setTimeout(resolve, LOOKED_AT_MS));
  return ((cpuTicks(collector.child.pid!) - before) * 10) / LOOKED_AT_MS;
}

/** User and system time of a process, in ticks of 10 ms (proc_pid_stat(5)). */
function cpuTicks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1]!.split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

/** Asked four times a second: answering costs the collector CPU, too. */
async function untilHealth(
  what: string,
  socketPath: string,
  holds: (health: HealthSnapshot) => boolean,
): Promise<HealthSnapshot> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const now = await health(socketPath);
    if (holds(now)) return now;
    if (Date.now() > deadline) throw new Error(`not within 30 s: ${what}; ${JSON.stringify(now.sampling)}`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

async function health(socketPath: string): Promise<HealthSnapshot> {
  const asked = request({ socketPath, path: "/health" }).end();
  const [answer] = await once(asked, "response");
  let text = "";
  for await (const chunk of answer) text += String(chunk);
  return HealthSnapshot.parse(JSON.parse(text));
}

test(
  "a collector over its limit of CPU leaves out whole connections, counts them as shed, and takes all again afterwards",
  { timeout: 120_000 },
  async () => {
    await using store = await testStore();
    using world = testNamespaces("load", "srv");
    connectNamespaces(world.of["load"]!, "weiro0", ["10.252.1.2/24"], world.of["srv"]!, "weiro1", ["10.252.1.3/24"]);
    const server = world.run("srv", SERVER);
    await once(server.stdout!, "data");
    const inodes = Object.values(world.of).map((name) => statSync(`/run/netns/${name}`).ino);
    const socket = `${store.dir}/run/collector.sock`;
    const env = { ...store.env, WEIR_NETNS: inodes.join(","), WEIR_LOG_LEVEL: "info" };
    const limit = Math.max(LEAST_LIMIT, 2 * (await idleCores(env)));
    const collector = start(WEIR, ["collect"], { ...env, WEIR_COLLECT_CPU: String(limit) });
    let made = 0;
    try {
      await collector.untilSays(/the collector runs/);
      const clients = [world.run("load", CLIENT), world.run("load", CLIENT)];
      const told = clients.map(({ stdout }) => once(createInterface({ input: stdout! }), "line") as Promise<[string]>);
      const { notes } = await untilHealth(
        "connections are left out",
        socket,
        ({ sampling }) => (sampling?.share ?? 1) < 0.7,
      );
      expect(notes.map(({ message }) => message)).toContainEqual(expect.stringMatching(/^Only \d.* of connections/));
      for (const client of clients) client.stdin!.write("stop\n");
      for (const [count] of await Promise.all(told)) made += Number(count);
      await untilHealth("all connections are told of again", socket, ({ sampling }) => sampling?.share === 1);
    } finally {
      await collector[Symbol.asyncDispose]();
    }
    const books = await store.rows(
      "SELECT type, sum(produced) AS produced, sum(stored) AS stored, sum(lost) AS lost, sum(shed) AS shed, sum(quarantined) AS quarantined, sum(filtered) AS filtered FROM books GROUP BY type",
    );
    const of = (type: string, what: string) => Number(books.find((row) => row["type"] === type)?.[what] ?? 0);
    for (const row of books) {
      const n = (what: string) => Number(row[what]);
      expect(n("produced"), String(row["type"])).toBe(
        n("stored") + n("lost") + n("shed") + n("quarantined") + n("filtered"),
      );
    }
    expect({ open: of("open", "produced"), close: of("close", "produced") }).toEqual({
      open: 2 * made,
      close: 2 * made,
    });
    expect(of("open", "shed")).toBeGreaterThan(0);
    expect(of("close", "shed")).toBe(of("open", "shed"));
    const [split] = await store.rows(
      "SELECT countIf(opened != closed) AS halves, uniqExact(socket) AS sockets FROM (SELECT socket, sum(f.opened) AS opened, sum(f.closed) AS closed FROM flows AS f WHERE dst_port = 8080 GROUP BY node, socket)",
    );
    const lost = of("open", "lost") + of("close", "lost");
    expect(Number(split!["halves"])).toBeLessThanOrEqual(lost);
    expect(Number(split!["sockets"])).toBeGreaterThan(0);
  },
);
