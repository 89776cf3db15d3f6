import koffi from "koffi";

/** Keeps the calling thread on one CPU (sched_setaffinity(2)). */
export function pin(cpu: number): void {
  const mask = Buffer.alloc(8);
  mask.writeBigUInt64LE(1n << BigInt(cpu));
  const setAffinity = koffi.load(null).func("int sched_setaffinity(int thread, size_t size, void *mask)");
  setAffinity(0, mask.length, mask);
}
