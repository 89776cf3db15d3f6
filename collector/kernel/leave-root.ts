/**
 * How a collector that root started gives up what it no longer needs. Before it loads anything it bounds itself and starts over (exec), so
 * that no thread can ever have more; once its programs are attached it becomes an ordinary user: the C library does that in every thread,
 * and only the main thread, which talks to the kernel, keeps the rights that `keptRights` names.
 */
import { existsSync } from "node:fs";
import { bitsOf, capabilitySets, namesOf, rightsCalls, type Capability } from "./capabilities.ts";
import { givePins } from "./pins.ts";

/** What reading rings, maps and iterators, and attaching to new devices of the own network namespace needs. */
const THREE: readonly Capability[] = ["BPF", "PERFMON", "NET_ADMIN"];

/** Where names of containers are: for root's eyes (identity/containers.ts). */
const CONTAINERS = ["/var/lib/docker/containers", "/var/lib/containers/storage"];

/**
 * Rights after the start: three. `more` adds what little is dark without (docs/guarantees.md): SYS_ADMIN, since a device's program is
 * attached in the network namespace of the calling thread, and entering one (setns) asks for it; SYS_PTRACE, since /proc/PID/exe of
 * other users asks for it; DAC_READ_SEARCH where containers' names are for root's eyes.
 */
export function keptRights(more: boolean): readonly Capability[] {
  if (!more) return THREE;
  const hidden = CONTAINERS.some((path) => existsSync(path));
  return [...THREE, "SYS_ADMIN", "SYS_PTRACE", ...(hidden ? (["DAC_READ_SEARCH"] as const) : [])];
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
