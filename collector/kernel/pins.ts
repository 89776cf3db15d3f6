/**
 * The kernel's counters outlive a killed collector: the map `cpu_stats` is pinned in bpffs, where its name holds it. Names are made of the data
 * directory and the generation, so that two collectors on one machine do not meet. Only the map is pinned: programs and links go with the process.
 */
import { createHash } from "node:crypto";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmdirSync,
  statfsSync,
  unlinkSync,
} from "node:fs";
import { join } from "node:path";
import { CPU_STATS } from "../decode/layout.gen.ts";
import { EventType } from "../decode/columns.ts";
import { openLibbpf, type Libbpf } from "./libbpf.ts";
import { readCpuStats } from "./stats.ts";

const BPFFS = "/sys/fs/bpf";
const BPFFS_MAGIC = 0xcafe4a11; // BPF_FS_MAGIC, include/uapi/linux/magic.h
const VALUE_SIZE = 12; // offset in struct bpf_map_info: type, id, key_size, value_size

const directory = (): string => join(BPFFS, "weir");
/** Names in bpffs have no dots and 255 bytes: a directory whose path is too long goes by its hash. */
function prefix(dataDir: string): string {
  const path = realpathSync(dataDir);
  const name = Buffer.from(path).toString("base64url");
  return name.length <= 200 ? `${name}~` : `#${createHash("sha256").update(path).digest("hex")}~`;
}

/** The path for a run's counters, its directory made; undefined where there is no bpffs and none can be mounted. */
export function pinPath(dataDir: string, generation: number): string | undefined {
  try {
    if (!isBpffs()) execFileSync("mount", ["-t", "bpf", "bpf", BPFFS], { stdio: "ignore" }); // as bpftool does before it pins
    mkdirSync(directory(), { recursive: true, mode: 0o700 });
    return join(directory(), `${prefix(dataDir)}${generation}`);
  } catch {
    return undefined; // no /sys, no mount(8), no right to mount: the ledger alone is kept then
  }
}

/** Pins the map. False when the kernel refuses. */
export function pinMap(lib: Libbpf, mapFd: number, path: string): boolean {
  return lib.pin(mapFd, path) === 0;
}

/** Events by type name that were made until the run that pinned `path` died; undefined when nothing usable is pinned there. */
export function madeAtPin(path: string): Readonly<Record<string, number>> | undefined {
  if (!path.startsWith(`${directory()}/`)) return undefined;
  let lib: Libbpf;
  try {
    lib = openLibbpf();
  } catch {
    return undefined;
  }
  const fd = lib.pinned(path);
  if (fd < 0) return undefined;
  try {
    const info = Buffer.alloc(88);
    // a program of another version counts in another shape
    if (lib.info(fd, info, Uint32Array.of(info.length)) !== 0 || info.readUInt32LE(VALUE_SIZE) !== CPU_STATS.bytes)
      return undefined;
    return madeByType(readCpuStats(lib, fd));
  } finally {
    closeSync(fd);
  }
}

/** Sums over CPUs by the type's name. */
export function madeByType(stats: readonly { readonly produced: readonly number[] }[]): Record<string, number> {
  const made: Record<string, number> = {};
  for (const [name, type] of Object.entries(EventType)) {
    const sum = stats.reduce((total, cpu) => total + (cpu.produced[type] ?? 0), 0);
    if (sum > 0) made[name] = sum;
  }
  return made;
}

/**
 * Gives the pins of `dataDir` to whom this process is about to become, which takes them back at its end. The directory is held open
 * until then: /sys/fs/bpf is often closed to all but root, but not to a descriptor.
 */
export function givePins({ uid, gid }: { readonly uid: number; readonly gid: number }, dataDir: string): void {
  try {
    openSync(directory(), "r");
    chmodSync(directory(), 0o1777);
    for (const path of pinsOf(dataDir)) chownSync(path, uid, gid);
  } catch {
    return; // nothing is pinned
  }
}

/** The directory of pins, by the descriptor that `givePins` left open where there is one. */
function reached(): string {
  try {
    for (const fd of readdirSync("/proc/self/fd")) {
      const path = `/proc/self/fd/${fd}`;
      if (linkAt(path) === directory()) return path;
    }
  } catch {
    return directory(); // no /proc
  }
  return directory();
}

function linkAt(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ""; // the descriptor of this very look
  }
}

/** What is pinned of `dataDir`: paths. Empty where nothing is. */
export function pinsOf(dataDir: string): string[] {
  const mine = prefix(dataDir);
  return pinned()
    .filter((name) => name.startsWith(mine))
    .map((name) => join(reached(), name));
}

/** Removes all pins of `dataDir` and those of data directories that are gone, and the directory when none is left. */
export function removePins(dataDir: string): void {
  for (const path of pinsOf(dataDir)) remove(() => unlinkSync(path));
  for (const name of pinned()) {
    const owner = name.split("~")[0]!;
    const isGone = !owner.startsWith("#") && !existsSync(Buffer.from(owner, "base64url").toString());
    if (isGone) remove(() => unlinkSync(join(reached(), name)));
  }
  remove(() => rmdirSync(directory()));
}

function pinned(): string[] {
  try {
    return readdirSync(reached());
  } catch {
    return []; // nobody pinned anything, or it is not ours to see
  }
}

/** What cannot be removed (another collector's, of another user, in use) stays: a pin costs a few kilobytes, and is no reason not to start. */
function remove(one: () => void): void {
  try {
    one();
  } catch {
    return;
  }
}

function isBpffs(): boolean {
  return statfsSync(BPFFS).type === BPFFS_MAGIC;
}
