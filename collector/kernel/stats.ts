import { CPU_STATS } from "../decode/layout.gen.ts";
import { cpuList } from "./cpus.ts";
import type { Libbpf, Pointer } from "./libbpf.ts";

/** The books that the programs keep (struct cpu_stats), CPU by CPU. */
export interface CpuStats {
  readonly cpu: number;
  /** By event type, 0–15. */
  readonly produced: readonly number[];
  readonly lost: readonly number[];
  readonly shed: readonly number[];
  readonly dropsPassed: number;
  readonly livesFull: number;
  readonly conversationsFull: number;
  readonly packetsShed: number;
  /** Events that came in the middle of the same program and were taken by its twin. */
  readonly nested: number;
  /** Times that the program `witness` ran while process 1 was the current task. */
  readonly initRan: number;
  /** Packets that other programs saw then. */
  readonly initPackets: number;
}

const TYPES = (CPU_STATS.lost - CPU_STATS.produced) / 8;

/** Reads the per-CPU map `cpu_stats`. Running totals since load. */
export function readCpuStats(lib: Libbpf, mapFd: number): CpuStats[] {
  const cpus = cpuList("possible");
  const values = Buffer.alloc(CPU_STATS.bytes * cpus.length);
  const result = lib.lookup(mapFd, Buffer.alloc(4), values);
  if (result !== 0) throw new Error(`cpu_stats cannot be read (${result})`);
  return cpus.map((cpu, slot) => {
    const u64 = (offset: number) => Number(values.readBigUInt64LE(slot * CPU_STATS.bytes + offset));
    const byType = (offset: number) => Array.from({ length: TYPES }, (_, type) => u64(offset + type * 8));
    return {
      cpu,
      produced: byType(CPU_STATS.produced),
      lost: byType(CPU_STATS.lost),
      shed: byType(CPU_STATS.shed),
      dropsPassed: u64(CPU_STATS.drops_passed),
      livesFull: u64(CPU_STATS.lives_full),
      conversationsFull: u64(CPU_STATS.conversations_full),
      packetsShed: u64(CPU_STATS.packets_shed),
      nested: u64(CPU_STATS.nested),
      initRan: u64(CPU_STATS.init_ran),
      initPackets: u64(CPU_STATS.init_packets),
    };
  });
}

const RECURSION_MISSES = 208; // offset in struct bpf_prog_info (include/uapi/linux/bpf.h, since 5.12)

/** How often the kernel skipped a program because it was already running on that CPU (a soft-irq in the middle of it). */
export function recursionMisses(lib: Libbpf, program: Pointer): number {
  const info = Buffer.alloc(256);
  const length = Uint32Array.of(info.length);
  if (lib.info(lib.programFd(program), info, length) !== 0 || length[0]! < RECURSION_MISSES + 8) return 0;
  return Number(info.readBigUInt64LE(RECURSION_MISSES));
}
