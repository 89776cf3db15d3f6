import { closeSync, constants, fstatSync, lstatSync, openSync, renameSync, statSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { makeDirectory } from "../store/directory.ts";
import type { Report } from "./supervise.ts";

/** Of each of the two files: what a part says in days, or in the minute of a failure. */
const MAX_BYTES = 1_000_000;

/**
 * Keeps what the parts say in `DATA_DIR/log/weir.log` and, before that, `weir.log.1`, and hands each line on. A disk that refuses
 * ends the keeping, which is said once; never a part.
 */
export async function keepLog(dataDir: string, report: Report): Promise<Report> {
  const path = join(dataDir, "log", "weir.log");
  let size: number | undefined;
  try {
    await makeDirectory(join(dataDir, "log"), 0o750);
    size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  } catch {
    // The parts will say in their own words what is wrong with the directory.
  }
  return (line) => {
    report(line);
    if (size === undefined) return;
    try {
      if (size > MAX_BYTES) {
        renameSync(path, `${path}.1`);
        size = 0;
      }
      append(path, `${line}\n`);
      size += Buffer.byteLength(line) + 1;
    } catch (cause) {
      size = undefined;
      report(`warn: what the parts say is no longer kept in ${path} (${String(cause)})`);
    }
  };
}

/** The directory may belong to an ordinary user while root writes: no link is followed out of it, no second name of a file written to. */
function append(path: string, text: string): void {
  const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_WRONLY } = constants;
  if (!lstatSync(dirname(path)).isDirectory()) throw new Error(`${dirname(path)} is no directory`);
  const fd = openSync(path, O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_WRONLY, 0o640);
  try {
    const { nlink } = fstatSync(fd);
    if (nlink > 1) throw new Error("the file has another name");
    writeSync(fd, text);
  } finally {
    closeSync(fd);
  }
}
