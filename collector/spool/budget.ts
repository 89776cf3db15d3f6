/** What goes when the spool's disk budget is spent: the least worth first, the oldest first within it. */
import { open, rename, unlink, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { mergeBooks, shedBooks } from "./append.ts";
import { inOrder, syncDirectory, type SegmentFile } from "./files.ts";
import { encodeFrame, encodeSegmentHeader, scanSegment, WORTH, type BooksDelta, type SegmentMeta } from "./segment.ts";

/** A segment of fewer bytes holds only books: nothing is gained by shedding it again. */
export const STUB_BYTES = 4096;

/** The segments to give up so that `bytes` fit into `budget`; records are never given up. */
export function toShed(segments: readonly SegmentFile[], bytes: number, budget: number): SegmentFile[] {
  const chosen: SegmentFile[] = [];
  let over = bytes - budget;
  for (const worth of WORTH) {
    if (worth === "record") break;
    for (const segment of segments
      .filter((each) => each.worth === worth && each.bytes > STUB_BYTES)
      .toSorted(inOrder)) {
      if (over <= 0) return chosen;
      chosen.push(segment);
      over -= segment.bytes;
    }
  }
  return chosen;
}

/**
 * Puts a stub of the same id in a segment's place: no rows, and books that say `shed`. The rename is the moment of decision, so
 * a crash leaves either the whole segment or the stub, and the balance holds. Gives back what stands there now.
 */
export async function shedSegment(
  segment: SegmentFile,
): Promise<{ stub: SegmentFile; rows: number; books: readonly BooksDelta[] }> {
  const scanned = scanSegment(await readFile(segment.path), segment.upTo);
  const books = mergeBooks([
    ...scanned.frames.flatMap((frame) => frame.books),
    ...scanned.bad.flatMap((bad) => bad.books),
  ]);
  const rows = scanned.frames.reduce((sum, frame) => sum + frame.rows, 0);
  const shed = shedBooks(books);
  return { stub: await replaceByStub(segment, scanned.meta.columns, scanned.meta, shed), rows, books: shed };
}

/** Writes the stub beside the segment, makes it durable, renames it over the segment. */
export async function replaceByStub(
  segment: SegmentFile,
  columns: readonly string[],
  owner: {
    readonly node: string;
    readonly boot: string;
    readonly createdMs: number;
    readonly format: SegmentMeta["format"];
  },
  books: readonly BooksDelta[],
): Promise<SegmentFile> {
  const dir = dirname(segment.path);
  const path = join(dir, `${segment.id}.seg`);
  const meta = {
    ...owner,
    id: segment.id,
    table: segment.table,
    columns: [...columns],
    generation: segment.generation,
  };
  const bytes = await writeStub(path, meta, books);
  if (segment.path !== path) await unlink(segment.path);
  await syncDirectory(dir);
  return { ...segment, path, upTo: undefined, rows: 0, bytes };
}

/** Writes a segment without rows, only with books, at `path`: whole or not at all. Gives its bytes. */
export async function writeStub(path: string, meta: SegmentMeta, books: readonly BooksDelta[]): Promise<number> {
  const temporary = path.replace(/\.seg$/, ".stub");
  const parts = [encodeSegmentHeader(meta), ...encodeFrame(0, 0, 0, [], books)];
  const handle = await open(temporary, "w", 0o640);
  try {
    await handle.writeFile(Buffer.concat(parts));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, path);
  await syncDirectory(dirname(path));
  return parts.reduce((sum, part) => sum + part.length, 0);
}
