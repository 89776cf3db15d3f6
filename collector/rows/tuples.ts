/**
 * Hot: what both ends of a connection said of it, by the five-tuple as the server sees it. Lets each report name its far end exactly
 * (the other end's own socket), tells drops which side is the server, and remembers what was translated.
 */
import { WordTable } from "../identity/word-table.ts";

/** A peer's report may come a little before ours, or after its connection ended. */
const SLACK_NS = 2e9;

const CLIENT = 0;
const SERVER = 1;

export class Tuples {
  /**
   * source 4, destination 4, ports, protocol → for client, then server: party + 1 now, and of the connection before; doubles: from
   * and to of both. The one before counts too: a busy client uses a port again before the last connection's rows are named.
   */
  readonly #ends: WordTable;
  /** client 4, service 4, ports, protocol → [backend 4, backend port]. */
  readonly #translations: WordTable;
  readonly #key = new Uint32Array(10);
  translations = 0;

  constructor(capacity = 49_152) {
    this.#ends = new WordTable(10, 4, 8, capacity);
    this.#translations = new WordTable(10, 5, 0, capacity);
  }

  get size(): number {
    return this.#ends.size;
  }

  /** One end told of itself at `ns`: `isServer` says which; `ended` = its socket is gone. */
  tell(
    source: Uint32Array,
    sourceAt: number,
    destination: Uint32Array,
    destinationAt: number,
    ports: number,
    protocol: number,
    isServer: boolean,
    party: number,
    ns: number,
    ended: boolean,
  ): void {
    this.#set(source, sourceAt, destination, destinationAt, ports, protocol);
    const slot = this.#ends.insert(this.#key);
    const end = isServer ? SERVER : CLIENT;
    const { words, doubles } = this.#ends;
    const word = slot * 4 + end * 2;
    const time = slot * 8 + end * 4;
    const known = words[word]! !== 0 && doubles[time + 1] === 0;
    if (!known) {
      words[word + 1] = words[word]!;
      doubles[time + 2] = doubles[time]!;
      doubles[time + 3] = doubles[time + 1]!;
      doubles[time] = ns;
    }
    words[word] = party + 1;
    doubles[time + 1] = ended ? ns : 0;
  }

  /** The party + 1 that the client (or server) of this tuple gave of itself around `ns`, 0 when it did not. */
  ask(
    source: Uint32Array,
    sourceAt: number,
    destination: Uint32Array,
    destinationAt: number,
    ports: number,
    protocol: number,
    server: boolean,
    ns: number,
  ): number {
    this.#set(source, sourceAt, destination, destinationAt, ports, protocol);
    const slot = this.#ends.find(this.#key);
    if (slot < 0) return 0;
    const end = server ? SERVER : CLIENT;
    const { words, doubles } = this.#ends;
    const word = slot * 4 + end * 2;
    const time = slot * 8 + end * 4;
    const now = distance(ns, doubles[time]!, doubles[time + 1]!);
    const before = words[word + 1] === 0 ? Infinity : distance(ns, doubles[time + 2]!, doubles[time + 3]!);
    if (Math.min(now, before) > SLACK_NS) return 0;
    return before < now ? words[word + 1]! : words[word]!;
  }

  /** True when the tuple is known in this direction, client first. */
  knows(
    source: Uint32Array,
    sourceAt: number,
    destination: Uint32Array,
    destinationAt: number,
    ports: number,
    protocol: number,
  ): boolean {
    this.#set(source, sourceAt, destination, destinationAt, ports, protocol);
    return this.#ends.find(this.#key) >= 0;
  }

  /** A connection to a service address was answered by a back end. */
  translate(
    client: Uint32Array,
    clientAt: number,
    service: Uint32Array,
    serviceAt: number,
    ports: number,
    protocol: number,
    backend: Uint32Array,
    backendAt: number,
    backendPort: number,
  ): void {
    this.#set(client, clientAt, service, serviceAt, ports, protocol);
    const slot = this.#translations.insert(this.#key);
    for (let i = 0; i < 4; i++) this.#translations.words[slot * 5 + i] = backend[backendAt + i]!;
    this.#translations.words[slot * 5 + 4] = backendPort;
    this.translations++;
  }

  /** Where the connection to this service address went: its slot in `backends` (5 words: address, port), or -1. */
  translation(
    client: Uint32Array,
    clientAt: number,
    service: Uint32Array,
    serviceAt: number,
    ports: number,
    protocol: number,
  ): number {
    if (this.translations === 0) return -1;
    this.#set(client, clientAt, service, serviceAt, ports, protocol);
    return this.#translations.find(this.#key);
  }

  get backends(): Uint32Array {
    return this.#translations.words;
  }

  #set(
    source: Uint32Array,
    sourceAt: number,
    destination: Uint32Array,
    destinationAt: number,
    ports: number,
    protocol: number,
  ): void {
    const key = this.#key;
    for (let i = 0; i < 4; i++) {
      key[i] = source[sourceAt + i]!;
      key[4 + i] = destination[destinationAt + i]!;
    }
    key[8] = ports;
    key[9] = protocol;
  }
}

/** How far `ns` lies outside of an interval, 0 within; `to` 0 = it has not ended. */
function distance(ns: number, from: number, to: number): number {
  if (ns < from) return from - ns;
  return to !== 0 && ns > to ? ns - to : 0;
}
