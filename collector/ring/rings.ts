import { availableParallelism } from "node:os";
import { cpuList } from "../kernel/cpus.ts";
import { KernelError, memoryAt, type Libbpf, type Pointer } from "../kernel/libbpf.ts";
import { isNull } from "../kernel/load.ts";
import { ringOver, type Ring } from "./reader.ts";

/** The perf rings of all CPUs, behind a map of type PERF_EVENT_ARRAY. */
export interface Rings extends Disposable {
  readonly rings: readonly Ring[];
  /** Readable when one of them is filled to its watermark. */
  readonly epollFd: number;
}

const PERF_COUNT_SW_BPF_OUTPUT = 10n;
const PERF_SAMPLE_RAW = 1n << 10n;
const WATERMARK = 1n << 14n; // struct perf_event_attr: bit 14 of the flags

/**
 * Makes and maps a ring of `pages` pages (a power of two) for each CPU that is online. It wakes its reader when a quarter is full, never
 * per event: a wake-up costs as much as 45 events.
 * Throws KernelError `ring-memory`: without CAP_IPC_LOCK, 128 pages a CPU is what perf_event_mlock_kb = 516 allows.
 */
export function openRings(lib: Libbpf, mapFd: number, pages: number, pageBytes = 4096): Rings {
  const attribute = Buffer.alloc(128); // struct perf_event_attr
  attribute.writeUInt32LE(1, 0); // PERF_TYPE_SOFTWARE
  attribute.writeUInt32LE(128, 4);
  attribute.writeBigUInt64LE(PERF_COUNT_SW_BPF_OUTPUT, 8);
  attribute.writeBigUInt64LE(1n, 16); // sample_period
  attribute.writeBigUInt64LE(PERF_SAMPLE_RAW, 24);
  attribute.writeBigUInt64LE(WATERMARK, 40);
  attribute.writeUInt32LE((pages * pageBytes) / 4, 48); // wakeup_watermark
  const handle = lib.ringsNew(mapFd, pages, attribute, null, null, null);
  if (isNull(handle)) {
    throw new KernelError({
      code: "ring-memory",
      what: `the kernel refuses rings of ${pages} pages a CPU`,
      expected: "a power of two, at most 128 without CAP_IPC_LOCK",
      next: "ask for fewer pages, or raise the sysctl kernel.perf_event_mlock_kb",
    });
  }
  const count = Number(lib.ringsCount(handle));
  const online = cpuList("online"); // libbpf numbers its buffers by the CPUs that are online
  return {
    rings: Array.from({ length: count }, (_, index) => mapped(lib, handle, index, online[index] ?? index, pageBytes)),
    epollFd: lib.ringsEpollFd(handle),
    [Symbol.dispose]: () => lib.ringsFree(handle),
  };
}

function mapped(lib: Libbpf, handle: Pointer, index: number, cpu: number, pageBytes: number): Ring {
  const start: [Pointer] = [null];
  const size: [number] = [0];
  if (lib.ringMemory(handle, index, start, size) < 0) throw new Error(`ring ${index} has no memory`);
  return ringOver(cpu, memoryAt(start[0], Number(size[0]) + pageBytes), pageBytes); // libbpf leaves the control page out of the size
}

/** Memory of all rings together, at most. */
const MOST_BYTES = 64 * 1024 * 1024;
/** What anybody may lock: perf_event_mlock_kb = 516 by default, one page of it for the control page. */
const ALWAYS_PAGES = 128;

/**
 * Rings of `pages` pages; left out, the largest that the kernel lets this process lock, so that a collector that does not
 * get a CPU for a while loses nothing: at 1,500 events/s and CPU, 128 pages hold two seconds, 1,024 pages sixteen. Throws as openRings.
 */
export function largestRings(lib: Libbpf, mapFd: number, pages?: number, pageBytes = 4096): Rings {
  if (pages !== undefined) return openRings(lib, mapFd, pages, pageBytes);
  const share = MOST_BYTES / pageBytes / availableParallelism();
  for (let wanted = 1024; wanted > ALWAYS_PAGES; wanted /= 2) {
    if (wanted > share) continue;
    try {
      return openRings(lib, mapFd, wanted, pageBytes);
    } catch (error) {
      if (!(error instanceof KernelError) || error.code !== "ring-memory") throw error;
    }
  }
  return openRings(lib, mapFd, ALWAYS_PAGES, pageBytes);
}
