/**
 * How a collector that root started gives up what it no longer needs. Before it loads anything it bounds itself and starts over (exec), so
 * that no thread can ever have more; once its programs are attached it becomes an ordinary user: the C library does that in every thread,
 * and only the main thread, which talks to the kernel, keeps the rights that `keptRights` names.
 */
import { chmodSync, chownSync, existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { bitsOf, capabilitySets, namesOf, rightsCalls, type Capability } from "./capabilities.ts";
import { pinsOf } from "./pins.ts";

/** What reading rings, maps and iterators, and attaching to new devices needs. */
export const THREE: readonly Capability[] = ["BPF", "PERFMON", "NET_ADMIN"];

/** Where names of containers are: for root's eyes (identity/containers.ts). */
const CONTAINERS = ["/var/lib/docker/containers", "/var/lib/containers/storage"];
const PINS = "/sys/fs/bpf";

/**
 * Rights after the start. `only three`: what other network namespaces hold is seen as it opens and closes, but not swept. Else
 * SYS_ADMIN, since a socket iterator and a device's program work in the network namespace of the calling thread, and entering one
 * (setns) asks for it; SYS_PTRACE, since /proc/PID/ns and /proc/PID/fd of other users ask for it; DAC_READ_SEARCH where it is
 * needed to read containers' names, or to take back the pinned counters.
 */
export function keptRights(onlyThree: boolean): readonly Capability[] {
  if (onlyThree) return THREE;
  const hidden = CONTAINERS.some((path) => existsSync(path)) || !isOpen(PINS);
  return [...THREE, "SYS_ADMIN", "SYS_PTRACE", ...(hidden ? (["DAC_READ_SEARCH"] as const) : [])];
}

/** True when anybody may look a name up there. */
function isOpen(path: string): boolean {
  try {
    return (statSync(path).mode & 0o001) !== 0;
  } catch {
    return true; // nothing is there to be taken back
  }
}

/**
 * Starts this process over with a bounding set of `kept`, as the same process for whoever started it. Returns when it is bounded
 * already, or cannot be (an older Node): then only its threads' present rights are given up later.
 */
export function boundByExec(kept: readonly Capability[], channel = 3): void {
  const { bounding, permitted } = capabilitySets();
  const keep = bitsOf(kept);
  if ((bounding & ~keep) === 0n || process.execve === undefined) return;
  const calls = rightsCalls();
  calls.set(permitted, permitted); // inherited: root's rights last until the programs are loaded
  calls.bound(keep); // after that: nothing becomes inheritable that is out of bounds
  const env = { ...process.env };
  if (process.channel !== undefined) {
    calls.keepOpen(channel);
    Object.assign(env, { NODE_CHANNEL_FD: String(channel), NODE_CHANNEL_SERIALIZATION_MODE: "json" });
  }
  process.execve(process.execPath, [process.execPath, ...process.execArgv, ...process.argv.slice(1)], env);
}

/** Becomes `user` with no right but `kept`, of those that it has; gives back their names. `dataDir`: whose pinned counters become his. */
export function leaveRoot(
  user: { readonly uid: number; readonly gid: number },
  kept: readonly Capability[],
  dataDir: string,
): string[] {
  givePins(user, dataDir);
  const calls = rightsCalls();
  const held = capabilitySets().permitted & bitsOf(kept);
  calls.keepOverSetuid();
  process.setgroups!([user.gid]);
  process.setgid!(user.gid);
  process.setuid!(user.uid);
  calls.set(held, 0n);
  calls.noNewRights();
  return namesOf(held);
}

/** The pinned counters of a run are taken back at its end by whom it has become; those of other collectors stay theirs. */
function givePins({ uid, gid }: { readonly uid: number; readonly gid: number }, dataDir: string): void {
  const dir = join(PINS, "weir");
  try {
    chmodSync(dir, 0o1777);
    for (const path of pinsOf(dataDir)) chownSync(path, uid, gid);
  } catch {
    return; // nothing is pinned
  }
}
