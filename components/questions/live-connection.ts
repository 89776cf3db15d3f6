import type { Flow, FlowKind } from "../../model/flow.ts";
import { LiveMessage } from "../../model/wire/live.ts";

export type Pulse = Extract<LiveMessage, { type: "pulse" }>;
/** no collector: the app is there, but has no stream to hand on. */
export type LiveState = "closed" | "connecting" | "open" | "no collector";

interface Subscriber {
  readonly filter: string;
  readonly kinds: readonly FlowKind[] | undefined;
  paused: boolean;
  flows(flows: readonly Flow[], missed: number): void;
  problem(message: string | undefined): void;
}

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 10_000;
const LINGER_MS = 1_000;

/**
 * The page's ws to `/ws`: reconnects with a growing pause and repeats its subscriptions. A closed stretch is not made
 * up for: live shows what comes, history has the rest.
 */
export class LiveConnection {
  #socket: WebSocket | undefined;
  #state: LiveState = "closed";
  #retry: ReturnType<typeof setTimeout> | undefined;
  #closing: ReturnType<typeof setTimeout> | undefined;
  #retryMs = FIRST_RETRY_MS;
  #next = 0;
  readonly #subscribers = new Map<string, Subscriber>();
  readonly #pulses = new Set<(pulse: Pulse) => void>();
  readonly #watchers = new Set<() => void>();

  getState = (): LiveState => this.#state;

  onState = (watcher: () => void): (() => void) => {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  };

  /** Calls back with each pulse until the returned function is called. */
  onPulse(watcher: (pulse: Pulse) => void): () => void {
    this.#pulses.add(watcher);
    this.#wanted();
    return () => {
      this.#pulses.delete(watcher);
      this.#wanted();
    };
  }

  subscribe(
    filter: string,
    kinds: readonly FlowKind[] | undefined,
    on: Pick<Subscriber, "flows" | "problem">,
  ): { end(): void; setPaused(paused: boolean): void } {
    const id = `s${this.#next++}`;
    const subscriber: Subscriber = { filter, kinds, paused: false, flows: on.flows, problem: on.problem };
    this.#subscribers.set(id, subscriber);
    this.#wanted();
    this.#ask(id, subscriber);
    return {
      end: () => {
        if (!this.#subscribers.delete(id)) return;
        this.#send({ type: "unsubscribe", id });
        this.#wanted();
      },
      setPaused: (paused) => {
        if (subscriber.paused === paused) return;
        subscriber.paused = paused;
        this.#send({ type: paused ? "pause" : "resume", id });
      },
    };
  }

  close(): void {
    this.#subscribers.clear();
    this.#pulses.clear();
    this.#wanted();
  }

  /** Opens for the first who asks; closes a while after the last, so that going from page to page keeps the stream. */
  #wanted(): void {
    clearTimeout(this.#closing);
    if (this.#subscribers.size + this.#pulses.size > 0) {
      if (this.#socket === undefined && this.#retry === undefined) this.#open();
      return;
    }
    this.#closing = setTimeout(() => {
      clearTimeout(this.#retry);
      this.#retry = undefined;
      const socket = this.#socket;
      this.#socket = undefined;
      socket?.close();
      this.#setState("closed");
    }, LINGER_MS);
  }

  #open(): void {
    this.#setState("connecting");
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`);
    this.#socket = socket;
    socket.onopen = () => {
      if (this.#socket !== socket) return;
      this.#setState("open");
      for (const [id, subscriber] of this.#subscribers) this.#ask(id, subscriber);
    };
    socket.onmessage = (event) => {
      this.#retryMs = FIRST_RETRY_MS;
      if (typeof event.data === "string") this.#take(event.data);
    };
    socket.onclose = () => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      this.#setState("connecting");
      this.#retry = setTimeout(() => {
        this.#retry = undefined;
        this.#wanted();
      }, this.#retryMs);
      this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
    };
  }

  #ask(id: string, subscriber: Subscriber): void {
    this.#send({
      type: "subscribe",
      id,
      filter: subscriber.filter,
      ...(subscriber.kinds === undefined ? {} : { kinds: subscriber.kinds }),
    });
    if (subscriber.paused) this.#send({ type: "pause", id });
  }

  #send(message: object): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #take(text: string): void {
    const parsed = LiveMessage.safeParse(parseJson(text));
    if (!parsed.success) return this.#tellAll("the live stream speaks another version than this page; reload it");
    const message = parsed.data;
    if (message.type !== "problem") this.#setState("open");
    else if (message.id === undefined) this.#setState("no collector");
    if (message.type === "pulse") for (const watcher of this.#pulses) watcher(message);
    else if (message.type === "flows") this.#subscribers.get(message.id)?.flows(message.flows, message.missed);
    else if (message.id === undefined) this.#tellAll(message.message);
    else this.#subscribers.get(message.id)?.problem(message.message);
  }

  #tellAll(message: string): void {
    for (const subscriber of this.#subscribers.values()) subscriber.problem(message);
  }

  #setState(state: LiveState): void {
    if (state === this.#state) return;
    this.#state = state;
    for (const watcher of this.#watchers) watcher();
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // fails the schema, which says so
  }
}
