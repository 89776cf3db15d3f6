/** Who holds a data directory: a file that names the process, written once, removed at the end, taken over from the dead. */
import { open, readFile, rm } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { systemCode } from "../../model/errors.ts";
import { makeDirectory } from "../directory.ts";
import { StoreError } from "../errors.ts";

interface Holder {
  readonly pid: number;
  /** Start time from /proc (clock ticks since boot), so that a number used again is not taken for the holder; "" where there is no /proc. */
  readonly started: string;
  readonly command: string;
}

/** Takes the directory for this process as its `part` (`store`, `collector`), making it when it is new. Throws StoreError that says who holds it, or that it cannot be written. */
export async function lockDirectory(dataDir: string, part = "store"): Promise<() => Promise<void>> {
  const runDir = join(dataDir, "run");
  const path = join(runDir, `${part}.pid`);
  try {
    await makeDirectory(runDir);
    for (let tries = 0; tries < 3; tries++) {
      if (await writeOnce(path)) return () => rm(path, { force: true });
      const holder = await readHolder(path);
      if (holder !== undefined && startedAt(holder.pid) === holder.started && isAlive(holder.pid)) {
        throw new StoreError({
          code: "store-held",
          where: dataDir,
          what: `the data directory is held by process ${holder.pid} (${holder.command}), which is its ${part}`,
          next: `stop it, or choose another directory with WEIR_DATA_DIR`,
        });
      }
      await rm(path, { force: true }); // its holder is dead
    }
  } catch (thrown) {
    throw asStoreError(thrown, dataDir);
  }
  throw new StoreError({
    code: "store-held",
    where: dataDir,
    what: "several processes fight for this data directory",
    next: "start only one of them",
  });
}

/** A sentence for a directory that cannot be made or written. */
export function asStoreError(thrown: unknown, dataDir: string): unknown {
  const code = systemCode(thrown);
  if (code === "EROFS" || code === "EACCES" || code === "EPERM" || code === "ENOENT") {
    return new StoreError({
      code: "store-read-only",
      where: dataDir,
      what:
        code === "EROFS"
          ? "the data directory is on a read-only disk"
          : "the data directory cannot be written by this user",
      next: "make it writable, or choose another with WEIR_DATA_DIR",
      cause: thrown,
    });
  }
  if (code === "ENOSPC")
    return new StoreError({
      code: "store-full",
      where: dataDir,
      what: "the disk is full",
      next: "make room, or choose another disk with WEIR_DATA_DIR",
      cause: thrown,
    });
  if (code === "ENOTDIR" || code === "EEXIST")
    return new StoreError({
      code: "store-directory",
      where: dataDir,
      what: "a file stands where the data directory should be",
      next: "choose another with WEIR_DATA_DIR",
      cause: thrown,
    });
  return thrown;
}

async function writeOnce(path: string): Promise<boolean> {
  try {
    const file = await open(path, "wx", 0o644);
    const holder: Holder = {
      pid: process.pid,
      started: startedAt(process.pid),
      command: process.argv.slice(1, 4).join(" "),
    };
    await file.writeFile(`${JSON.stringify(holder)}\n`);
    await file.close();
    return true;
  } catch (thrown) {
    if (systemCode(thrown) === "EEXIST") return false;
    throw thrown;
  }
}

async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    const holder: unknown = JSON.parse(await readFile(path, "utf8"));
    if (typeof holder === "object" && holder !== null && "pid" in holder && typeof holder.pid === "number")
      return holder as Holder;
    return undefined;
  } catch {
    return undefined; // torn by a kill while it was written, or gone in between: nobody holds it
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return systemCode(thrown) === "EPERM"; // alive, of another user
  }
}

function startedAt(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? ""; // field 22, starttime
  } catch {
    return ""; // no /proc (macOS), or no such process
  }
}
