/** What the makers of rows share: where rows go, who is who, what was said before, and what the books need to know. */
import type { CommonColumns } from "../decode/columns.ts";
import { processName } from "../identity/processes.ts";
import { commText, type Who } from "../identity/who.ts";
import { WordTable } from "../identity/word-table.ts";
import { clearRow, type FlowRows } from "./flow-rows.ts";
import type { Strings } from "./strings.ts";
import type { Tuples } from "./tuples.ts";

/** Names that only the running kernel has. */
export interface KernelNames {
  /** A drop reason without prefix, `reason 87` when the kernel's BTF does not say. */
  dropReason(reason: number): string;
  /** The kernel function at an address, "" when unknown. */
  functionAt(low: number, high: number): string;
  /** The functions that called the one at the address, innermost first, of the drop with stack `stack`; empty without one. */
  callersOf(stack: number, low: number, high: number): readonly string[];
  /** A device's name in a namespace, "" when unknown. */
  device(netns: number, ifindex: number): string;
}

/** Gives room for a row, counts what makes none. */
export interface RowSink {
  /** Rows with room for at least one more; the row is `rows.length`, to be raised by the maker. Undefined = shed it (counted here). */
  room(type: number): FlowRows | undefined;
  /** An event of `type` at `nsHigh:nsLow` makes no row on purpose. */
  filtered(type: number, tsLow: number, tsHigh: number): void;
}

export interface RowContext {
  readonly who: Who;
  readonly strings: Strings;
  readonly processes: ProcessNames;
  readonly kernel: KernelNames;
  readonly sink: RowSink;
  readonly tuples: Tuples;
  readonly sockets: Sockets;
  /** When the programs began, ns: connections established later carry their whole totals. */
  readonly startedNs: number;
  /** Noise rows (model/reasons: normal drops) are stored too. */
  readonly keepNoise: boolean;
}

/** Slots of Sockets' words. */
export const SocketWord = { role: 0, party: 1, txSegments: 2, rxSegments: 3, retransmits: 4 } as const;
/** Slots of Sockets' doubles. `reported` = when the last row was made, ns. */
export const SocketDouble = { txBytes: 0, rxBytes: 1, reported: 2 } as const;
export const Role = { unknown: 0, client: 1, server: 2 } as const;

/** Long-lived sockets by cookie: their totals at the last report. Bounded; one that is forgotten counts as first seen at its next report. */
export class Sockets {
  readonly table: WordTable;
  readonly #key = new Uint32Array(2);

  constructor(capacity = 98_304) {
    this.table = new WordTable(2, 5, 3, capacity);
  }

  find(low: number, high: number): number {
    this.#key[0] = low;
    this.#key[1] = high;
    return this.table.find(this.#key);
  }

  insert(low: number, high: number): number {
    this.#key[0] = low;
    this.#key[1] = high;
    return this.table.insert(this.#key);
  }

  remove(low: number, high: number): void {
    this.#key[0] = low;
    this.#key[1] = high;
    this.table.remove(this.#key);
  }
}

/** Process names as string numbers, by their 16 bytes: a text is made once a name, not once an event. */
export class ProcessNames {
  readonly #strings: Strings;
  readonly #table = new WordTable(4, 1, 0, 4096);
  readonly #key = new Uint32Array(4);

  constructor(strings: Strings) {
    this.#strings = strings;
  }

  numberOf(comm: Uint32Array, at: number): number {
    if (comm[at] === 0) return 0;
    for (let i = 0; i < 4; i++) this.#key[i] = comm[at + i]!;
    const slot = this.#table.insert(this.#key);
    if (this.#table.isNew) this.#table.words[slot] = this.#strings.intern(processName(commText(comm, at), 0));
    return this.#table.words[slot]!;
  }
}

/** Begins a row with what all events carry; gives back its index. The caller raises `rows.length` when it is done. */
export function beginRow(rows: FlowRows, batch: CommonColumns, r: number, type: number): number {
  const row = rows.length;
  clearRow(rows, row);
  rows.type[row] = type;
  rows.ts[row * 2] = batch.tsLow[r]!;
  rows.ts[row * 2 + 1] = batch.tsHigh[r]!;
  rows.cpu[row] = batch.cpu[r]!;
  rows.seq[row] = batch.seq[r]!;
  rows.protocol[row] = (batch.tags[r]! >>> 16) & 0xff;
  rows.cgroup[row * 2] = batch.cgroupLow[r]!;
  rows.cgroup[row * 2 + 1] = batch.cgroupHigh[r]!;
  rows.netns[row] = batch.netns[r]!;
  rows.socket[row * 2] = batch.cookieLow[r]!;
  rows.socket[row * 2 + 1] = batch.cookieHigh[r]!;
  return row;
}

/** Copies one address: 4 words. */
export function copyAddress(to: Uint32Array, toAt: number, from: Uint32Array, fromAt: number): void {
  to[toAt] = from[fromAt]!;
  to[toAt + 1] = from[fromAt + 1]!;
  to[toAt + 2] = from[fromAt + 2]!;
  to[toAt + 3] = from[fromAt + 3]!;
}

/** :: or 0.0.0.0 (mapped or not). */
export function isUnspecified(words: Uint32Array, at: number): boolean {
  return (
    words[at] === 0 &&
    words[at + 1] === 0 &&
    words[at + 3] === 0 &&
    (words[at + 2] === 0 || words[at + 2] === 0xffff0000)
  );
}
