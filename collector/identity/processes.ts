/** Who holds a socket: /proc/PID/fd by socket inode. Reads every process's descriptors, so only for inodes that nobody knows yet. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { basename } from "node:path";
import { cgroupOfProcess, type CgroupFacts } from "./cgroups.ts";
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

/** The processes that hold the sockets of `inodes`; those of other users are missing without root. */
export async function holdersOf(inodes: ReadonlySet<number>): Promise<Map<number, ProcessFacts>> {
  const found = new Map<number, ProcessFacts>();
  if (inodes.size === 0) return found;
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const pid = Number(entry);
    let descriptors: string[];
    try {
      descriptors = readdirSync(`/proc/${pid}/fd`);
    } catch {
      continue; // ended, or not ours to see
    }
    for (const descriptor of descriptors) {
      let link: string;
      try {
        link = readlinkSync(`/proc/${pid}/fd/${descriptor}`);
      } catch {
        continue; // closed meanwhile
      }
      const inode = Number(/^socket:\[(\d+)\]$/.exec(link)?.[1] ?? 0);
      if (inode === 0 || !inodes.has(inode) || found.has(inode)) continue;
      const facts = await processFacts(pid);
      if (facts !== undefined) found.set(inode, facts);
    }
    if (found.size === inodes.size) break;
  }
  return found;
}
