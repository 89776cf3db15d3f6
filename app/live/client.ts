import type { WebSocket } from "ws";

/** Beyond this many bytes waiting in a client's socket, flows are dropped for it and counted. */
const SLOW_BYTES = 1_000_000;
/** What waits for all clients together, at most: the more there are, the less for each. */
const ALL_BYTES = 64_000_000;

/** Bytes that may wait for one of `clients`. */
export function slowLimit(clients: number): number {
  return Math.min(SLOW_BYTES, ALL_BYTES / Math.max(1, clients));
}

/** One browser on the gateway: its subscriptions, and what it missed because it reads too slowly. */
export class Client {
  readonly name: string;
  /** Flows that were dropped here because it reads too slowly. */
  dropped = 0;
  readonly #ws: WebSocket;
  readonly #missed = new Map<string, number>();
  readonly #limit: () => number;
  #answered = true;

  /** `limit`: bytes that may wait for it at this moment. The ws is made with `autoPong: false`. */
  constructor(ws: WebSocket, name: string, limit: () => number) {
    this.#ws = ws;
    this.name = name;
    this.#limit = limit;
    // By hand: answers to pings of one who does not read would pile up without end.
    ws.on("ping", (data) => {
      if (!this.#isSlow()) ws.pong(data);
    });
    ws.on("pong", () => {
      this.#answered = true;
    });
  }

  get size(): number {
    return this.#missed.size;
  }

  has(id: string): boolean {
    return this.#missed.has(id);
  }

  add(id: string): void {
    this.#missed.set(id, 0);
  }

  remove(id: string): void {
    this.#missed.delete(id);
  }

  /** Forgets all; gives back the upstream ids. */
  end(): readonly string[] {
    const ids = [...this.#missed.keys()];
    this.#missed.clear();
    return ids;
  }

  /** Sends flows, or counts them as missed while the client is behind; the count goes with the next message that fits. */
  flows(id: string, flows: readonly unknown[], missed: number): void {
    const before = this.#missed.get(id);
    if (before === undefined) return;
    if (this.#isSlow()) {
      this.dropped += flows.length;
      this.#missed.set(id, before + missed + flows.length);
      return;
    }
    this.#missed.set(id, 0);
    this.#ws.send(JSON.stringify({ type: "flows", id: this.#ownId(id), flows, missed: missed + before }));
  }

  /** `text` is the same for all clients, so it is made once. A pulse that does not fit is left out: the next one replaces it. */
  pulse(text: string): void {
    if (!this.#isSlow()) this.#ws.send(text);
  }

  problem(id: string | undefined, message: string): void {
    if (this.#isSlow()) return;
    this.#ws.send(JSON.stringify({ type: "problem", ...(id === undefined ? {} : { id: this.#ownId(id) }), message }));
  }

  /** Ends a client that did not answer the last ping. */
  ping(): void {
    if (!this.#answered) return this.#ws.terminate();
    this.#answered = false;
    this.#ws.ping();
  }

  #ownId(id: string): string {
    return id.slice(this.name.length + 1);
  }

  #isSlow(): boolean {
    return this.#ws.readyState !== this.#ws.OPEN || this.#ws.bufferedAmount > this.#limit();
  }
}
