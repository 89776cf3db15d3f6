/**
 * The collector's door: HTTP and ws on a unix socket. `GET /health`, `/metrics`, `/healthz`, `/readyz`, `ws /live` (model/wire/live.ts).
 * Who is slow loses flows, never memory: a subscription holds at most MAX_WAITING flows, a connection at most MAX_BUFFERED bytes;
 * what is not sent is counted and told with the next message.
 */
import { chmod, mkdir, unlink } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { connect } from "node:net";
import { dirname } from "node:path";
import { WebSocketServer, type WebSocket } from "ws";
import { systemCode, WeirError } from "../../model/errors.ts";
import { FLOW_KINDS, type Flow, type FlowKind } from "../../model/flow.ts";
import { parseFilter } from "../../model/filter/parse.ts";
import { LiveRequest, MAX_CLIENT_MESSAGE_BYTES, MAX_SUBSCRIPTIONS, type LiveMessage } from "../../model/wire/live.ts";
import { WIRE_HEADER, WIRE_VERSION } from "../../model/wire/version.ts";
import { answerHealth, type HealthPages } from "../health/door.ts";
import type { FlowRows } from "../rows/flow-rows.ts";
import { flowOf } from "../rows/flow-of.ts";
import { compileRowFilter, type RowNames, type RowTest } from "./filter.ts";

const MAX_WAITING = 500;
/** Flows sent at a time, shared by all subscriptions: many that ask for everything take from each other, and not from one that asks for little. */
const MAX_AT_A_TIME = 5000;
const LEAST_SHARE = 10;
const MAX_BUFFERED = 1 << 20;
const MAX_CLIENTS = 256;
const MAX_FRAGMENTS = 64;
const SEND_EVERY_MS = 100;

interface Subscription {
  readonly id: string;
  readonly test: RowTest;
  /** Bit i: flows of kind i. */
  readonly kinds: number;
  paused: boolean;
  waiting: Flow[];
  missed: number;
}

interface Client {
  readonly socket: WebSocket;
  readonly subscriptions: Map<string, Subscription>;
}

export interface HubPages extends HealthPages {
  readonly health: () => unknown;
}

export class LiveHub implements AsyncDisposable {
  readonly #path: string;
  readonly #pages: HubPages;
  readonly #names: RowNames;
  readonly #clients = new Set<Client>();
  #server: Server | undefined;
  #ws: WebSocketServer | undefined;
  #timer: NodeJS.Timeout | undefined;
  missed = 0;

  constructor(path: string, names: RowNames, pages: HubPages) {
    this.#path = path;
    this.#names = names;
    this.#pages = pages;
  }

  get clients(): number {
    return this.#clients.size;
  }

  get subscriptions(): number {
    let count = 0;
    for (const client of this.#clients) count += client.subscriptions.size;
    return count;
  }

  /** Listens. A socket file that nobody answers at is replaced; throws WeirError when somebody does. */
  async start(): Promise<void> {
    await mkdir(dirname(this.#path), { recursive: true, mode: 0o755 });
    await freePath(this.#path);
    const limits = { headersTimeout: 10_000, requestTimeout: 10_000, connectionsCheckingInterval: 2000 };
    const server = createServer(limits, (request, response) => void this.#answer(request, response));
    const ws = new WebSocketServer({
      noServer: true,
      maxPayload: MAX_CLIENT_MESSAGE_BYTES,
      maxFragments: MAX_FRAGMENTS,
      perMessageDeflate: false,
      autoPong: false, // answered below, while the client reads
    });
    ws.on("headers", (headers) => headers.push(`${WIRE_HEADER}: ${WIRE_VERSION}`));
    server.on("upgrade", (request, socket, head) => {
      if (request.url !== "/live" || this.#clients.size >= MAX_CLIENTS) {
        socket.end(`HTTP/1.1 ${request.url === "/live" ? "503 Service Unavailable" : "404 Not Found"}\r\n\r\n`);
        return;
      }
      ws.handleUpgrade(request, socket, head, (client) => this.#accept(client));
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", (cause) =>
        reject(
          new WeirError({
            code: "cannot-listen",
            where: this.#path,
            what: `the socket cannot be made (${systemCode(cause) ?? cause.message})`,
            next: "choose another with WEIR_COLLECTOR_SOCKET",
            cause,
          }),
        ),
      );
      server.listen(this.#path, resolve);
    });
    await chmod(this.#path, 0o660); // owner and group: the app runs as an ordinary user of that group
    this.#server = server;
    this.#ws = ws;
    this.#timer = setInterval(() => this.#sendAll(), SEND_EVERY_MS);
  }

  /** Hands settled rows to whoever asked for them. Costs nothing while nobody did. */
  publish(rows: FlowRows): void {
    const share = Math.max(LEAST_SHARE, Math.min(MAX_WAITING, MAX_AT_A_TIME / Math.max(1, this.subscriptions)));
    for (const client of this.#clients) {
      for (const subscription of client.subscriptions.values()) {
        if (subscription.paused) continue;
        for (let row = 0; row < rows.length; row++) {
          if ((subscription.kinds & (1 << rows.kind[row]!)) === 0 || !subscription.test(rows, row)) continue;
          if (subscription.waiting.length >= share) subscription.missed++;
          else
            subscription.waiting.push(
              flowOf(rows, row, this.#names.reporter, this.#names.identities, this.#names.strings),
            );
        }
      }
    }
  }

  /** Sends a pulse to everybody who can take it. */
  pulse(message: Extract<LiveMessage, { type: "pulse" }>): void {
    if (this.#clients.size === 0) return;
    const text = JSON.stringify(message);
    for (const { socket } of this.#clients) if (socket.bufferedAmount < MAX_BUFFERED) socket.send(text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    for (const { socket } of this.#clients) socket.close(1001, "the collector ends");
    this.#ws?.close();
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
      for (const { socket } of this.#clients) socket.terminate();
    });
  }

  #sendAll(): void {
    for (const client of this.#clients) {
      const slow = client.socket.bufferedAmount > MAX_BUFFERED;
      for (const subscription of client.subscriptions.values()) {
        if (subscription.waiting.length === 0 && subscription.missed === 0) continue;
        if (slow) {
          subscription.missed += subscription.waiting.length;
          subscription.waiting = [];
          continue;
        }
        this.#send(client, {
          type: "flows",
          id: subscription.id,
          flows: subscription.waiting,
          missed: subscription.missed,
        });
        this.missed += subscription.missed;
        subscription.waiting = [];
        subscription.missed = 0;
      }
    }
  }

  #send(client: Client, message: LiveMessage): void {
    if (message.type === "problem" && client.socket.bufferedAmount > MAX_BUFFERED) return; // it asks and does not read
    client.socket.send(JSON.stringify(message));
  }

  #accept(socket: WebSocket): void {
    const client: Client = { socket, subscriptions: new Map() };
    this.#clients.add(client);
    socket.on("message", (data: Buffer, isBinary) => this.#ask(client, isBinary ? undefined : data.toString("utf8")));
    socket.on("ping", (data) => {
      if (socket.bufferedAmount < MAX_BUFFERED) socket.pong(data);
    });
    socket.on("error", () => socket.terminate()); // a frame that is too large or malformed: ws says why in its close code
    socket.on("close", () => this.#clients.delete(client));
  }

  #ask(client: Client, text: string | undefined): void {
    const request = LiveRequest.safeParse(text === undefined ? undefined : parseJson(text));
    if (!request.success) {
      this.#send(client, {
        type: "problem",
        message: "the message is none that the live stream takes: subscribe, unsubscribe, pause, resume",
      });
      return;
    }
    const { id, type } = request.data;
    const known = client.subscriptions.get(id);
    if (type === "unsubscribe") client.subscriptions.delete(id);
    else if (type === "pause" || type === "resume") {
      if (known === undefined) this.#send(client, { type: "problem", id, message: "there is no such subscription" });
      else known.paused = type === "pause";
    } else {
      if (known === undefined && client.subscriptions.size >= MAX_SUBSCRIPTIONS) {
        this.#send(client, { type: "problem", id, message: `at most ${MAX_SUBSCRIPTIONS} subscriptions a connection` });
        return;
      }
      const { filter, problems } = parseFilter(request.data.filter);
      const problem = problems[0];
      if (problem !== undefined) {
        this.#send(client, { type: "problem", id, message: problem.message });
        return;
      }
      const asked: readonly FlowKind[] = request.data.kinds ?? FLOW_KINDS;
      const kinds = asked.reduce((bits, kind) => bits | (1 << FLOW_KINDS.indexOf(kind)), 0);
      client.subscriptions.set(id, {
        id,
        test: compileRowFilter(filter, this.#names),
        kinds,
        paused: false,
        waiting: [],
        missed: 0,
      });
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const say = (status: number, type: string, body: string) => {
      response.writeHead(status, { "content-type": type, "cache-control": "no-store", [WIRE_HEADER]: WIRE_VERSION });
      response.end(body);
    };
    if (request.method !== "GET") say(405, "text/plain", "only GET\n");
    else if (request.url === "/health") say(200, "application/json", JSON.stringify(this.#pages.health()));
    else if (!(await answerHealth(request, response, this.#pages)))
      say(404, "text/plain", "there are /health, /metrics, /healthz, /readyz and the web socket /live\n");
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // refused by the schema, with words
  }
}

/** Removes a socket file that its collector left behind when it was killed. */
async function freePath(path: string): Promise<void> {
  const answered = await new Promise<boolean>((resolve) => {
    const probe = connect(path);
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    probe.once("error", () => resolve(false));
  });
  if (answered)
    throw new WeirError({
      code: "collector-runs",
      where: path,
      what: "another collector answers there",
      next: "stop it, or choose another socket with WEIR_COLLECTOR_SOCKET",
    });
  try {
    await unlink(path);
  } catch (cause) {
    if (systemCode(cause) !== "ENOENT")
      throw new WeirError({
        code: "cannot-listen",
        where: path,
        what: `the old socket cannot be removed (${systemCode(cause)})`,
        cause,
      });
  }
}
