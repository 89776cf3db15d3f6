/** What the kernel's iterators tell of processes, without the right to trace them (bpf/processes.bpf.c). */
import { PROC, type Listener, type ProcessView } from "../identity/process-view.ts";
import { readIterator, type Iterator } from "../kernel/attach.ts";
import { isInitialPidNamespace } from "../kernel/init-witness.ts";
import type { KernelPrograms } from "./ebpf-kernel.ts";

const PROCESS_WORDS = 2; // struct process: u32 pid, netns
const HOLDER_WORDS = 6; // struct holder: u64 inode, u32 pid, netns, u16 port, protocol, u32 spare

/**
 * The view by `kernel`'s iterators, and by /proc where one of them was refused. In a PID namespace of its own the kernel's numbers of
 * processes are not those of /proc: by /proc alone there.
 */
export function processesOf(kernel: KernelPrograms): ProcessView {
  if (!isInitialPidNamespace()) return PROC;
  const processes = kernel.iterator("processes");
  const holders = kernel.iterator("holders");
  return {
    namespaces: () => (processes === undefined ? PROC.namespaces() : namespacesBy(processes)),
    listeners: (pids) => (holders === undefined ? PROC.listeners(pids) : listenersBy(holders)),
    holders: (inodes) => (holders === undefined ? PROC.holders(inodes) : holdersBy(holders, inodes)),
  };
}

function namespacesBy(iterator: Iterator): Map<number, number> {
  const found = new Map<number, number>();
  readIterator(iterator.open(), PROCESS_WORDS * 4, (words, records) => {
    for (let i = 0; i < records; i++) found.set(words[i * PROCESS_WORDS]!, words[i * PROCESS_WORDS + 1]!);
  });
  return found;
}

/** A process and what it listens with. */
interface Holder extends Listener {
  readonly pid: number;
  readonly netns: number;
}

function everyHolder(iterator: Iterator, take: (holder: Holder) => void): void {
  readIterator(iterator.open(), HOLDER_WORDS * 4, (words, records) => {
    for (let i = 0; i < records; i++) {
      const at = i * HOLDER_WORDS;
      const ends = words[at + 4]!;
      take({
        inode: words[at]! + words[at + 1]! * 4294967296,
        pid: words[at + 2]!,
        netns: words[at + 3]!,
        port: ends & 0xffff,
        protocol: ends >>> 16 === 6 ? 6 : 17,
      });
    }
  });
}

/** A socket that several processes hold is one listener. */
function listenersBy(iterator: Iterator): Map<number, Listener[]> {
  const found = new Map<number, Map<number, Listener>>();
  everyHolder(iterator, ({ inode, netns, port, protocol }) => {
    const here = found.get(netns) ?? new Map<number, Listener>();
    found.set(netns, here.set(inode, { inode, port, protocol }));
  });
  return new Map([...found].map(([netns, here]) => [netns, [...here.values()]]));
}

function holdersBy(iterator: Iterator, inodes: ReadonlySet<number>): Map<number, number> {
  const found = new Map<number, number>();
  if (inodes.size === 0) return found;
  everyHolder(iterator, ({ inode, pid }) => {
    if (inodes.has(inode) && !found.has(inode)) found.set(inode, pid);
  });
  return found;
}
