/** Where segments lie and what their names say. One directory, flat: `ID.open` (being written), `ID.seg` (complete), `quarantine/`. */
import { mkdir, open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { WORTH, type Worth } from "./segment.ts";

/** A complete segment that waits for the store. */
export interface SegmentFile {
  readonly id: string;
  readonly path: string;
  readonly table: string;
  readonly worth: Worth;
  readonly generation: number;
  readonly number: number;
  readonly bytes: number;
  /** Rows as far as known without reading the file; undefined for segments of an earlier run. */
  readonly rows: number | undefined;
  /** When the last row went in, ms since 1970, by the file's time for earlier runs. */
  readonly sealedMs: number;
  /** Bytes that count, where a failed fsync left some behind whose state nobody knows. */
  readonly upTo: number | undefined;
}

/** `boot8-generation-number-table-worth`: unique on this node, in order of writing within a generation. */
export function segmentId(boot: string, generation: number, number: number, table: string, worth: Worth): string {
  return `${boot.slice(0, 8)}-${generation}-${String(number).padStart(8, "0")}-${table}-${worth}`;
}

const NAME = /^([0-9a-f]{8}-(\d+)-(\d+)-([a-z_0-9]+)-([a-z]+))(?:\.upto-(\d+))?\.(open|seg)$/;

export interface SegmentName {
  readonly id: string;
  readonly generation: number;
  readonly number: number;
  readonly table: string;
  readonly worth: Worth;
  readonly upTo: number | undefined;
  readonly sealed: boolean;
}

/** What a file's name says, or undefined when it is no segment's. */
export function parseSegmentName(name: string): SegmentName | undefined {
  const match = NAME.exec(name);
  if (match === null) return undefined;
  const worth = WORTH.find((each) => each === match[5]);
  if (worth === undefined) return undefined;
  return {
    id: match[1]!,
    generation: Number(match[2]),
    number: Number(match[3]),
    table: match[4]!,
    worth,
    upTo: match[6] === undefined ? undefined : Number(match[6]),
    sealed: match[7] === "seg",
  };
}

/** Oldest first: by generation, then by number. */
export function inOrder(a: { generation: number; number: number }, b: { generation: number; number: number }): number {
  return a.generation - b.generation || a.number - b.number;
}

export async function makeSpoolDirectory(dir: string): Promise<void> {
  await mkdir(join(dir, "quarantine"), { recursive: true, mode: 0o750 });
}

/** Makes names in `dir` durable: a rename or unlink is not until its directory is. */
export async function syncDirectory(dir: string): Promise<void> {
  const handle = await open(dir, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** All segment files of `dir` with their sizes, oldest first. */
export async function listSegments(
  dir: string,
): Promise<{ name: SegmentName; path: string; bytes: number; mtimeMs: number }[]> {
  const found = [];
  for (const file of await readdir(dir)) {
    const name = parseSegmentName(file);
    if (name === undefined) continue;
    const path = join(dir, file);
    const { size, mtimeMs } = await stat(path);
    found.push({ name, path, bytes: size, mtimeMs });
  }
  return found.toSorted((a, b) => inOrder(a.name, b.name));
}
