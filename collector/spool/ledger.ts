/**
 * The ledger of a running collector: what the kernel has made so far, and how much of it is in durable books. Written without fsync, since it has
 * to outlive a killed process and not a lost machine: what a process has written stays in the page cache when it dies, and the kernel's counters
 * are gone with the machine anyway. The next start subtracts one from the other (crash.ts). A clean end removes the file.
 *
 * Two slots of SLOT bytes, written in turn: magic, number, length, CRC of number and text, then the text (JSON). The valid slot with
 * the higher number counts, so a write that is cut off loses at most itself.
 */
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { z } from "zod";
import type { BooksDelta } from "./segment.ts";

const SLOT = 16_384;
const HEAD = 16;
const MAGIC = 0x474c_5257; // "WRLG" little endian

const Counts = z.record(z.string(), z.number().nonnegative());

export const LedgerState = z.object({
  node: z.string(),
  boot: z.string(),
  generation: z.int().nonnegative(),
  /** When it was written, ms since 1970. */
  atMs: z.number(),
  /** Where the kernel's own counters are pinned; "" = nowhere, then `made` is all that is known. */
  pin: z.string(),
  /** Events by type that the kernel put, or failed to put, into rings. */
  made: Counts,
  /** Events by type that were read out of maps and iterators. */
  readOut: Counts,
  /** Events by type in durable books. */
  booked: Counts,
  /** Lane → its newest segment and how many frames of it are in `booked`. */
  lanes: z.record(z.string(), z.object({ number: z.int(), frames: z.int() })),
});
export type LedgerState = z.infer<typeof LedgerState>;

/** Where ledgers lie: one file a generation. */
export const ledgerDirectory = (dataDir: string): string => join(dataDir, "ledger");

/** The ledger of this run. No call throws: a disk that refuses makes it only less exact, which `failed` is told once. */
export class Ledger {
  readonly #path: string;
  readonly #state: LedgerState;
  readonly #failed: (cause: unknown) => void;
  #fd: number | undefined;
  #number = 0;

  constructor(
    dataDir: string,
    run: { readonly node: string; readonly boot: string; readonly generation: number },
    failed: (cause: unknown) => void,
  ) {
    this.#failed = failed;
    this.#path = join(ledgerDirectory(dataDir), String(run.generation));
    this.#state = { ...run, atMs: Date.now(), pin: "", made: {}, readOut: {}, booked: {}, lanes: {} };
    this.#try(() => {
      mkdirSync(ledgerDirectory(dataDir), { recursive: true, mode: 0o750 });
      this.#fd = openSync(this.#path, "w", 0o640);
      writeSync(this.#fd, new Uint8Array(SLOT * 2), 0, SLOT * 2, 0); // room taken now: overwriting it later needs none
    });
    this.#write();
  }

  /** Where the kernel's counters can be read after a crash. */
  pinnedAt(path: string): void {
    this.#state.pin = path;
    this.#write();
  }

  /** What has been made until now. Called before rows are written: booked is never more than made. */
  note(made: Readonly<Record<string, number>>, readOut: Readonly<Record<string, number>>, nowMs: number): void {
    this.#state.made = { ...made };
    this.#state.readOut = { ...readOut };
    this.#state.atMs = nowMs;
    this.#write();
  }

  /** A frame is durable: the `frames`th of segment `number` in `lane`. */
  durable(lane: string, number: number, frames: number, books: readonly BooksDelta[]): void {
    const { booked, lanes } = this.#state;
    for (const line of books) booked[line.type] = (booked[line.type] ?? 0) + line.produced;
    lanes[lane] = { number, frames };
    this.#write();
  }

  /** All is in the books: nothing is left for the next start. */
  close(): void {
    const fd = this.#fd;
    this.#fd = undefined;
    if (fd === undefined) return;
    this.#try(() => {
      closeSync(fd);
      unlinkSync(this.#path);
    });
  }

  #write(): void {
    const fd = this.#fd;
    if (fd === undefined) return;
    const text = Buffer.from(JSON.stringify(this.#state));
    const slot = Buffer.alloc(HEAD + text.length);
    slot.writeUInt32LE(MAGIC, 0);
    slot.writeUInt32LE(++this.#number, 4);
    slot.writeUInt32LE(text.length, 8);
    slot.set(text, HEAD);
    slot.writeUInt32LE(crc32(text, crc32(slot.subarray(4, 8))), 12);
    if (slot.length > SLOT) return; // some hundred lanes: there are ten
    if (!this.#try(() => writeSync(fd, slot, 0, slot.length, (this.#number % 2) * SLOT))) this.#fd = undefined;
  }

  #try(work: () => unknown): boolean {
    try {
      work();
      return true;
    } catch (cause) {
      this.#failed(cause);
      return false;
    }
  }
}

/** What ledgers of runs that never ended lie in `dataDir`, oldest first. `state` undefined: the file holds none that can be trusted. */
export function leftLedgers(dataDir: string): { readonly path: string; readonly state: LedgerState | undefined }[] {
  const dir = ledgerDirectory(dataDir);
  let names: string[];
  try {
    names = readdirSync(dir);
  } catch {
    return []; // no run before this one kept any
  }
  return names
    .filter((name) => /^\d+$/.test(name))
    .toSorted((a, b) => Number(a) - Number(b))
    .map((name) => ({ path: join(dir, name), state: decodeLedger(readFileSync(join(dir, name))) }));
}

/** The newer valid slot, or undefined. */
export function decodeLedger(file: Uint8Array): LedgerState | undefined {
  let best: { number: number; state: LedgerState } | undefined;
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.length);
  for (const start of [0, SLOT]) {
    if (bytes.length < start + HEAD || bytes.readUInt32LE(start) !== MAGIC) continue;
    const number = bytes.readUInt32LE(start + 4);
    const length = bytes.readUInt32LE(start + 8);
    if (length > SLOT - HEAD || (best !== undefined && best.number > number)) continue;
    const text = bytes.subarray(start + HEAD, start + HEAD + length);
    if (crc32(text, crc32(bytes.subarray(start + 4, start + 8))) !== bytes.readUInt32LE(start + 12)) continue;
    const parsed = LedgerState.safeParse(JSON.parse(text.toString("utf8")));
    if (parsed.success) best = { number, state: parsed.data };
  }
  return best?.state;
}
