import { createSocket, type SocketType } from "node:dgram";
import { ZONE } from "../shop.ts";
import { decodeAnswer, decodeQuery, encodeAnswer, encodeQuery } from "./dns-message.ts";

/** How long a look-up waits for its answer, as resolvers do before they ask the next server. */
const LOOKUP_LIMIT_MS = 3000;

/** Serves the shop's zone on UDP port 53 of both families. Resolves when both listen. */
export async function serveDns(port: number): Promise<void> {
  await Promise.all((["udp4", "udp6"] as const).map((type) => serve(type, port)));
}

async function serve(type: SocketType, port: number): Promise<void> {
  const socket = createSocket({ type, ipv6Only: type === "udp6" });
  socket.on("message", (query, peer) => {
    const question = decodeQuery(query);
    if (question === undefined) return;
    const known = ZONE[question.name];
    const addresses = known === undefined ? undefined : question.type === "A" ? known.v4 : known.v6;
    socket.send(encodeAnswer(query, question.end, addresses), peer.port, peer.address);
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(port, resolve);
  });
}

/** Takes datagrams on `port` (IPv4) into a receive buffer of a few KB, so that a salvo finds it full (SOCKET_RCVBUFF). */
export async function serveSink(port: number): Promise<void> {
  const socket = createSocket({ type: "udp4", recvBufferSize: 4096 });
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(port, resolve);
  });
}

export interface LookupResult {
  /** A response code, `TIMEOUT` or `UNREACHABLE`. */
  readonly rcode: string;
  readonly addresses: readonly string[];
}

let nextId = 1;
let nextPort = 0;

/**
 * A port of its own for every exchange, none twice within an hour. The kernel's random choice would now and then take one again,
 * and two exchanges between the same addresses and ports are one conversation to everybody who watches.
 */
export function freshUdpPort(): number {
  return 32_768 + (nextPort++ % 28_000);
}

/** Asks `server` once, from a port of its own, as resolvers do. Never throws: what went wrong is in `rcode`. */
export async function lookUp(server: string, name: string, type: "A" | "AAAA"): Promise<LookupResult> {
  const socket = createSocket(server.includes(":") ? "udp6" : "udp4");
  const id = nextId++ & 0xffff;
  const query = encodeQuery({ id, name, type });
  return await new Promise((resolve) => {
    let answered = false;
    const finish = (result: LookupResult) => {
      if (answered) return;
      answered = true;
      clearTimeout(timer);
      socket.close();
      resolve(result);
    };
    // One turn later: a program that was kept waiting for the CPU first hears what has arrived meanwhile.
    const timer = setTimeout(() => setImmediate(finish, { rcode: "TIMEOUT", addresses: [] }), LOOKUP_LIMIT_MS);
    socket.once("error", () => finish({ rcode: "UNREACHABLE", addresses: [] }));
    socket.on("message", (bytes) => {
      const answer = decodeAnswer(bytes, query.length);
      if (answer.id === id) finish(answer);
    });
    socket.bind(freshUdpPort(), () => socket.connect(53, server, () => socket.send(query)));
  });
}
