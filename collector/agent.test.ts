/** The collector whole: real kernel events between real namespaces, a real store. Needs root and iproute2. */
import { once } from "node:events";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import WebSocket from "ws";
import { LiveMessage } from "../model/wire/live.ts";
import { HealthSnapshot } from "../model/wire/health.ts";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { connectNamespaces, ipIn, testAgent, testNamespaces, testStore, until } from "./testing.ts";

const SERVER = `
const net = require("node:net");
const server = net.createServer((socket) => { socket.on("data", () => socket.end(process.argv[1])); socket.on("error", () => {}); });
server.listen({ port: 8080, host: "::" }, () => console.log("ready"));
process.stdin.on("data", () => {}).on("end", () => process.exit(0));
`;

/** Connects one after another as told on stdin (`HOST PORT COUNT`); says `DONE answers errors`. */
const CLIENT = `
const net = require("node:net");
const one = (host, port) => new Promise((resolve) => {
  let text = "";
  const socket = net.connect({ host, port, family: host.includes(":") ? 6 : 4 });
  socket.on("connect", () => { resolve.local = socket.localPort; socket.write("hello"); });
  socket.on("data", (data) => { text += data; });
  socket.on("error", (error) => resolve(error.code));
  socket.on("close", () => resolve(text));
});
let queue = Promise.resolve();
require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  queue = queue.then(async () => {
    const [host, port, count] = line.split(" ");
    const answers = [];
    for (let i = 0; i < Number(count); i++) answers.push(await one(host, Number(port)));
    console.log(JSON.stringify(answers));
  });
});
console.log("ready");
`;

test("what two namespaces did is what the store says: connections, bytes, failures, drops, v4 and v6, both directions, live too", async () => {
  await using store = await testStore();
  using world = testNamespaces("web", "cart");
  connectNamespaces(world.of["web"]!, "weirc0", ["10.251.1.2/24", "fd51:1::2/64"], world.of["cart"]!, "weirc1", [
    "10.251.1.3/24",
    "fd51:1::3/64",
  ]);
  await writeFile(
    join(store.dir, "inventory.yaml"),
    `entries:\n  - { netns: ${world.of["web"]}, namespace: shop, workload: web, endpoint: web-0 }\n  - { netns: ${world.of["cart"]}, namespace: shop, workload: cart, kind: datastore }\n`,
  );
  const server = world.run("cart", SERVER);
  const client = world.run("web", CLIENT);
  const said = createInterface({ input: client.stdout! })[Symbol.asyncIterator]();
  await Promise.all([once(server.stdout!, "data"), said.next()]);
  const agent = await testAgent({ ...store.env, WEIR_NETNS: `weirc${process.pid}*`, WEIR_KEEP_NOISE: "1" });
  try {
    const socket = new WebSocket(`ws+unix://${store.dir}/run/collector.sock:/live`);
    const messages: LiveMessage[] = [];
    socket.on("message", (data: Buffer) => messages.push(LiveMessage.parse(JSON.parse(data.toString()))));
    await once(socket, "open");
    socket.send(
      JSON.stringify({ type: "subscribe", id: "a", filter: "dst:shop/cart verdict:allowed", kinds: ["close"] }),
    );
    socket.send(JSON.stringify({ type: "subscribe", id: "b", filter: "port:99999" }));
    const ask = async (line: string) => {
      client.stdin!.write(`${line}\n`);
      return JSON.parse((await said.next()).value as string) as string[];
    };
    expect(await ask("10.251.1.3 8080 30")).toHaveLength(30);
    await ask("fd51:1::3 8080 15");
    expect(await ask("10.251.1.3 81 4")).toEqual(["ECONNREFUSED", "ECONNREFUSED", "ECONNREFUSED", "ECONNREFUSED"]);
    expect(await ask("fd51:1::3 81 2")).toEqual(["ECONNREFUSED", "ECONNREFUSED"]);
    await until(
      "the live stream told of all closes by both ends",
      () => messages.flatMap((each) => (each.type === "flows" ? each.flows : [])).length >= 90,
    );
    const flows = messages.flatMap((each) => (each.type === "flows" && each.id === "a" ? each.flows : []));
    expect(
      new Set(
        flows.map(
          (flow) =>
            `${flow.source.namespace}/${flow.source.workload}>${flow.destination.workload}:${flow.destination.port}`,
        ),
      ),
    ).toEqual(new Set(["shop/web>cart:8080"]));
    expect(messages.some((each) => each.type === "problem" && each.id === "b")).toBe(true);
    await until("a pulse has the edge", () =>
      messages.some(
        (each) =>
          each.type === "pulse" &&
          each.edges.some((edge) => edge.destination.workload === "cart" && edge.destination.kind === "datastore"),
      ),
    );
    socket.close();
    await until("the books of the snapshot balance", () => HealthSnapshot.parse(agent.health()).books.difference === 0);
  } finally {
    await agent[Symbol.asyncDispose]();
  }
  const edges = await store.rows(
    `SELECT src_workload, dst_workload, dst_port, reporter, verdict, reason, sum(opened) AS opened, sum(closed) AS closed, sum(failed) AS failed, sum(bytes_to_server) AS up, any(counted) AS counted
     FROM flows WHERE kind IN ('open', 'close', 'fail') GROUP BY ALL ORDER BY ALL LIMIT 100`,
  );
  const edge = (reporter: string, port: number) =>
    edges.filter((row) => row["reporter"] === reporter && row["dst_port"] === port);
  expect(edge("client", 8080)).toMatchObject([
    { src_workload: "web", dst_workload: "cart", opened: 45, closed: 45, failed: 0, up: 45 * 5, counted: 1 },
  ]);
  expect(edge("server", 8080)).toMatchObject([
    { src_workload: "web", dst_workload: "cart", opened: 45, closed: 45, failed: 0, up: 45 * 5, counted: 0 },
  ]);
  expect(edge("client", 81)).toMatchObject([
    { src_workload: "web", dst_workload: "cart", opened: 0, failed: 6, reason: "ECONNREFUSED", counted: 1 },
  ]);
  const drops = await store.rows(
    "SELECT reason, src_workload, dst_workload, dst_port, sum(drops) AS drops FROM flows WHERE kind = 'drop' AND dst_port = 81 GROUP BY ALL LIMIT 10",
  );
  expect(drops).toMatchObject([{ reason: "NO_SOCKET", src_workload: "web", dst_workload: "cart", drops: 6 }]);
  const books = await store.rows(
    "SELECT sum(produced) AS produced, sum(stored) + sum(lost) + sum(shed) + sum(quarantined) + sum(filtered) AS accounted FROM books LIMIT 1",
  );
  expect(books[0]!["produced"]).toBe(books[0]!["accounted"]);
  expect(Number(books[0]!["produced"])).toBeGreaterThan(190);
  const twins = await store.rows("SELECT count() - uniqExact(boot, generation, cpu, seq) AS twins FROM flows LIMIT 1");
  expect(Number(twins[0]!["twins"])).toBe(0);
});

test("an address that moves between namespaces under load: 0 connections attributed to the wrong one", async () => {
  await using store = await testStore();
  using world = testNamespaces("c", "a", "b");
  const { c, a, b } = world.of as { c: string; a: string; b: string };
  connectNamespaces(c, "weirca", ["10.252.0.1/32"], a, "weirac", []);
  connectNamespaces(c, "weircb", [], b, "weirbc", []);
  for (const [netns, device] of [
    [a, "weirac"],
    [b, "weirbc"],
  ] as const)
    ipIn(netns, "route", "add", "10.252.0.1/32", "dev", device);
  const move = (to: string, device: string, from?: string, old?: string) => {
    if (from !== undefined) ipIn(from, "addr", "del", "10.252.0.9/32", "dev", old!);
    ipIn(to, "addr", "add", "10.252.0.9/32", "dev", device);
    ipIn(to, "route", "replace", "10.252.0.1/32", "dev", device, "src", "10.252.0.9");
    ipIn(c, "route", "replace", "10.252.0.9/32", "dev", to === a ? "weirca" : "weircb", "src", "10.252.0.1");
  };
  move(a, "weirac");
  const named = (name: string) => SERVER.replace("process.argv[1]", JSON.stringify(name));
  const servers = [world.run("a", named("a")), world.run("b", named("b"))];
  const client = world.run(
    "c",
    `const net = require("node:net"); let stop = false; const log = [];
     const one = () => { if (stop) { console.log(JSON.stringify(log)); return; }
       const socket = net.connect({ host: "10.252.0.9", port: 8080 }); let text = ""; let port = 0; const timer = setTimeout(() => socket.destroy(), 300);
       socket.on("connect", () => { port = socket.localPort; socket.write("x"); }); socket.on("data", (d) => (text += d)); socket.on("error", () => {});
       socket.on("close", () => { clearTimeout(timer); if (text !== "") log.push([port, text]); setImmediate(one); }); };
     process.stdin.on("data", () => (stop = true)); one(); console.log('"ready"');`,
  );
  const said = createInterface({ input: client.stdout! })[Symbol.asyncIterator]();
  await Promise.all([...servers.map((each) => once(each.stdout!, "data")), said.next()]);
  const agent = await testAgent({ ...store.env, WEIR_NETNS: `weirc${process.pid}*` });
  let log: [number, string][];
  try {
    for (let i = 0; i < 8; i++) {
      await new Promise((resolve) => setTimeout(resolve, 500)); // load between the moves, longer than the client's own time limit: the test's work, not a wait
      if (i % 2 === 0) move(b, "weirbc", a, "weirac");
      else move(a, "weirac", b, "weirbc");
    }
    client.stdin!.write("stop\n");
    log = JSON.parse((await said.next()).value as string) as [number, string][];
  } finally {
    await agent[Symbol.asyncDispose]();
  }
  const rows = await store.rows(
    `SELECT src_port, dst_workload FROM flows WHERE reporter = 'client' AND kind = 'close' AND bytes_to_client > 0 AND src_workload = '${c}' ORDER BY ts LIMIT 1000000`,
  );
  expect(log.length).toBeGreaterThan(100);
  expect(new Set(log.map(([, name]) => name)).size).toBe(2);
  // connections made before the collector began are in the log alone: each row must be one of the log's
  const made = new Map<string, number>();
  for (const [port, name] of log)
    made.set(`${port} ${name === "a" ? a : b}`, (made.get(`${port} ${name === "a" ? a : b}`) ?? 0) + 1);
  const wrong = rows.filter((row) => {
    const key = `${String(row["src_port"])} ${String(row["dst_workload"])}`;
    const left = made.get(key) ?? 0;
    made.set(key, left - 1);
    return left === 0;
  });
  expect(rows.length).toBeGreaterThan(100);
  expect(wrong).toEqual([]);
});
