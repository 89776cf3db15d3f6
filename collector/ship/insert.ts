/**
 * Segments to the store: one segment = one insert with its id as deduplication token, then its books with a token of their own;
 * the file goes only after both are acknowledged. Whatever happens in between (a lost answer, a kill), sending both again
 * counts once. The store away: it backs off and the spool grows; nothing here holds rows in memory.
 */
import { readFile, unlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { systemCode } from "../../model/errors.ts";
import type { StoreWriter, TableName } from "../../store/writer.ts";
import { giveBack } from "../spool/give-back.ts";
import { mergeBooks, quarantinedBooks } from "../spool/append.ts";
import { inOrder, type SegmentFile } from "../spool/files.ts";
import { quarantine } from "../spool/recover.ts";
import { replaceByStub } from "../spool/budget.ts";
import {
  salvageBooks,
  scanSegment,
  SegmentCorrupt,
  type BooksDelta,
  type ScannedSegment,
  type SegmentMeta,
} from "../spool/segment.ts";

export type SegmentStore = Pick<StoreWriter, "insertSegment" | "insertRows" | "segmentsArrived">;

export interface ShipEvents {
  readonly shipped: (segment: SegmentFile, rows: number, tookMs: number) => void;
  readonly failed: (cause: unknown) => void;
  /** Rows that could not be read or that the store will never take. */
  readonly quarantined: (segment: SegmentFile, books: readonly BooksDelta[], reason: string) => void;
}

/** As many as the embedded engine has sessions for writing. */
const INSERTS_AT_ONCE = 2;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 30_000;
/** An insert that the store refuses for what is in it is tried so often before the segment is put aside. */
const ATTEMPTS_BEFORE_QUARANTINE = 5;
/** ClickHouse error codes that say the bytes or the columns are wrong, not the server (src/Common/ErrorCodes.cpp). */
const DATA_ERRORS = new Set(["6", "16", "26", "27", "33", "36", "41", "47", "53", "117", "131", "321", "349", "691"]);

export class Shipper {
  readonly #openStore: () => Promise<SegmentStore>;
  readonly #events: ShipEvents;
  readonly #now: () => number;
  readonly #queue = new Map<string, SegmentFile>();
  /** Of an earlier run: the store is asked before they are sent. */
  readonly #unsure = new Set<string>();
  readonly #held = new Set<string>();
  readonly #attempts = new Map<string, number>();
  /** The store has them, their files are still there: nothing but the removal is tried again. */
  readonly #stored = new Map<string, number>();
  readonly #self: Pick<SegmentMeta, "node" | "boot">;
  #store: SegmentStore | undefined;
  readonly #sleepers = new Set<() => void>();
  readonly #shipping = new Set<string>();
  pauseMs = 0;
  lagMs = 0;

  /** `openStore` may fail as long as the store is away. `self`: whose segments they are, where one cannot say so itself any more. */
  constructor(
    openStore: () => Promise<SegmentStore>,
    events: ShipEvents,
    now: () => number = Date.now,
    self: Pick<SegmentMeta, "node" | "boot"> = { node: "", boot: "" },
  ) {
    this.#self = self;
    this.#openStore = openStore;
    this.#events = events;
    this.#now = now;
  }

  get waiting(): readonly SegmentFile[] {
    return [...this.#queue.values()];
  }

  add(segment: SegmentFile, fromEarlierRun = false): void {
    this.#queue.set(segment.id, segment);
    if (fromEarlierRun) this.#unsure.add(segment.id);
    this.#wake();
  }

  /** Keeps a segment back for the budget; false while it is on its way. */
  hold(id: string): boolean {
    if (this.#shipping.has(id) || !this.#queue.has(id)) return false;
    this.#held.add(id);
    return true;
  }

  /** The budget has put `stub` in a held segment's place. */
  replace(stub: SegmentFile): void {
    this.#held.delete(stub.id);
    if (this.#queue.has(stub.id)) this.#queue.set(stub.id, stub);
    this.#wake();
  }

  /** Resolves when nothing waits any more (true), or when `signal` fires (false). For an orderly end, while `run` goes on. */
  async whenEmpty(signal: AbortSignal): Promise<boolean> {
    while (this.#queue.size > 0 && !signal.aborted) await this.#pause(20, signal);
    return this.#queue.size === 0;
  }

  /** Ships until `signal`; never throws but for bugs. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(Array.from({ length: INSERTS_AT_ONCE }, () => this.#work(signal)));
  }

  async #work(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const segment = this.#next();
      if (segment === undefined) await this.#sleep(LONGEST_PAUSE_MS, signal);
      else if (await this.#shipOne(segment, signal)) this.pauseMs = 0;
      else {
        this.pauseMs = Math.min(LONGEST_PAUSE_MS, Math.max(FIRST_PAUSE_MS, this.pauseMs * 2));
        await this.#pause(this.pauseMs * (0.75 + Math.random() / 2), signal);
      }
    }
  }

  /** Ships what waits without pauses, until something fails; false when something is left. Not beside `run`. */
  async drain(signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted) {
      const segment = this.#next();
      if (segment === undefined || !(await this.#shipOne(segment, signal))) break;
    }
    return this.#queue.size === 0;
  }

  /** The oldest that nobody holds. */
  #next(): SegmentFile | undefined {
    let oldest: SegmentFile | undefined;
    for (const segment of this.#queue.values())
      if (
        !this.#held.has(segment.id) &&
        !this.#shipping.has(segment.id) &&
        (oldest === undefined || inOrder(segment, oldest) < 0)
      )
        oldest = segment;
    return oldest;
  }

  /** True when the segment is dealt with. */
  async #shipOne(segment: SegmentFile, signal: AbortSignal): Promise<boolean> {
    this.#shipping.add(segment.id);
    try {
      const began = this.#now();
      const stored = this.#stored.get(segment.id);
      if (stored !== undefined) return await this.#remove(segment, stored, began);
      const scanned = await this.#read(segment);
      if (scanned === undefined) return true;
      const store = (this.#store ??= await this.#openStore()); // two at once get the same: openStore remembers
      const rows = scanned.frames.reduce((sum, frame) => sum + frame.rows, 0);
      if (rows > 0 && !(await this.#hasArrived(store, segment, signal))) {
        await store.insertSegment(
          {
            table: segment.table as TableName,
            format: scanned.meta.format,
            columns: scanned.meta.columns,
            body: Readable.from(scanned.frames.map((frame) => frame.payload)),
            segmentId: segment.id,
            node: scanned.meta.node,
            rows,
          },
          signal,
        );
        for (const { payload } of scanned.frames) giveBack(payload); // all of one file
      }
      const bad = scanned.bad.flatMap((each) => badBooks(each, segment.sealedMs));
      const books = mergeBooks([...scanned.frames.flatMap((frame) => frame.books), ...bad]);
      if (books.length > 0)
        await store.insertRows(
          "books",
          books.map((line) => booksRow(line, scanned)),
          signal,
          `${segment.id}/books`,
        );
      if (scanned.bad.length > 0) await this.#keepBad(segment, scanned, bad);
      this.#stored.set(segment.id, rows);
      return await this.#remove(segment, rows, began);
    } catch (cause) {
      if (signal.aborted) return false;
      this.#events.failed(cause);
      this.#unsure.add(segment.id); // it may have arrived all the same
      try {
        return await this.#refused(segment, cause);
      } catch (second) {
        this.#events.failed(second); // the disk refuses, too: later
        return false;
      }
    } finally {
      this.#shipping.delete(segment.id);
    }
  }

  async #remove(segment: SegmentFile, rows: number, began: number): Promise<boolean> {
    try {
      await unlink(segment.path);
    } catch (cause) {
      if (systemCode(cause) !== "ENOENT") throw cause;
    }
    this.#forget(segment.id);
    this.lagMs = Math.max(0, this.#now() - segment.sealedMs);
    this.#events.shipped(segment, rows, this.#now() - began);
    return true;
  }

  async #hasArrived(store: SegmentStore, segment: SegmentFile, signal: AbortSignal): Promise<boolean> {
    if (!this.#unsure.has(segment.id)) return false;
    const ids = [...this.#unsure].filter((id) => this.#queue.get(id)?.table === segment.table).slice(0, 1000);
    const arrived = await store.segmentsArrived(segment.table as TableName, ids, signal);
    // the others need not be asked for again: their token is enough now that they are known to be new
    for (const id of ids) if (!arrived.has(id)) this.#unsure.delete(id);
    return arrived.has(segment.id);
  }

  async #read(segment: SegmentFile): Promise<ScannedSegment | undefined> {
    let bytes: Uint8Array;
    try {
      bytes = await readFile(segment.path);
    } catch (cause) {
      const isGone = systemCode(cause) === "ENOENT"; // taken away by hand
      if (!isGone && this.#failures(segment.id) < ATTEMPTS_BEFORE_QUARANTINE) throw cause;
      if (!isGone) await quarantine(dirname(segment.path), segment.path, `the file cannot be read: ${String(cause)}`);
      this.#forget(segment.id);
      this.#events.failed(cause);
      this.#events.quarantined(segment, [], String(cause));
      return undefined;
    }
    try {
      return scanSegment(bytes, segment.upTo);
    } catch (cause) {
      if (!(cause instanceof SegmentCorrupt)) throw cause;
      return await this.#keepWhole(segment, bytes, cause.what);
    }
  }

  /** A segment whose header is lost: the file is kept, what its frames still say of themselves goes into the books. */
  async #keepWhole(segment: SegmentFile, bytes: Uint8Array, reason: string): Promise<ScannedSegment | undefined> {
    const books = quarantinedBooks(mergeBooks(salvageBooks(bytes)));
    if (books.length === 0) {
      await quarantine(dirname(segment.path), segment.path, reason);
      this.#forget(segment.id);
      this.#events.quarantined(segment, [], reason);
      return undefined;
    }
    const kept = join(dirname(segment.path), "quarantine", `${segment.id}.seg`);
    await writeFile(kept, bytes);
    await writeFile(`${kept}.reason`, `byte 0: ${reason}\n`);
    const boot8 = segment.id.slice(0, 8);
    const { node, boot } = this.#self;
    const stub = await replaceByStub(
      segment,
      [],
      {
        node,
        boot: boot.startsWith(boot8) ? boot : `${boot8}-0000-0000-0000-000000000000`,
        createdMs: segment.sealedMs,
        format: "RowBinary",
      },
      books,
    );
    this.replace(stub);
    this.#events.quarantined(segment, books, reason);
    return scanSegment(await readFile(stub.path));
  }

  /** One more for the segment; how many there were. */
  #failures(id: string): number {
    const attempts = (this.#attempts.get(id) ?? 0) + 1;
    this.#attempts.set(id, attempts);
    return attempts;
  }

  async #keepBad(segment: SegmentFile, scanned: ScannedSegment, books: readonly BooksDelta[]): Promise<void> {
    const file = await readFile(segment.path);
    const dir = join(dirname(segment.path), "quarantine");
    for (const bad of scanned.bad) {
      const path = join(dir, `${segment.id}.${bad.from}-${bad.to}.bad`);
      await writeFile(path, file.subarray(bad.from, bad.to));
      await writeFile(
        `${path}.reason`,
        `bytes ${bad.from}–${bad.to} of ${segment.id}: ${bad.reason}; ${bad.rows} rows\n`,
      );
    }
    this.#events.quarantined(segment, books, scanned.bad.map((bad) => bad.reason).join(", "));
  }

  /** The store will not take it: after some attempts the segment is put aside, and its books say so. */
  async #refused(segment: SegmentFile, cause: unknown): Promise<boolean> {
    const code = systemCode(cause); // ClickHouseError carries the exception's number as its code
    if (code === undefined || !DATA_ERRORS.has(code)) return false;
    if (this.#failures(segment.id) < ATTEMPTS_BEFORE_QUARANTINE) return false;
    const dir = dirname(segment.path);
    const bytes = await readFile(segment.path);
    const scanned = scanSegment(bytes, segment.upTo);
    const books = quarantinedBooks(mergeBooks(scanned.frames.flatMap((frame) => frame.books)));
    await writeFile(join(dir, "quarantine", `${segment.id}.seg`), bytes);
    await writeFile(join(dir, "quarantine", `${segment.id}.seg.reason`), `${String(cause)}\n`);
    this.replace(await replaceByStub(segment, scanned.meta.columns, scanned.meta, books));
    this.#attempts.delete(segment.id);
    this.#events.quarantined(segment, books, String(cause));
    return true;
  }

  #forget(id: string): void {
    this.#queue.delete(id);
    this.#unsure.delete(id);
    this.#attempts.delete(id);
    this.#stored.delete(id);
  }

  #wake(): void {
    for (const sleeper of this.#sleepers) sleeper();
  }

  async #sleep(ms: number, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        this.#sleepers.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal.addEventListener("abort", done, { once: true });
      this.#sleepers.add(done);
    });
  }

  /** A back-off that new segments do not cut short. */
  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal.addEventListener("abort", done, { once: true });
    });
  }
}

/** Books of a damaged stretch: its own if they were readable, else its rows, produced and quarantined. */
function badBooks(bad: ScannedSegment["bad"][number], atMs: number): BooksDelta[] {
  if (bad.books.length > 0) return quarantinedBooks(bad.books);
  if (bad.rows === 0) return [];
  const minute = Math.floor(atMs / 60_000) * 60;
  return [
    { minute, type: "damaged", produced: bad.rows, stored: 0, lost: 0, shed: 0, quarantined: bad.rows, filtered: 0 },
  ];
}

function booksRow(line: BooksDelta, { meta }: ScannedSegment): Readonly<Record<string, unknown>> {
  const { minute, ...counts } = line;
  return { minute, node: meta.node, boot: meta.boot, generation: meta.generation, ...counts };
}
