import type { Syscalls } from "./libbpf.ts";

const CLOCK_REALTIME = 0;
const CLOCK_BOOTTIME = 7;

/** Nanoseconds since boot, sleep included: the clock of the programs. As a double: exact for 104 days, then to 2 ns. */
export function bootNs(calls: Syscalls): number {
  return Number(read(calls, CLOCK_BOOTTIME));
}

/** Wall clock minus boot clock, ns, to about a microsecond. */
export function wallOffset(calls: Syscalls): bigint {
  return read(calls, CLOCK_REALTIME) - read(calls, CLOCK_BOOTTIME);
}

function read(calls: Syscalls, clock: number): bigint {
  const time = Buffer.alloc(16); // struct timespec
  if (calls.clockGettime(clock, time) !== 0) throw new Error(`clock ${clock} cannot be read`);
  return time.readBigInt64LE(0) * 1_000_000_000n + time.readBigInt64LE(8);
}
