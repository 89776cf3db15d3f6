import { closeSync, constants, fstatSync, openSync, renameSync, writeSync } from "node:fs";
import { join } from "node:path";
import { makeDirectory } from "../store/directory.ts";
import type { Report } from "./supervise.ts";

/** Of each of the two files: what a part says in days, or in the minute of a failure. */
const MAX_BYTES = 1_000_000;
const { O_APPEND, O_CREAT, O_DIRECTORY, O_NOFOLLOW, O_RDONLY, O_WRONLY } = constants;

/**
 * Keeps what the parts say in `DATA_DIR/log/weir.log` and, before that, `weir.log.1`, and hands each line on. A disk that refuses
 * ends the keeping, which is said once; never a part.
 *
 * The data directory may belong to the ordinary user that store and app run as, and what they say is written here, maybe by root: so the
 * folder is held open, is this process's own, and no link is followed to or in it.
 */
export async function keepLog(dataDir: string, report: Report): Promise<Report> {
  const log = await openLog(join(dataDir, "log"));
  if (log === undefined) return report; // the parts will say in their own words what is wrong with the directory
  let isKept = true;
  return (line) => {
    report(line);
    if (!isKept) return;
    try {
      log.write(`${line}\n`);
    } catch (cause) {
      isKept = false;
      report(`warn: what the parts say is no longer kept in ${join(dataDir, "log")} (${String(cause)})`);
    }
  };
}

interface Log {
  write(text: string): void;
}

/** Undefined where there is no such folder, and none can be made, or it is somebody else's. */
async function openLog(folder: string): Promise<Log | undefined> {
  let here: string;
  try {
    await makeDirectory(folder, 0o750);
    const held = openSync(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (fstatSync(held).uid !== process.getuid?.()) {
      closeSync(held);
      return undefined;
    }
    here = process.platform === "linux" ? `/proc/self/fd/${held}` : folder; // openat, as Node has none
  } catch {
    return undefined;
  }
  const path = join(here, "weir.log");
  const open = (): number => openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o640);
  let file: number | undefined;
  let size = 0;
  return {
    write(text) {
      if (file === undefined) size = fstatSync((file = open())).size;
      if (size > MAX_BYTES) {
        closeSync(file);
        renameSync(path, `${path}.1`);
        file = open();
        size = 0;
      }
      size += writeSync(file, text);
    },
  };
}
