/**
 * What is asked of the processes of this machine, and how: by /proc, which tells it of other users' processes only to who may trace them
 * (CAP_SYS_PTRACE), or by iterators of the kernel (sources/ebpf-processes.ts), which tell it of all.
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** A socket that waits for connections, or (UDP) is bound and not connected. */
export interface Listener {
  readonly protocol: 6 | 17;
  readonly port: number;
  /** Inode of the socket: what /proc/PID/fd links to. */
  readonly inode: number;
}

export interface ProcessView {
  /** The network namespace (inode) of each process, by its id. */
  namespaces(): ReadonlyMap<number, number>;
  /** Who listens in each network namespace (inode) of `pids`, which has a process of each. */
  listeners(pids: ReadonlyMap<number, number>): ReadonlyMap<number, readonly Listener[]>;
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
  listeners(pids) {
    return new Map([...pids].map(([inode, pid]) => [inode, SOCKET_FILES.flatMap((file) => socketsIn(pid, file))]));
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

const SOCKET_FILES = ["tcp", "tcp6", "udp", "udp6"] as const;

/** A file of all sockets of a namespace; none where IPv6 is off, or the process has ended. The kernel walks the machine's whole table for it: 10 ms and more. */
function socketsIn(pid: number, file: (typeof SOCKET_FILES)[number]): Listener[] {
  try {
    return parseSockets(readFileSync(`/proc/${pid}/net/${file}`, "utf8"), file.startsWith("tcp") ? 6 : 17);
  } catch {
    return [];
  }
}

/** Listening sockets of /proc/net/tcp or bound ones of /proc/net/udp (state 0A = LISTEN, 07 = unconnected). */
export function parseSockets(text: string, protocol: 6 | 17): Listener[] {
  const wanted = protocol === 6 ? "0A" : "07";
  const found: Listener[] = [];
  for (const line of text.split("\n")) {
    const fields = line.trim().split(/\s+/);
    if (fields[3] !== wanted) continue;
    const port = Number.parseInt(fields[1]?.split(":")[1] ?? "", 16);
    const inode = Number(fields[9]);
    if (Number.isInteger(port) && port > 0 && inode > 0) found.push({ protocol, port, inode });
  }
  return found;
}

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
