/**
 * What a run that was killed had in memory: the kernel made it, no durable book has it. The next start counts it, type by type:
 * made (the kernel's pinned counters, else what the ledger last noted) + read out − booked, and writes it as lost, in the minute in
 * which the run was last alive, into a segment of that run's own generation.
 *
 * Exactly once: the segment's name is fixed, its rename decides, and only then ledger and pin go. A second crash in between makes the same
 * segment again, whose books bear the same deduplication token.
 */
import { readFile, unlink } from "node:fs/promises";
import { join } from "node:path";
import { CRASH_MARK } from "../../model/book-types.ts";
import { writeStub } from "./budget.ts";
import { segmentId, type SegmentFile } from "./files.ts";
import { leftLedgers, type LedgerState } from "./ledger.ts";
import { scanSegment, type BooksDelta } from "./segment.ts";

/** Beyond any number that a run reaches. */
const CRASH_NUMBER = 99_999_999;

export interface CrashedRun {
  readonly generation: number;
  /** When it was last known to be alive, ms since 1970. */
  readonly atMs: number;
  /** Events that it had and that nothing durable has. */
  readonly lost: number;
  /** False: the kernel's own counters were not to be had, so what was made after `atMs` is in nobody's books. */
  readonly exact: boolean;
}

export interface Crashes {
  readonly runs: readonly CrashedRun[];
  /** Segments of books to be shipped. */
  readonly segments: readonly SegmentFile[];
}

/**
 * Books what killed runs of `dataDir` lost. `recovered`: the segments that they left, completed. `madeAt`: the kernel's counters by type at a pin,
 * undefined when they are gone. Removes the ledgers; the caller removes pins after that.
 */
export async function bookCrashes(
  dataDir: string,
  spoolDir: string,
  boot: string,
  recovered: readonly SegmentFile[],
  madeAt: (pin: string) => Readonly<Record<string, number>> | undefined,
): Promise<Crashes> {
  const runs: CrashedRun[] = [];
  const segments: SegmentFile[] = [];
  for (const { path, state } of leftLedgers(dataDir)) {
    if (state !== undefined) {
      const pinned = state.boot === boot && state.pin !== "" ? madeAt(state.pin) : undefined;
      const lines = await lostLines(state, recovered, pinned ?? state.made);
      const lost = lines.reduce((sum, line) => sum + line.lost, 0);
      runs.push({ generation: state.generation, atMs: state.atMs, lost, exact: pinned !== undefined });
      if (lost > 0) segments.push(await write(spoolDir, state, lines));
    }
    await unlink(path);
  }
  return { runs, segments };
}

async function lostLines(
  state: LedgerState,
  recovered: readonly SegmentFile[],
  made: Readonly<Record<string, number>>,
): Promise<BooksDelta[]> {
  const booked = new Map(Object.entries(state.booked));
  for (const line of await unnoted(state, recovered))
    booked.set(line.type, (booked.get(line.type) ?? 0) + line.produced);
  const minute = Math.floor(state.atMs / 60_000) * 60;
  const lines: BooksDelta[] = [];
  for (const type of new Set([...Object.keys(made), ...Object.keys(state.readOut)])) {
    const lost = (made[type] ?? 0) + (state.readOut[type] ?? 0) - (booked.get(type) ?? 0);
    if (lost <= 0) continue;
    const name = `${type}${CRASH_MARK}`;
    lines.push({ minute, type: name, produced: lost, stored: 0, lost, shed: 0, quarantined: 0, filtered: 0 });
  }
  return lines;
}

/** Books of frames that were durable when the process died, before the ledger said so: at most the newest of each lane. */
async function unnoted(state: LedgerState, recovered: readonly SegmentFile[]): Promise<BooksDelta[]> {
  const books: BooksDelta[] = [];
  for (const segment of recovered) {
    if (segment.generation !== state.generation || segment.number === CRASH_NUMBER) continue;
    const noted = state.lanes[`${segment.table}-${segment.worth}`];
    if (noted !== undefined && segment.number < noted.number) continue;
    const known = noted !== undefined && segment.number === noted.number ? noted.frames : 0;
    const { frames } = scanSegment(await readFile(segment.path), segment.upTo);
    for (const frame of frames) if (frame.index >= known) books.push(...frame.books);
  }
  return books;
}

async function write(spoolDir: string, state: LedgerState, lines: readonly BooksDelta[]): Promise<SegmentFile> {
  const { node, boot, generation, atMs } = state;
  const id = segmentId(boot, generation, CRASH_NUMBER, "books", "record");
  const path = join(spoolDir, `${id}.seg`);
  const bytes = await writeStub(
    path,
    { id, table: "books", format: "JSONEachRow", columns: [], node, boot, generation, createdMs: atMs },
    lines,
  );
  return {
    id,
    path,
    table: "books",
    worth: "record",
    generation,
    number: CRASH_NUMBER,
    bytes,
    rows: 0,
    sealedMs: atMs,
    upTo: undefined,
  };
}
