import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer, type WebSocket } from "ws";
import { parseFilter } from "../../model/filter/parse.ts";
import { LiveRequest, MAX_CLIENT_MESSAGE_BYTES, MAX_SUBSCRIPTIONS } from "../../model/wire/live.ts";
import { Client, slowLimit } from "./client.ts";
import { UpstreamPool } from "./pool.ts";

const MAX_CLIENTS = 2000;
const PING_MS = 30_000;
/** Pieces of one message: browsers send one. */
const MAX_FRAGMENTS = 64;

export interface Gateway {
  /** Browsers that are connected. */
  readonly clients: number;
  /** Flows that browsers did not get since the start: dropped at the collector or here. */
  readonly missed: number;
  /** Takes over an upgrade request for `/ws` whose Origin has been checked. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  close(): Promise<void>;
}

/**
 * Browser ws ↔ the collector's ws on its unix socket. Upstream connections are shared; each browser's subscriptions go up with
 * their filter under a name of their own, so that filtering happens at the source and nothing is sent in vain.
 */
export function openGateway(collectorSocket: string): Gateway {
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_CLIENT_MESSAGE_BYTES,
    maxFragments: MAX_FRAGMENTS,
    perMessageDeflate: false,
    autoPong: false, // the client answers them, while it reads
    clientTracking: true,
  });
  const clients = new Map<string, Client>();
  const limit = (): number => slowLimit(clients.size);
  let missedBefore = 0; // at the collector, and by browsers that have left
  const upstream = new UpstreamPool(collectorSocket, {
    flows: (id, flows, missed) => {
      missedBefore += missed;
      clientOf(clients, id)?.flows(id, flows, missed);
    },
    pulse: (text) => {
      for (const client of clients.values()) client.pulse(text);
    },
    problem: (id, message) => {
      if (id === undefined) for (const client of clients.values()) client.problem(undefined, message);
      else clientOf(clients, id)?.problem(id, message);
    },
  });
  let nextClient = 0;
  const pinging = setInterval(() => {
    for (const client of clients.values()) client.ping();
  }, PING_MS);
  pinging.unref();

  const welcome = (ws: WebSocket): void => {
    const client = new Client(ws, `c${nextClient++}`, limit);
    clients.set(client.name, client);
    upstream.wanted(clients.size > 0);
    if (upstream.missing !== undefined) client.problem(undefined, upstream.missing);
    ws.on("message", (data, binary) => {
      if (binary) return client.problem(undefined, "the live stream takes text, not bytes");
      take(client, data.toString(), upstream);
    });
    ws.on("error", () => ws.terminate());
    ws.on("close", () => {
      clients.delete(client.name);
      missedBefore += client.dropped;
      for (const id of client.end()) upstream.forget(id);
      upstream.wanted(clients.size > 0);
    });
  };

  return {
    get clients() {
      return clients.size;
    },
    get missed() {
      let missed = missedBefore;
      for (const client of clients.values()) missed += client.dropped;
      return missed;
    },
    accept(request, socket, head) {
      if (clients.size >= MAX_CLIENTS) {
        socket.end("HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\n\r\n");
        return;
      }
      server.handleUpgrade(request, socket, head, welcome);
    },
    async close() {
      clearInterval(pinging);
      upstream.close();
      for (const ws of server.clients) ws.terminate();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function clientOf(clients: ReadonlyMap<string, Client>, id: string): Client | undefined {
  return clients.get(id.slice(0, id.indexOf(".")));
}

/** One message of a browser. A wrong one is answered with a sentence and changes nothing. */
function take(client: Client, text: string, upstream: UpstreamPool): void {
  const parsed = LiveRequest.safeParse(jsonOf(text));
  if (!parsed.success)
    return client.problem(
      undefined,
      "this is no request of the live stream; expected subscribe, unsubscribe, pause or resume with an id",
    );
  const request = parsed.data;
  const upstreamId = `${client.name}.${request.id}`;
  if (request.type === "subscribe") {
    const { problems } = parseFilter(request.filter);
    if (problems.length > 0) return client.problem(upstreamId, problems[0]!.message);
    if (!client.has(upstreamId) && client.size >= MAX_SUBSCRIPTIONS)
      return client.problem(upstreamId, `a page has at most ${MAX_SUBSCRIPTIONS} live subscriptions`);
    client.add(upstreamId);
    upstream.subscribe({ ...request, id: upstreamId });
  } else if (!client.has(upstreamId)) {
    client.problem(upstreamId, `there is no subscription “${request.id}”`);
  } else if (request.type === "unsubscribe") {
    client.remove(upstreamId);
    upstream.forget(upstreamId);
  } else upstream.setPaused(upstreamId, request.type === "pause");
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // fails the schema, which is answered
  }
}
