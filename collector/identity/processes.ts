/** Names of processes, and who holds a socket. */
import { readFileSync, readlinkSync } from "node:fs";
import { basename } from "node:path";
import { cgroupOfProcess, type CgroupFacts } from "./cgroups.ts";
import type { ProcessView } from "./process-view.ts";
import { visibleText } from "./visible-text.ts";

export interface ProcessFacts {
  readonly pid: number;
  readonly comm: string;
  readonly cgroup: CgroupFacts;
}

export async function processFacts(pid: number): Promise<ProcessFacts | undefined> {
  try {
    const comm = readFileSync(`/proc/${pid}/comm`, "utf8").replace(/\n$/, "");
    return { pid, comm: processName(visibleText(comm, 64), pid), cgroup: cgroupOfProcess(pid) };
  } catch {
    return undefined; // ended meanwhile
  }
}

/** Node names its threads: `MainThread` says nothing. The executable's name does, while the process lives. */
const THREAD_NAMES = /^(MainThread|libuv-worker|node-MainThread|DelayedTaskSche|V8Worker|SignalInspector)$/;

/** The name of the process whose thread is called `comm` (visible text): its main thread's, or its executable's. */
export function processName(comm: string, pid: number): string {
  if (pid === 0) return THREAD_NAMES.test(comm) ? "node" : comm;
  try {
    const leader = visibleText(readFileSync(`/proc/${pid}/comm`, "utf8").replace(/\n$/, ""), 64);
    return THREAD_NAMES.test(leader) ? visibleText(basename(readlinkSync(`/proc/${pid}/exe`)), 64) : leader;
  } catch {
    return THREAD_NAMES.test(comm) ? "node" : comm; // ended, or not ours to see
  }
}

/** The processes that hold the listening sockets of `inodes`, as `processes` knows them. */
export async function holdersOf(
  processes: ProcessView,
  inodes: ReadonlySet<number>,
): Promise<Map<number, ProcessFacts>> {
  const found = new Map<number, ProcessFacts>();
  for (const [inode, pid] of processes.holders(inodes)) {
    const facts = await processFacts(pid);
    if (facts !== undefined) found.set(inode, facts);
  }
  return found;
}
