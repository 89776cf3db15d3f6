/**
 * What an earlier run left behind. Complete segments are taken by name and read only when they are shipped (there may be
 * gigabytes). One that was being written is cut to its last whole frame, which is all that was acknowledged, and completed.
 * A start never fails on data: what cannot be read goes to quarantine/ with the reason beside it.
 */
import { open, readFile, rename, unlink, writeFile, readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { listSegments, makeSpoolDirectory, syncDirectory, type SegmentFile } from "./files.ts";
import { salvageBooks, SegmentCorrupt, scanSegment } from "./segment.ts";

export interface Recovered {
  readonly segments: SegmentFile[];
  /** Segments that were completed now. */
  readonly completed: number;
  /** Bytes behind the last whole frame that were cut off: written, never acknowledged. */
  readonly tornBytes: number;
  readonly quarantined: readonly { readonly name: string; readonly reason: string }[];
}

/** Makes the spool's directory usable and lists what waits in it, oldest first. */
export async function recoverSpool(dir: string): Promise<Recovered> {
  await makeSpoolDirectory(dir);
  for (const file of await readdir(dir)) if (file.endsWith(".stub")) await unlink(join(dir, file)); // a stub never renamed decides nothing
  const segments: SegmentFile[] = [];
  const quarantined: { name: string; reason: string }[] = [];
  let completed = 0;
  let tornBytes = 0;
  const listed = await listSegments(dir);
  for (const { name, path, bytes, mtimeMs } of listed) {
    const common = {
      id: name.id,
      table: name.table,
      worth: name.worth,
      generation: name.generation,
      number: name.number,
    };
    if (name.sealed) {
      // a stub took the place of an `upto` file, then the power went: the stub decides
      if (
        name.upTo !== undefined &&
        listed.some((other) => other.name.id === name.id && other.name.upTo === undefined)
      ) {
        await unlink(path);
        continue;
      }
      segments.push({ ...common, path, bytes, rows: undefined, sealedMs: mtimeMs, upTo: name.upTo });
      continue;
    }
    try {
      const { end, frames } = scanSegment(await readFile(path));
      tornBytes += bytes - end;
      if (frames.length === 0) {
        await unlink(path);
        continue;
      }
      await cut(path, end);
      const sealed = join(dir, `${name.id}.seg`);
      await rename(path, sealed);
      completed += 1;
      const rows = frames.reduce((sum, frame) => sum + frame.rows, 0);
      segments.push({ ...common, path: sealed, bytes: end, rows, sealedMs: mtimeMs, upTo: undefined });
    } catch (cause) {
      if (!(cause instanceof SegmentCorrupt)) throw cause;
      if (bytes < 4096 && !(await hasFrame(path))) {
        await unlink(path); // died while writing the header: no row was in it
        tornBytes += bytes;
        continue;
      }
      if (salvageBooks(await readFile(path)).length > 0) {
        // its header is lost, its frames' books are not: as a complete segment it goes to quarantine when it is shipped, and is counted
        const sealed = join(dir, `${name.id}.seg`);
        await rename(path, sealed);
        segments.push({ ...common, path: sealed, bytes, rows: undefined, sealedMs: mtimeMs, upTo: undefined });
        continue;
      }
      await quarantine(dir, path, cause.what);
      quarantined.push({ name: name.id, reason: cause.what });
    }
  }
  await syncDirectory(dir);
  return { segments, completed, tornBytes, quarantined };
}

/** Moves a file that cannot be used to quarantine/, with the reason in NAME.reason. */
export async function quarantine(dir: string, path: string, reason: string): Promise<string> {
  const to = join(dir, "quarantine", basename(path));
  await writeFile(`${to}.reason`, `${reason}\n`);
  await rename(path, to);
  await syncDirectory(join(dir, "quarantine"));
  return to;
}

async function cut(path: string, length: number): Promise<void> {
  const handle = await open(path, "r+");
  try {
    await handle.truncate(length);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function hasFrame(path: string): Promise<boolean> {
  return (await readFile(path)).includes("WFRM");
}
