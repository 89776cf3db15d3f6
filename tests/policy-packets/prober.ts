/**
 * The program of the packet test, started as a process of its own: it listens and asks in every namespace. A socket stays in the
 * namespace in which it was made, so one thread that goes from one to the next (setns) holds them all.
 * In, over ipc: `{names, round?}`; out: `{ready}`, then `{answered: [probe numbers]}` as answers come.
 */
import { once } from "node:events";
import { createSocket, type Socket } from "node:dgram";
import { openSync } from "node:fs";
import { connect, createServer, type Socket as Stream } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import koffi from "koffi";
import { ENDS, PORTS, PROBES } from "./people.ts";

/** What the test tells. `ask` sends every probe anew, on new sockets; `quiet` ends those that are still waiting. */
export type ProberOrder = { readonly type: "ask"; readonly round: number } | { readonly type: "quiet" };
export type ProberNotice =
  | { readonly type: "ready" }
  | { readonly type: "asked"; readonly round: number }
  | { readonly type: "answered"; readonly round: number; readonly probes: readonly number[] }
  /** A probe that came to its listener, whether or not its answer went home. */
  | { readonly type: "arrived"; readonly round: number; readonly probes: readonly number[] };

const CLONE_NEWNET = 0x40000000;
const setns = koffi.load("libc.so.6").func("int setns(int fd, int type)");
const namespaces = process.argv.slice(2).map((name) => openSync(`/run/netns/${name}`, "r"));
/** Bytes of a probe: its round and its number. */
const PROBE_BYTES = 8;

let round = 0;
let waiting: Stream[] = [];
let asking: Socket[] = [];
const news = { answered: new Set<number>(), arrived: new Set<number>() };

for (const [i] of ENDS.entries()) {
  enter(i);
  await Promise.all(PORTS.flatMap((port) => [listenTcp(port), listenUdp(port, "udp4"), listenUdp(port, "udp6")]));
}
process.on("message", (order: ProberOrder) => void (order.type === "ask" ? ask(order.round) : quiet()));
process.on("disconnect", () => process.exit());
setInterval(tell, 20);
say({ type: "ready" });

async function ask(number: number): Promise<void> {
  quiet();
  round = number;
  for (const [from] of ENDS.entries()) {
    enter(from);
    const udp = { v4: createSocket("udp4"), v6: createSocket({ type: "udp6", ipv6Only: true }) };
    for (const socket of [udp.v4, udp.v6]) {
      asking.push(socket);
      socket.on("message", (bytes) => note("answered", bytes));
      socket.bind();
      await once(socket, "listening");
    }
    for (const [id, probe] of PROBES.entries()) {
      if (probe.from !== from) continue;
      const host = ENDS[probe.to]![probe.family];
      if (probe.protocol === "UDP") udp[probe.family].send(encode(id), probe.port, host);
      else {
        const stream = connect({ host, port: probe.port });
        waiting.push(stream);
        stream.on("error", () => undefined); // counts as unanswered
        stream.on("connect", () => stream.write(encode(id)));
        stream.on("data", (bytes) => {
          note("answered", bytes);
          stream.destroy();
        });
      }
    }
    await turn(); // sockets are made on the next tick, and must be made here
  }
  say({ type: "asked", round });
}

function quiet(): void {
  for (const stream of waiting) stream.destroy();
  for (const socket of asking) socket.close();
  waiting = [];
  asking = [];
}

async function listenTcp(port: number): Promise<void> {
  const server = createServer((stream) => {
    stream.on("error", () => undefined); // the other end is gone
    stream.on("data", (bytes) => {
      note("arrived", bytes);
      stream.end(bytes);
    });
  });
  server.listen({ host: "::", port, backlog: 256 });
  await once(server, "listening");
}

async function listenUdp(port: number, type: "udp4" | "udp6"): Promise<void> {
  const socket = createSocket({ type, ipv6Only: type === "udp6" });
  socket.on("message", (bytes, from) => {
    note("arrived", bytes);
    socket.send(bytes, from.port, from.address);
  });
  socket.bind({ port, address: type === "udp4" ? "0.0.0.0" : "::" });
  await once(socket, "listening");
}

function enter(end: number): void {
  if (setns(namespaces[end]!, CLONE_NEWNET) !== 0) throw new Error(`setns: errno ${koffi.errno()}`);
}

function encode(id: number): Buffer {
  const bytes = Buffer.alloc(PROBE_BYTES);
  bytes.writeUInt32LE(round, 0);
  bytes.writeUInt32LE(id, 4);
  return bytes;
}

function note(what: keyof typeof news, bytes: Buffer): void {
  if (bytes.length === PROBE_BYTES && bytes.readUInt32LE(0) === round) news[what].add(bytes.readUInt32LE(4));
}

function tell(): void {
  for (const type of ["arrived", "answered"] as const) {
    if (news[type].size === 0) continue;
    say({ type, round, probes: [...news[type]] });
    news[type].clear();
  }
}

function say(notice: ProberNotice): void {
  process.send!(notice);
}
