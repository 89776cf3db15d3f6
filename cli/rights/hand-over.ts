import {
  closeSync,
  constants,
  existsSync,
  fchownSync,
  fstatSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { systemCode, WeirError } from "../../model/errors.ts";
import type { OrdinaryUser } from "./ordinary-user.ts";

/** What Weir makes in a data directory: that alone is given away, and the directory itself. */
const OURS: ReadonlySet<string> = new Set(["store", "tmp", "run", "spool", "ledger", "generation"]);
/** What else may lie in a new one: written before or for Weir, and left to root. */
const BESIDE: ReadonlySet<string> = new Set(["inventory.yaml", "log", "demo"]);
/** By these a directory that root filled is known as Weir's: a store's, a collector's. */
const MARKS: readonly string[] = ["run/writer.token", "generation", "run/collector.pid", "run/store.pid"];

/**
 * Gives the data directory to `user`, making it when it is new; what root's earlier runs left in it goes with it. Nothing is followed
 * out of it: no symbolic link, no second name of a file, no other file system's mount. Throws WeirError when the directory cannot be one.
 */
export function handOver(dataDir: string, user: OrdinaryUser): void {
  const path = resolve(dataDir);
  try {
    mkdirSync(path, { recursive: true, mode: 0o755 });
  } catch {
    return; // who opens it says in a sentence what is wrong
  }
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch {
    return; // the same
  }
  try {
    const own = fstatSync(fd);
    const names = readdirSync(here(fd));
    const isNew = names.every((name) => OURS.has(name) || BESIDE.has(name));
    const byRoot = own.uid === 0;
    if (byRoot && !isNew && !MARKS.some((mark) => existsSync(join(here(fd), mark))))
      throw new WeirError({
        code: "data-dir",
        where: path,
        what: "this directory belongs to root and holds other things than Weir's, so it is not given to an ordinary user",
        next: "choose an empty one with WEIR_DATA_DIR, or run all as root with WEIR_USER=root",
      });
    const gift = { user, device: own.dev, byRoot };
    for (const name of names) if (OURS.has(name)) give(fd, name, gift);
    if (byRoot) fchownSync(fd, user.uid, user.gid); // last: what was cut short is begun again
  } catch (thrown) {
    const code = systemCode(thrown);
    if (code !== "EROFS" && code !== "EPERM") throw thrown; // a disk without owners: who opens it says what is wrong
  } finally {
    closeSync(fd);
  }
}

interface Gift {
  readonly user: OrdinaryUser;
  readonly device: number;
  /** Nobody but root could write here until now, so that a file's second name is the engine's own and no trap. */
  readonly byRoot: boolean;
}

/** Below an open directory, so that nobody can put a link in its way meanwhile (openat by /proc). */
function give(parent: number, name: string, gift: Gift): void {
  const { user, device, byRoot } = gift;
  const path = join(here(parent), name);
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  let fd: number;
  try {
    const entry = lstatSync(path);
    if (!entry.isFile() && !entry.isDirectory()) {
      // A link is given away itself, never what it points at; so is the collector's socket, which the app asks.
      if ((entry.isSymbolicLink() || entry.isSocket()) && entry.uid === 0) lchownSync(path, user.uid, user.gid);
      return;
    }
    fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch {
    return; // removed meanwhile, or turned into a link: not ours any more
  }
  try {
    const entry = fstatSync(fd);
    if (entry.dev !== device || (!byRoot && entry.isFile() && entry.nlink > 1)) return;
    if (entry.uid === 0) fchownSync(fd, user.uid, user.gid);
    if (entry.isDirectory()) for (const child of readdirSync(here(fd))) give(fd, child, gift);
  } finally {
    closeSync(fd);
  }
}

function here(fd: number): string {
  return `/proc/self/fd/${fd}`;
}
