/**
 * The writing end of the spool. Rows are added in memory; `flush` writes them as one frame a lane and makes them durable
 * with one fdatasync each (a group: all rows of the last ≤ 100 ms). A lane is a table and a worth, so that the budget can
 * take whole files. A lane's segment is sealed at `sealRows`, `sealBytes` or `sealMs`, whichever comes first.
 *
 * A write that fails (ENOSPC, EIO) loses nothing by itself: the lane's file is cut back to its durable length and sealed, the
 * rows stay in memory and go to a new file at the next flush. Memory is bounded by `pendingBytes`; what exceeds it is
 * shed, least worth first, and counted in the books.
 */
import { access, open, rename, unlink, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { systemCode } from "../../model/errors.ts";
import { segmentId, syncDirectory, type SegmentFile } from "./files.ts";
import { giveBack } from "./give-back.ts";
import { encodeFrame, encodeSegmentHeader, MAX_FRAME_BYTES, WORTH, type BooksDelta, type Worth } from "./segment.ts";

export interface SpoolLimits {
  readonly sealRows: number;
  readonly sealBytes: number;
  readonly sealMs: number;
  /** Bytes of rows that may wait in memory while the disk refuses them. */
  readonly pendingBytes: number;
}

export const SPOOL_LIMITS: SpoolLimits = {
  sealRows: 50_000,
  sealBytes: 16 << 20,
  sealMs: 1000,
  pendingBytes: 32 << 20,
};

export interface SpoolIdentity {
  readonly dir: string;
  readonly node: string;
  readonly boot: string;
  readonly generation: number;
}

/** Rows of one table with what the books say of them. */
export interface Lot {
  readonly table: string;
  readonly worth: Worth;
  readonly format: "RowBinary" | "JSONEachRow";
  readonly columns: readonly string[];
  readonly rows: number;
  readonly payload: Uint8Array;
  readonly books: readonly BooksDelta[];
  /** Seal later than `sealMs`: for tables that nobody watches live. */
  readonly sealMs?: number;
}

interface OpenSegment {
  readonly id: string;
  readonly number: number;
  readonly path: string;
  readonly handle: FileHandle;
  readonly openedMs: number;
  bytes: number;
  rows: number;
  frames: number;
}

interface Lane {
  readonly table: string;
  readonly worth: Worth;
  readonly format: "RowBinary" | "JSONEachRow";
  readonly columns: readonly string[];
  readonly sealMs: number;
  pending: Lot[];
  /** So many at the front of `pending` are on their way to the disk. */
  writing: number;
  pendingBytes: number;
  segment: OpenSegment | undefined;
  /** Closed, but not under its final name yet: the disk refused. Until it is, this lane writes nothing. */
  stuck: StuckSegment | undefined;
}

interface StuckSegment {
  readonly segment: OpenSegment;
  /** Bytes that count; undefined = all. */
  readonly upTo: number | undefined;
  isRenamed: boolean;
}

export interface SpoolWriterEvents {
  readonly sealed: (segment: SegmentFile) => void;
  /** A frame is about to be made of what has been added until now. */
  readonly writing?: () => void;
  /** A frame is on the disk: the `frames`th of segment `number` in `lane`. Called before the segment is sealed. */
  readonly durable?: (lane: string, number: number, frames: number, books: readonly BooksDelta[]) => void;
  /** The disk refused: one sentence's worth of cause. Called once a failure. */
  readonly failed: (cause: unknown, lane: string) => void;
  /** Rows that were given up because memory was full, as books to be added. */
  readonly shed: (rows: number, books: readonly BooksDelta[]) => void;
}

/** What the writer needs of a disk; tests put a failing one in its place. */
export interface SpoolDisk {
  open(path: string): Promise<FileHandle>;
  write(handle: FileHandle, parts: readonly Uint8Array[], at: number): Promise<void>;
  sync(handle: FileHandle): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  syncDirectory(dir: string): Promise<void>;
}

export const REAL_DISK: SpoolDisk = {
  open: (path) => open(path, "wx", 0o640),
  async write(handle, parts, at) {
    let position = at;
    for (const part of parts) {
      let done = 0;
      while (done < part.length) {
        const { bytesWritten } = await handle.write(part, done, part.length - done, position);
        done += bytesWritten;
        position += bytesWritten;
      }
    }
  },
  sync: (handle) => handle.datasync(),
  rename,
  unlink,
  syncDirectory,
};

export class SpoolWriter {
  readonly #identity: SpoolIdentity;
  readonly #limits: SpoolLimits;
  readonly #events: SpoolWriterEvents;
  readonly #disk: SpoolDisk;
  readonly #lanes = new Map<string, Lane>();
  #number = 0;
  #pendingBytes = 0;
  #flushing: Promise<void> | undefined;
  /** Segments stay open so many times longer. More than 1 while the store is away: fewer and larger ones wait then. */
  patience = 1;

  constructor(
    identity: SpoolIdentity,
    events: SpoolWriterEvents,
    limits: SpoolLimits = SPOOL_LIMITS,
    disk: SpoolDisk = REAL_DISK,
  ) {
    this.#identity = identity;
    this.#events = events;
    this.#limits = limits;
    this.#disk = disk;
  }

  /** Bytes of segments that are being written. */
  get openBytes(): number {
    let bytes = 0;
    for (const lane of this.#lanes.values()) bytes += lane.segment?.bytes ?? 0;
    return bytes;
  }

  /** Bytes of rows in memory, not durable yet. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** True while anything, rows or books, waits in memory. */
  get hasPending(): boolean {
    return [...this.#lanes.values()].some((lane) => lane.pending.length > 0);
  }

  /** Takes rows into memory. They are durable when the next `flush` has resolved without telling `failed`. */
  add(lot: Lot): void {
    if (lot.rows === 0 && lot.books.length === 0) return;
    const key = `${lot.table}-${lot.worth}`;
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      lane = {
        table: lot.table,
        worth: lot.worth,
        format: lot.format,
        columns: lot.columns,
        sealMs: lot.sealMs ?? this.#limits.sealMs,
        pending: [],
        writing: 0,
        pendingBytes: 0,
        segment: undefined,
        stuck: undefined,
      };
      this.#lanes.set(key, lane);
    }
    lane.pending.push(lot);
    lane.pendingBytes += lot.payload.length;
    this.#pendingBytes += lot.payload.length;
    if (this.#pendingBytes > this.#limits.pendingBytes) this.#shedPending();
  }

  /** Writes what is pending as one group. One at a time: a call while one runs joins the next group. */
  async flush(nowMs: number): Promise<void> {
    while (this.#flushing !== undefined) await this.#flushing;
    const run = this.#flushAll(nowMs).finally(() => (this.#flushing = undefined));
    this.#flushing = run;
    await run;
  }

  /** Flushes, then seals every lane. The writer can be used again. */
  async close(nowMs: number): Promise<void> {
    await this.flush(nowMs);
    for (const lane of this.#lanes.values()) {
      if (lane.stuck !== undefined) await this.#settle(lane, nowMs);
      if (lane.segment !== undefined) await this.#seal(lane, nowMs, undefined);
    }
  }

  async #flushAll(nowMs: number): Promise<void> {
    await Promise.all(
      [...this.#lanes.values()].map(async (lane) => {
        if (lane.stuck !== undefined && !(await this.#settle(lane, nowMs))) return;
        if (lane.pending.length > 0) await this.#flushLane(lane, nowMs);
        const segment = lane.segment;
        if (segment === undefined) return;
        const full = segment.rows >= this.#limits.sealRows || segment.bytes >= this.#limits.sealBytes;
        if (full || nowMs - segment.openedMs >= lane.sealMs * this.patience || nowMs < segment.openedMs)
          await this.#seal(lane, nowMs, undefined);
      }),
    );
  }

  async #flushLane(lane: Lane, nowMs: number): Promise<void> {
    const group: Lot[] = [];
    let bytes = 0;
    this.#events.writing?.();
    for (const lot of lane.pending) {
      if (group.length > 0 && bytes + lot.payload.length > MAX_FRAME_BYTES / 2) break;
      group.push(lot);
      bytes += lot.payload.length;
    }
    const rows = group.reduce((sum, lot) => sum + lot.rows, 0);
    const books = mergeBooks(group.flatMap((lot) => lot.books));
    lane.writing = group.length;
    try {
      const segment = (lane.segment ??= await this.#begin(lane, nowMs));
      const parts = encodeFrame(
        segment.frames,
        segment.rows,
        rows,
        group.map((lot) => lot.payload),
        books,
      );
      await this.#disk.write(segment.handle, parts, segment.bytes);
      await this.#disk.sync(segment.handle);
      for (const part of parts) segment.bytes += part.length;
      segment.rows += rows;
      segment.frames += 1;
      this.#events.durable?.(`${lane.table}-${lane.worth}`, segment.number, segment.frames, books);
    } catch (cause) {
      lane.writing = 0;
      this.#events.failed(cause, `${lane.table}-${lane.worth}`);
      if (lane.segment !== undefined) await this.#seal(lane, nowMs, lane.segment.bytes);
      return;
    }
    lane.writing = 0;
    lane.pending.splice(0, group.length);
    for (const lot of group) giveBack(lot.payload);
    lane.pendingBytes = lane.pending.reduce((sum, lot) => sum + lot.payload.length, 0);
    this.#pendingBytes = [...this.#lanes.values()].reduce((sum, each) => sum + each.pendingBytes, 0);
    if (lane.pending.length > 0) await this.#flushLane(lane, nowMs);
  }

  async #begin(lane: Lane, nowMs: number): Promise<OpenSegment> {
    const number = this.#number++;
    const { dir, node, boot, generation } = this.#identity;
    const id = segmentId(boot, generation, number, lane.table, lane.worth);
    const path = join(dir, `${id}.open`);
    const handle = await this.#disk.open(path);
    const header = encodeSegmentHeader({
      id,
      table: lane.table,
      format: lane.format,
      columns: [...lane.columns],
      node,
      boot,
      generation,
      createdMs: nowMs,
    });
    try {
      await this.#disk.write(handle, [header], 0);
      await this.#disk.syncDirectory(dir); // else the rows would be durable in a file without a name
    } catch (cause) {
      await handle.close();
      await this.#disk.unlink(path).catch(() => undefined); // without a frame it decides nothing: the next start removes it
      throw cause;
    }
    return { id, number, path, handle, openedMs: nowMs, bytes: header.length, rows: 0, frames: 0 };
  }

  /**
   * Closes the lane's segment and gives it its final name. `upTo`: the bytes that count after a failure. The name carries it, as the state of
   * the rest is unknown: those rows are written again, elsewhere, and must not count twice. So until the name stands, the lane is stuck.
   */
  async #seal(lane: Lane, nowMs: number, upTo: number | undefined): Promise<void> {
    const segment = lane.segment;
    if (segment === undefined) return;
    lane.segment = undefined;
    lane.stuck = { segment, upTo, isRenamed: false };
    await segment.handle.close().catch(() => undefined); // what counts was synced; the descriptor is gone either way
    await this.#settle(lane, nowMs);
  }

  /** True when the lane is free again. */
  async #settle(lane: Lane, nowMs: number): Promise<boolean> {
    const stuck = lane.stuck!;
    const { segment, upTo } = stuck;
    const { dir, generation } = this.#identity;
    const path = join(dir, upTo === undefined ? `${segment.id}.seg` : `${segment.id}.upto-${upTo}.seg`);
    try {
      if (!stuck.isRenamed) {
        await (segment.frames === 0 ? this.#disk.unlink(segment.path) : this.#disk.rename(segment.path, path)).catch(
          async (cause: unknown) => {
            // a disk may do it and say that it failed: then the old name is gone
            if (systemCode(cause) !== "ENOENT") throw cause;
            if (segment.frames > 0) await access(path);
          },
        );
        stuck.isRenamed = true;
      }
      await this.#disk.syncDirectory(dir);
    } catch (cause) {
      this.#events.failed(cause, `${lane.table}-${lane.worth}`);
      return false;
    }
    lane.stuck = undefined;
    if (segment.frames === 0) return true;
    this.#events.sealed({
      id: segment.id,
      path,
      table: lane.table,
      worth: lane.worth,
      generation,
      number: segment.number,
      bytes: upTo ?? segment.bytes,
      rows: segment.rows,
      sealedMs: nowMs,
      upTo,
    });
    return true;
  }

  #shedPending(): void {
    for (const worth of WORTH) {
      if (worth === "record") return;
      for (const lane of this.#lanes.values()) {
        if (lane.worth !== worth) continue;
        while (lane.pending.length > lane.writing && this.#pendingBytes > this.#limits.pendingBytes) {
          const [lot] = lane.pending.splice(lane.writing, 1) as [Lot];
          lane.pendingBytes -= lot.payload.length;
          this.#pendingBytes -= lot.payload.length;
          this.#events.shed(lot.rows, shedBooks(lot.books)); // never reached a segment: the caller carries its books
        }
      }
    }
  }
}

/** The same counts with everything that was to be stored now shed. */
export function shedBooks(books: readonly BooksDelta[]): BooksDelta[] {
  return books.map((line) => ({ ...line, stored: 0, shed: line.shed + line.stored }));
}

/** The same counts with everything that was to be stored now in quarantine. */
export function quarantinedBooks(books: readonly BooksDelta[]): BooksDelta[] {
  return books.map((line) => ({ ...line, stored: 0, quarantined: line.quarantined + line.stored }));
}

/** One line per minute and type. */
export function mergeBooks(books: readonly BooksDelta[]): BooksDelta[] {
  const merged = new Map<string, BooksDelta>();
  for (const line of books) {
    const key = `${line.minute} ${line.type}`;
    const sum = merged.get(key);
    if (sum === undefined) merged.set(key, { ...line });
    else {
      sum.produced += line.produced;
      sum.stored += line.stored;
      sum.lost += line.lost;
      sum.shed += line.shed;
      sum.quarantined += line.quarantined;
      sum.filtered += line.filtered;
    }
  }
  return [...merged.values()];
}
