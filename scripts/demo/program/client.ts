import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { systemCode } from "../../../model/errors.ts";
import type { Outcome } from "../ledger.ts";
import type { Action } from "../schedule.ts";
import type { LedgerBook } from "./book.ts";
import { freshUdpPort, lookUp } from "./dns.ts";
import { requestOf } from "./talk.ts";

type Connect = Extract<Action, { kind: "connect" }>;

/** Waits after a datagram for the ICMP error that says that nobody listens. */
const DATAGRAM_ERROR_MS = 1000;

/** Does the actions of a schedule and writes down what came of them. */
export class ShopClient {
  readonly #label: string;
  readonly #book: LedgerBook;
  readonly #epochMs: number;
  #untilMs = Infinity;
  #running = 0;
  readonly #closers = new Set<() => void>();
  #whenIdle: (() => void) | undefined;

  constructor(label: string, book: LedgerBook, epochMs: number) {
    this.#label = label;
    this.#book = book;
    this.#epochMs = epochMs;
  }

  /** From `ms` on nothing new happens: connections that would live longer close then. Resolves when all have ended. */
  async until(ms: number): Promise<void> {
    this.#untilMs = ms;
    for (const close of this.#closers) close();
    if (this.#running > 0) await new Promise<void>((resolve) => (this.#whenIdle = resolve));
  }

  perform(action: Action): void {
    this.#running++;
    void this.#do(action).finally(() => {
      this.#running--;
      if (this.#running === 0) this.#whenIdle?.();
    });
  }

  async #do(action: Action): Promise<void> {
    switch (action.kind) {
      case "connect": {
        const { target } = action;
        if ("address" in target) return await this.#connect(action, target.address);
        const addresses = await this.#lookUp(target.server, target.name, action.family);
        if (addresses.length > 0) await this.#connect(action, addresses[target.pickAnswer % addresses.length]!);
        return;
      }
      case "datagram":
        return await this.#datagram(action);
      case "lookup":
        await this.#lookUp(action.server, action.name, action.family);
    }
  }

  async #lookUp(server: string, name: string, family: 4 | 6): Promise<readonly string[]> {
    const at = Date.now();
    const type = family === 4 ? "A" : "AAAA";
    const { rcode, addresses } = await lookUp(server, name, type);
    this.#book.add({ kind: "lookup", at, from: this.#label, server, name, type, rcode, ms: Date.now() - at });
    return addresses;
  }

  async #connect(action: Connect, address: string): Promise<void> {
    const at = Date.now();
    const socket = connect({ host: address, port: action.port, noDelay: true });
    const life = { opened: false, outcome: "ok" as Outcome, awaited: 0, next: 0 };
    const giveUp = () => {
      if (life.opened || socket.destroyed) return;
      life.outcome = "gave-up";
      socket.destroy();
    };
    // One turn later: a program that was kept waiting for the CPU first hears what has arrived meanwhile.
    const limit = setTimeout(() => setImmediate(giveUp), action.limitMs);
    const end = () => {
      if (life.opened && life.awaited <= 0) socket.end();
    };
    const elapsed = () => Date.now() - this.#epochMs;
    /** The next request when it is due, or the end. */
    const goOn = () => {
      const exchange = action.exchanges[life.next];
      if (!life.opened || socket.destroyed || socket.writableEnded || life.awaited > 0) return;
      if (exchange === undefined || action.atMs + exchange.afterMs >= this.#untilMs) {
        const waitMs = Math.min(action.atMs + action.closeAfterMs, this.#untilMs) - elapsed();
        if (waitMs <= 0) end();
        else setTimeout(goOn, waitMs);
        return;
      }
      const waitMs = action.atMs + exchange.afterMs - elapsed();
      if (waitMs > 0) {
        setTimeout(goOn, waitMs);
        return;
      }
      life.next++;
      life.awaited += exchange.down;
      socket.write(requestOf(action.speaks, exchange.up, exchange.down, action.reset));
    };
    socket.on("connect", () => {
      life.opened = true;
      clearTimeout(limit);
      goOn();
    });
    socket.on("data", (bytes) => {
      life.awaited -= bytes.length;
      if (life.awaited <= 0) goOn();
    });
    socket.on("error", (error) => {
      life.outcome = outcomeOf(systemCode(error));
    });
    this.#closers.add(goOn);
    await new Promise<void>((resolve) => socket.once("close", () => resolve()));
    this.#closers.delete(goOn);
    clearTimeout(limit);
    this.#book.add({
      kind: "connection",
      at,
      traffic: action.traffic,
      from: this.#label,
      address,
      port: action.port,
      family: action.family,
      outcome: life.outcome,
      opened: life.opened,
      written: socket.bytesWritten,
      read: socket.bytesRead,
      ms: Date.now() - at,
    });
  }

  async #datagram(action: Extract<Action, { kind: "datagram" }>): Promise<void> {
    const at = Date.now();
    const socket = createSocket(action.family === 6 ? "udp6" : "udp4");
    const outcome = await new Promise<"sent" | "refused">((resolve) => {
      socket.once("error", () => resolve("refused")); // the ICMP error, at the socket's next look
      socket.bind(freshUdpPort(), () => {
        socket.connect(action.port, action.address, () => {
          for (let i = 0; i < action.count; i++) socket.send(Buffer.alloc(action.size, "c"));
        });
      });
      setTimeout(() => resolve("sent"), DATAGRAM_ERROR_MS);
    });
    socket.close();
    this.#book.add({
      kind: "datagram",
      at,
      traffic: action.traffic,
      from: this.#label,
      address: action.address,
      port: action.port,
      family: action.family,
      outcome,
    });
  }
}

function outcomeOf(code: string | undefined): Outcome {
  switch (code) {
    case "ECONNREFUSED":
      return "refused";
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return "unreachable";
    case "ETIMEDOUT":
      return "timed-out";
    case "ECONNRESET":
    case "EPIPE":
      return "reset";
    default:
      throw new Error(`the world does not know how to count ${code}`);
  }
}
