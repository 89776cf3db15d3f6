/**
 * What is asked of the processes of this machine, and how: by /proc, which tells it of other users' processes only to who may trace them
 * (CAP_SYS_PTRACE), or by iterators of the kernel (sources/ebpf-processes.ts), which tell it of all.
 */
import { readdirSync, readlinkSync } from "node:fs";

export interface ProcessView {
  /** The network namespace (inode) of each process, by its id. */
  namespaces(): ReadonlyMap<number, number>;
  /** The id of a process that holds each listening TCP or unconnected UDP socket of `inodes`; those that nobody is known to hold are missing. */
  holders(inodes: ReadonlySet<number>): ReadonlyMap<number, number>;
}

/** By /proc, for where there are no iterators: a replay, another PID namespace, before the start, an old kernel. */
export const PROC: ProcessView = {
  namespaces() {
    const found = new Map<number, number>();
    for (const pid of processIds()) {
      const inode = Number(/^net:\[(\d+)\]$/.exec(linkAt(`/proc/${pid}/ns/net`))?.[1] ?? 0);
      if (inode !== 0) found.set(pid, inode);
    }
    return found;
  },
  holders(inodes) {
    const found = new Map<number, number>();
    for (const pid of inodes.size === 0 ? [] : processIds()) {
      for (const descriptor of descriptorsOf(pid)) {
        const inode = Number(/^socket:\[(\d+)\]$/.exec(linkAt(`/proc/${pid}/fd/${descriptor}`))?.[1] ?? 0);
        if (inodes.has(inode) && !found.has(inode)) found.set(inode, pid);
      }
      if (found.size === inodes.size) break;
    }
    return found;
  },
};

function processIds(): number[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number);
}

function descriptorsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`);
  } catch {
    return []; // ended, or not ours to see
  }
}

/** Where the link leads; "" when it is gone or not ours to see. */
function linkAt(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}
