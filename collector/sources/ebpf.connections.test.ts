import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { formatAddress } from "../../model/address.ts";
import {
  bytesOf,
  destinationPortOf,
  directionOf,
  endOf,
  errorOf,
  EventType,
  commOf,
  familyOf,
  sourcePortOf,
  typeOf,
  wide,
  type ConnColumns,
  newStateOf,
} from "../decode/columns.ts";
import { EbpfSource } from "./ebpf.ts";
import { ADDRESS, Rows, until, World } from "./ebpf.world.ts";

const read = (batch: ConnColumns, i: number) => ({
  type: typeOf(batch, i),
  netns: batch.netns[i]!,
  family: familyOf(batch, i),
  direction: directionOf(batch, i),
  local: formatAddress(bytesOf(batch.source), i * 16),
  localPort: sourcePortOf(batch, i),
  remote: formatAddress(bytesOf(batch.destination), i * 16),
  remotePort: destinationPortOf(batch, i),
  tx: wide(batch.txBytesLow[i]!, batch.txBytesHigh[i]!),
  rx: wide(batch.rxBytesLow[i]!, batch.rxBytesHigh[i]!),
  error: errorOf(batch, i),
  end: endOf(batch, i),
  pid: batch.pid[i]!,
  comm: commOf(batch, i),
  latencyUs: batch.latencyUs[i]!,
  durationNs: wide(batch.durationLow[i]!, batch.durationHigh[i]!),
  ts: wide(batch.tsLow[i]!, batch.tsHigh[i]!),
  newState: newStateOf(batch, i),
});
type Row = ReturnType<typeof read>;

/** Answers each connection, whose first 8 bytes say how many follow and how many to send back. */
const SERVER = `
const server = net.createServer({ allowHalfOpen: true }, (socket) => {
  let got = 0, want = -1, answer = 0;
  socket.on("error", () => {});
  socket.on("data", (data) => {
    if (want < 0) { want = data.readUInt32LE(0); answer = data.readUInt32LE(4); }
    got += data.length;
    if (got === want + 8) socket.end(Buffer.alloc(answer, 7));
  });
});
server.listen(0, "::", () => console.log(JSON.stringify({ port: server.address().port })));`;

const CLIENT = `
const done = [];
for (const { address, send, receive } of input.connections) {
  const socket = net.connect({ port: input.port, host: address });
  let got = 0;
  socket.on("data", (data) => { got += data.length; });
  const head = Buffer.alloc(8); head.writeUInt32LE(send, 0); head.writeUInt32LE(receive, 4);
  socket.write(Buffer.concat([head, Buffer.alloc(send, 1)]));
  await once(socket, "connect");
  const port = socket.localPort;
  await once(socket, "close");
  done.push({ port, sent: send + 8, got });
}
console.log(JSON.stringify({ pid: process.pid, done }));`;

describe("TCP connections between namespaces", () => {
  let world: World;
  let source: EbpfSource;
  const seen = new Rows("connections", read);
  const rowsOf = (type: number, netns: number) => seen.rows.filter((row) => row.type === type && row.netns === netns);

  beforeAll(async () => {
    world = new World("t");
    world.sysctl("client", "net.ipv4.tcp_syn_retries=2", "net.ipv4.tcp_syn_linear_timeouts=0");
    world.nft(
      "server",
      "add table inet t; add chain inet t in { type filter hook input priority 0; }; add rule inet t in tcp dport 81 drop",
    );
    source = new EbpfSource({ sink: seen.take, namespaces: world.inodes });
    await source.start(new AbortController().signal);
  });
  afterAll(async () => {
    await source[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });

  test("each is reported as opened and closed by both ends, over IPv4 and IPv6, with exactly the bytes that the programs wrote and read", async () => {
    const { port, stop } = await world.serve<{ port: number }>("server", SERVER);
    const connections = Array.from({ length: 40 }, (_, i) => ({
      address: i % 2 === 0 ? ADDRESS.server.v4 : ADDRESS.server.v6,
      send: (i * 7919) % 100_000,
      receive: (i * 104_729) % 300_000,
    }));
    const { pid, done } = await world.node<{ pid: number; done: { port: number; sent: number; got: number }[] }>(
      "client",
      CLIENT,
      { port, connections },
    );
    const client = world.inode("client");
    const server = world.inode("server");
    await until(
      "80 closes",
      () => rowsOf(EventType.close, client).length >= 40 && rowsOf(EventType.close, server).length >= 40,
    );
    source.flush();
    for (const [netns, direction] of [
      [client, 2],
      [server, 1],
    ] as const) {
      expect(rowsOf(EventType.open, netns)).toHaveLength(40);
      expect(rowsOf(EventType.close, netns)).toHaveLength(40);
      expect(rowsOf(EventType.close, netns).every((row) => row.direction === direction && row.error === 0)).toBe(true);
    }
    for (const [i, { port: localPort, sent, got }] of done.entries()) {
      const near = rowsOf(EventType.close, client).find((row) => row.localPort === localPort)!;
      const far = rowsOf(EventType.close, server).find((row) => row.remotePort === localPort)!;
      const address = connections[i]!.address;
      expect(near).toMatchObject({
        remote: address,
        remotePort: port,
        tx: sent,
        rx: got,
        family: i % 2 === 0 ? 4 : 6,
        pid,
        end: "remote-first",
      });
      expect(far).toMatchObject({
        local: address,
        localPort: port,
        tx: got,
        rx: sent,
        family: i % 2 === 0 ? 4 : 6,
        end: "local-first",
      });
      expect(near.durationNs).toBeGreaterThan(0);
    }
    const opened = rowsOf(EventType.open, client);
    expect(opened.every((row) => row.latencyUs > 0 && row.pid === pid && row.comm !== "")).toBe(true);
    expect(Math.abs(opened[0]!.ts / 1e6 - Date.now())).toBeLessThan(60_000);
    const listening = rowsOf(EventType.listen, server).filter((row) => row.localPort === port);
    expect(listening.map((row) => row.newState)).toContain(10);
    await stop();
    await until("the end of listening", () =>
      rowsOf(EventType.listen, server).some((row) => row.localPort === port && row.newState === 7),
    );
  });

  test("failures carry the errno that the program saw: refused, unreachable, timed out, given up", async () => {
    const targets = [
      { address: ADDRESS.server.v4, port: 9, want: "ECONNREFUSED", error: 111 },
      { address: ADDRESS.server.v6, port: 9, want: "ECONNREFUSED", error: 111 },
      { address: ADDRESS.nobody.v4, port: 80, want: "EHOSTUNREACH", error: 113 },
      { address: ADDRESS.server.v4, port: 81, want: "ETIMEDOUT", error: 110 },
      { address: ADDRESS.server.v4, port: 81, patienceMs: 100, want: "gave up", error: 0 },
    ];
    const before = rowsOf(EventType.fail, world.inode("client")).length;
    const saw = await world.node<string[]>(
      "client",
      `
const outcome = ({ address, port, patienceMs }) => new Promise((resolve) => {
  const socket = net.connect({ host: address, port });
  if (patienceMs) setTimeout(() => { socket.destroy(); resolve("gave up"); }, patienceMs);
  socket.on("error", (error) => resolve(error.code));
});
const saw = [];
for (const target of input) saw.push(await outcome(target));
console.log(JSON.stringify(saw));`,
      targets,
    );
    expect(saw).toEqual(targets.map(({ want }) => want));
    await until("five failures", () => rowsOf(EventType.fail, world.inode("client")).length >= before + 5);
    const failed = rowsOf(EventType.fail, world.inode("client")).slice(before);
    expect(
      failed.map(({ remote, remotePort, error, direction }) => ({ remote, remotePort, error, direction })),
    ).toEqual(targets.map(({ address, port, error }) => ({ remote: address, remotePort: port, error, direction: 2 })));
  });

  test("a connection that is reset says so on the side that was cut off", async () => {
    const { port, stop } = await world.serve<{ port: number }>(
      "server",
      `const server = net.createServer((socket) => socket.once("data", () => socket.resetAndDestroy()));
       server.listen(0, "::", () => console.log(JSON.stringify({ port: server.address().port })));`,
    );
    const close = (row: Row) => row.type === EventType.close && (row.localPort === port || row.remotePort === port);
    await world.node(
      "client",
      `const s = net.connect(input.port, "${ADDRESS.server.v4}"); s.write("x"); s.on("error", () => {}); s.on("close", () => console.log("{}"));`,
      { port },
    );
    await until("both closes", () => seen.rows.filter(close).length === 2);
    const ends = Object.fromEntries(
      seen.rows.filter(close).map((row) => [row.netns === world.inode("client") ? "client" : "server", row.end]),
    );
    expect(ends).toEqual({ client: "reset", server: "aborted" });
    await stop();
  });

  test("a connection that was open before the start is found by the sweep, with its side, its owner and its bytes", async () => {
    const { port, stop } = await world.serve<{ port: number }>(
      "server",
      `const server = net.createServer((socket) => { socket.on("error", () => {}); socket.write("welcome"); });
       server.listen(0, "::", () => console.log(JSON.stringify({ port: server.address().port })));`,
    );
    const held = await world.serve<{ pid: number; port: number }>(
      "client",
      `const s = net.connect(input.port, input.address); s.write("hello, server"); await once(s, "data");
       console.log(JSON.stringify({ pid: process.pid, port: s.localPort }));`,
      { port, address: ADDRESS.server.v6 },
    );
    const found = new Rows("connections", read);
    const late = new EbpfSource({ sink: found.take, namespaces: world.inodes });
    await late.start(new AbortController().signal);
    const sweep = (netns: number) =>
      found.rows.find(
        (row) => row.type === EventType.sweep && row.netns === netns && [row.localPort, row.remotePort].includes(port),
      );
    expect(sweep(world.inode("client"))).toMatchObject({
      direction: 2,
      localPort: held.port,
      tx: 13,
      rx: 7,
      pid: held.pid,
    });
    expect(sweep(world.inode("server"))).toMatchObject({ direction: 1, remotePort: held.port, tx: 7, rx: 13 });
    expect(found.rows.some((row) => row.type === EventType.listen && row.localPort === port && row.pid !== 0)).toBe(
      true,
    );
    await held.stop();
    const closed = (netns: number) => found.rows.find((row) => row.type === EventType.close && row.netns === netns);
    await until("the close", () => closed(world.inode("client")) !== undefined);
    expect(closed(world.inode("client"))).toMatchObject({ direction: 2, tx: 13, rx: 7 });
    await late[Symbol.asyncDispose]();
    await stop();
  });

  test("of connections that come and go while sweeps run, each end is told of or counted once, and none is swept behind its end", async () => {
    const COUNT = 2000;
    const ends = new Map<string, number>();
    let sweptAfterEnd = 0;
    const rows = new Rows("connections", (batch: ConnColumns, i: number) => {
      const socket = `${batch.cookieHigh[i]}:${batch.cookieLow[i]}`;
      if (typeOf(batch, i) === EventType.close) ends.set(socket, (ends.get(socket) ?? 0) + 1);
      if (typeOf(batch, i) === EventType.sweep && ends.has(socket)) sweptAfterEnd++;
      return typeOf(batch, i);
    });
    await using sweeping = new EbpfSource({ sink: rows.take, namespaces: world.inodes, sweepMs: 3_600_000 });
    await sweeping.start(new AbortController().signal);
    const { port, stop } = await world.serve<{ port: number }>(
      "server",
      `net.createServer((s) => { s.on("error", () => {}); s.end("x"); }).listen(0, "::", function () { console.log(JSON.stringify({ port: this.address().port })); });`,
    );
    let done = false;
    const work = world
      .node(
        "client",
        `let left = ${COUNT};
         const one = async () => { while (left-- > 0) { const s = net.connect(input.port, "${ADDRESS.server.v4}"); s.resume(); s.on("error", () => {}); await once(s, "close"); } };
         await Promise.all(Array.from({ length: 20 }, one)); console.log("{}");`,
        { port },
      )
      .finally(() => (done = true));
    while (!done) {
      sweeping.sweep();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await work;
    await stop();
    const closes = () => sweeping.counters().rows.filter(({ type }) => type === EventType.close);
    const sum = (field: "decoded" | "lost") => closes().reduce((total, row) => total + row[field], 0);
    await until("every end", () => {
      sweeping.sweep();
      sweeping.flush();
      return sum("decoded") + sum("lost") >= 2 * COUNT;
    });
    expect(sum("decoded") + sum("lost")).toBe(2 * COUNT);
    expect(sum("decoded")).toBe(ends.size); // none twice
    expect(sweptAfterEnd).toBe(0);
    expect(rows.rows.filter((type) => type === EventType.sweep).length).toBeGreaterThan(0);
  });

  test("what is not in a listed namespace is neither sent nor counted, and the books balance", async () => {
    const ours = new Set(world.inodes);
    expect(seen.rows.every((row) => ours.has(row.netns))).toBe(true);
    await source[Symbol.asyncDispose]();
    for (const { cpu, type, produced, lost, decoded } of source.counters().rows)
      expect({ cpu, type, missing: produced - lost - decoded }).toEqual({ cpu, type, missing: 0 });
    expect(source.counters()).toMatchObject({ malformed: 0 });
  });
});
