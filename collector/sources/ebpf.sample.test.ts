/** Leaving out connections under load: whole ones, both ends alike, each event counted; real connections between real namespaces. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import {
  EventType,
  destinationPortOf,
  directionOf,
  familyOf,
  sourcePortOf,
  typeOf,
  type Batch,
} from "../decode/columns.ts";
import { EbpfSource } from "./ebpf.ts";
import { ADDRESS, until, World } from "./ebpf.world.ts";

const SERVER = `
const server = net.createServer((socket) => { socket.on("data", () => socket.end("bye")); socket.on("error", () => {}); });
server.listen({ port: 8080, host: "::" }, () => console.log("{}"));`;

/** Connects, asks, is answered and closed: \`connections\` times, eight at once; prints the ports that were used. */
const CLIENT = `
const ports = [];
const one = (address) => new Promise((done) => {
  const socket = net.connect(8080, address, () => { ports.push(socket.localPort); socket.write("hello"); });
  socket.on("error", (error) => { throw error; });
  socket.on("data", () => {}).on("close", done);
});
let next = 0;
await Promise.all(Array.from({ length: 8 }, async () => { while (next < input.connections) await one(input.addresses[next++ % input.addresses.length]); }));
console.log(JSON.stringify(ports));`;

/** Connects and stays; closes when its input does. */
const HOLDER = `
const sockets = await Promise.all(Array.from({ length: input.connections }, () => new Promise((done) => { const socket = net.connect(8080, input.address, () => done(socket)); })));
console.log(JSON.stringify({ ports: sockets.map((socket) => socket.localPort) }));`;

const UDP = `
const sockets = Array.from({ length: input.conversations }, () => dgram.createSocket("udp4"));
for (const port of input.ports ?? []) { const socket = dgram.createSocket("udp4"); await new Promise((done) => socket.bind(port, done)); sockets.push(socket); }
for (const socket of sockets) for (let i = 0; i < input.packets; i++) await new Promise((done) => socket.send("x", 9000, input.address, done));
const ports = sockets.map((socket) => socket.address().port);
console.log(JSON.stringify(ports));
process.exit(0);`;

const IDLE_MS = 500;

describe("connections that are left out", () => {
  let world: World;
  let source: EbpfSource;
  let events: {
    readonly type: number;
    readonly port: number;
    readonly family: number;
    readonly end: string;
    readonly packets: number;
  }[] = [];
  const take = (batch: Batch) => {
    if (batch.kind !== "connections" && batch.kind !== "conversations") return;
    for (let i = 0; i < batch.length; i++) {
      const isClient = directionOf(batch, i) === 2;
      events.push({
        type: typeOf(batch, i),
        port: isClient ? sourcePortOf(batch, i) : destinationPortOf(batch, i),
        family: familyOf(batch, i),
        end: isClient ? "client" : "server",
        packets: batch.kind === "conversations" ? batch.txPackets[i]! + batch.rxPackets[i]! : 0,
      });
    }
  };
  /** What the kernel counted of `type` since the test began. */
  let before = new Map<number, { produced: number; shed: number; decoded: number; lost: number }>();
  const sums = () => {
    const all: typeof before = new Map();
    for (const { type, produced, shed, decoded, lost } of source.counters().rows) {
      const sum = all.get(type) ?? { produced: 0, shed: 0, decoded: 0, lost: 0 };
      all.set(type, {
        produced: sum.produced + produced,
        shed: sum.shed + shed,
        decoded: sum.decoded + decoded,
        lost: sum.lost + lost,
      });
    }
    return all;
  };
  const since = (type: number) => {
    const now = sums().get(type)!;
    const was = before.get(type) ?? { produced: 0, shed: 0, decoded: 0, lost: 0 };
    return { produced: now.produced - was.produced, shed: now.shed - was.shed };
  };

  beforeAll(async () => {
    world = new World("s");
    source = new EbpfSource({ sink: take, namespaces: world.inodes, sweepMs: 3_600_000, unansweredIdleMs: IDLE_MS });
    await source.start(new AbortController().signal);
    await world.serve("server", SERVER);
    source.flush();
    events = [];
    before = sums();
  });
  afterEach(() => {
    source.keep(1);
    source.flush();
    for (const { produced, shed, decoded, lost } of sums().values()) expect(produced).toBe(decoded + shed + lost);
    events = [];
    before = sums();
  });
  afterAll(async () => {
    await source?.[Symbol.asyncDispose]();
    await world?.[Symbol.asyncDispose]();
  });

  test("are left out at both ends, from open to close, and every event of them is counted", async () => {
    source.keep(0.4);
    const connections = 500;
    const addresses = [ADDRESS.server.v4, ADDRESS.server.v6];
    const ports = await world.node<number[]>("client", CLIENT, { connections, addresses });
    await until("all of them closed", () => {
      source.flush();
      return since(EventType.close).produced === 2 * connections;
    });
    // a port may serve once for each family
    const byPort = Map.groupBy(events, ({ port, family }) => `${port}/${family}`);
    const whole = [
      `${EventType.open} client`,
      `${EventType.open} server`,
      `${EventType.close} client`,
      `${EventType.close} server`,
    ].toSorted();
    for (const [port, list] of byPort) {
      expect(ports).toContain(list[0]!.port);
      expect(list.map(({ type, end }) => `${type} ${end}`).toSorted(), `port ${port}`).toEqual(whole);
    }
    expect(since(EventType.open)).toEqual({ produced: 2 * connections, shed: 2 * (connections - byPort.size) });
    expect(since(EventType.close)).toEqual({ produced: 2 * connections, shed: 2 * (connections - byPort.size) });
    expect(byPort.size).toBeGreaterThan(connections * 0.25); // 0.4: eight standard deviations to either side
    expect(byPort.size).toBeLessThan(connections * 0.55);
  });

  test("keep the fate that they had when they opened", async () => {
    const told = await world.serve<{ ports: number[] }>("client", HOLDER, {
      connections: 20,
      address: ADDRESS.server.v4,
    });
    source.keep(0);
    const hidden = await world.serve<{ ports: number[] }>("client", HOLDER, {
      connections: 20,
      address: ADDRESS.server.v4,
    });
    await told.stop();
    await until("the first twenty closed", () => {
      source.flush();
      return since(EventType.close).produced >= 40;
    });
    source.keep(1);
    await hidden.stop();
    await until("the others closed", () => {
      source.flush();
      return since(EventType.close).produced >= 80;
    });
    expect(since(EventType.open)).toEqual({ produced: 80, shed: 40 });
    expect(since(EventType.close)).toEqual({ produced: 80, shed: 40 });
    expect(new Set(events.map(({ port }) => port))).toEqual(new Set(told.ports));
  });

  test("are told of by the sweep once there is room again, and by their close then", async () => {
    source.keep(0);
    const held = await world.serve<{ ports: number[] }>("client", HOLDER, {
      connections: 5,
      address: ADDRESS.server.v6,
    });
    source.flush();
    source.sweep();
    expect(events.filter(({ type }) => type === EventType.sweep)).toEqual([]);
    source.keep(1);
    source.sweep();
    expect(events.filter(({ type, end }) => type === EventType.sweep && end === "client")).toHaveLength(5);
    await held.stop();
    await until("they closed", () => {
      source.flush();
      return since(EventType.close).produced >= 10;
    });
    expect(since(EventType.close)).toEqual({ produced: 10, shed: 0 });
  });

  test("of UDP are counted by packet, and forgotten when they fall silent", async () => {
    source.keep(0.5);
    const [conversations, packets] = [200, 3];
    const shedBefore = source.counters().packetsShed;
    const ports = await world.node<number[]>("client", UDP, { conversations, packets, address: ADDRESS.server.v4 });
    source.flush();
    const kept = new Set(events.filter(({ port, end }) => end === "client" && ports.includes(port)).map((e) => e.port));
    const counted = events.filter(({ port, end }) => end === "client" && kept.has(port));
    expect(counted.reduce((sum, event) => sum + event.packets, 0)).toBe(kept.size * packets);
    expect(source.counters().packetsShed - shedBefore).toBe((conversations - kept.size) * packets);
    expect(kept.size).toBeGreaterThan(50);
    expect(kept.size).toBeLessThan(150);
    source.keep(1);
    const hidden = ports.filter((port) => !kept.has(port));
    const silentUntil = performance.now() + 2 * IDLE_MS;
    await until("the silence after which a conversation is over", () => performance.now() > silentUntil);
    source.flush(); // forgets them
    events = [];
    await world.node("client", UDP, { conversations: 0, packets, address: ADDRESS.server.v4, ports: hidden });
    source.flush();
    const again = events.filter(({ end }) => end === "client");
    expect(new Set(again.map(({ port }) => port))).toEqual(new Set(hidden));
    expect(again.reduce((sum, event) => sum + event.packets, 0)).toBe(hidden.length * packets);
  });
});
