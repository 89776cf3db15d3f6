import { WebSocket } from "ws";
import { z } from "zod";
import type { LiveRequest } from "../../model/wire/live.ts";
import { WIRE_HEADER, wireProblem } from "../../model/wire/version.ts";

/** What the gateway does with what the collector says. */
export interface UpstreamEvents {
  flows(id: string, flows: readonly unknown[], missed: number): void;
  /** The pulse as text, to be handed on unchanged. */
  pulse(text: string): void;
  problem(id: string | undefined, message: string): void;
}

type Subscribe = Extract<LiveRequest, { type: "subscribe" }>;

/** The collector is ours and the browser checks each flow; here only the envelope is read. */
const Envelope = z.discriminatedUnion("type", [
  z.looseObject({ type: z.literal("flows"), id: z.string(), flows: z.array(z.unknown()), missed: z.number() }),
  z.looseObject({ type: z.literal("pulse") }),
  z.looseObject({ type: z.literal("problem"), id: z.string().optional(), message: z.string() }),
]);

const RETRY_MS = 1000;
const NOT_THERE = "the collector is not running, so there is no live stream; history can still be read";

/** A ws to the collector: open while it is wanted, reconnecting, with its subscriptions repeated. */
export class Upstream {
  readonly #socketPath: string;
  readonly #events: UpstreamEvents;
  readonly #subscriptions = new Map<string, { request: Subscribe; paused: boolean }>();
  #ws: WebSocket | undefined;
  #retry: NodeJS.Timeout | undefined;
  #wanted = false;
  #told = false;

  constructor(socketPath: string, events: UpstreamEvents) {
    this.#socketPath = socketPath;
    this.#events = events;
  }

  /** Subscriptions that it holds. */
  get size(): number {
    return this.#subscriptions.size;
  }

  has(id: string): boolean {
    return this.#subscriptions.has(id);
  }

  /** Why there is no stream; undefined while there is one, or the first attempt is under way. */
  get missing(): string | undefined {
    return this.#told ? NOT_THERE : undefined;
  }

  wanted(wanted: boolean): void {
    this.#wanted = wanted;
    if (wanted && this.#ws === undefined && this.#retry === undefined) this.#open();
    if (!wanted) this.#shut();
  }

  subscribe(request: Subscribe): void {
    this.#subscriptions.set(request.id, { request, paused: false });
    this.#send(request);
  }

  setPaused(id: string, paused: boolean): void {
    const subscription = this.#subscriptions.get(id);
    if (subscription === undefined) return;
    subscription.paused = paused;
    this.#send({ type: paused ? "pause" : "resume", id });
  }

  forget(id: string): void {
    if (this.#subscriptions.delete(id)) this.#send({ type: "unsubscribe", id });
  }

  close(): void {
    this.#wanted = false;
    this.#shut();
  }

  #shut(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    const ws = this.#ws;
    this.#ws = undefined;
    ws?.close();
  }

  #open(): void {
    const ws = new WebSocket(`ws+unix://${this.#socketPath}:/live`, {
      perMessageDeflate: false,
      handshakeTimeout: 5000,
      maxPayload: 16 * 1024 * 1024,
    });
    this.#ws = ws;
    ws.on("upgrade", (response) => {
      const problem = wireProblem(response.headers[WIRE_HEADER]);
      if (problem !== undefined) this.#events.problem(undefined, problem);
    });
    ws.on("open", () => {
      if (this.#ws !== ws) return;
      this.#told = false;
      for (const { request, paused } of this.#subscriptions.values()) {
        this.#send(request);
        if (paused) this.#send({ type: "pause", id: request.id });
      }
    });
    ws.on("message", (data) => {
      if (this.#ws === ws) this.#take(data.toString());
    });
    ws.on("error", () => ws.terminate()); // `close` follows and says it once
    ws.on("close", () => {
      if (this.#ws !== ws) return;
      this.#ws = undefined;
      if (!this.#told) this.#events.problem(undefined, NOT_THERE);
      this.#told = true;
      if (!this.#wanted) return;
      this.#retry = setTimeout(() => {
        this.#retry = undefined;
        if (this.#wanted) this.#open();
      }, RETRY_MS);
    });
  }

  #take(text: string): void {
    const parsed = Envelope.safeParse(jsonOf(text));
    if (!parsed.success)
      return this.#events.problem(
        undefined,
        "the collector speaks another version of the live stream than this app; update both",
      );
    const message = parsed.data;
    if (message.type === "flows") this.#events.flows(message.id, message.flows, message.missed);
    else if (message.type === "pulse") this.#events.pulse(text);
    else this.#events.problem(message.id, message.message);
  }

  #send(message: LiveRequest): void {
    if (this.#ws?.readyState === WebSocket.OPEN) this.#ws.send(JSON.stringify(message));
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // fails the envelope, which is said
  }
}
