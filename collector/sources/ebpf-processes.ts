/** What the kernel's iterators tell of processes, without the right to trace them (bpf/processes.bpf.c). */
import { PROC, type ProcessView } from "../identity/process-view.ts";
import { readIterator, type Iterator } from "../kernel/attach.ts";
import { isInitialPidNamespace } from "../kernel/init-witness.ts";
import type { KernelPrograms } from "./ebpf-kernel.ts";

const PROCESS_WORDS = 2; // struct process: u32 pid, netns
const HOLDER_WORDS = 4; // struct holder: u64 inode, u32 pid, spare

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

function holdersBy(iterator: Iterator, inodes: ReadonlySet<number>): Map<number, number> {
  const found = new Map<number, number>();
  if (inodes.size === 0) return found;
  readIterator(iterator.open(), HOLDER_WORDS * 4, (words, records) => {
    for (let i = 0; i < records; i++) {
      const at = i * HOLDER_WORDS;
      const inode = words[at]! + words[at + 1]! * 4294967296;
      if (inodes.has(inode) && !found.has(inode)) found.set(inode, words[at + 2]!);
    }
  });
  return found;
}
