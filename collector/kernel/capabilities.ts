/**
 * Capabilities of this process (capabilities(7)): read from /proc, changed by prctl and capset. Both act on the calling thread alone, so
 * sets for a whole process are made before an exec, which leaves one thread, or by setuid, which the C library does in all of them.
 */
import { readFileSync } from "node:fs";
import koffi from "koffi";
import { WeirError } from "../../model/errors.ts";

/** Bits of include/uapi/linux/capability.h, those that Weir has a word to say about. */
export const CAPABILITY = {
  DAC_READ_SEARCH: 2,
  NET_ADMIN: 12,
  IPC_LOCK: 14,
  SYS_PTRACE: 19,
  SYS_ADMIN: 21,
  SYS_NICE: 23,
  SYSLOG: 34,
  PERFMON: 38,
  BPF: 39,
} as const;

export type Capability = keyof typeof CAPABILITY;

/** The sets of one thread, as bits. */
export interface CapabilitySets {
  readonly effective: bigint;
  readonly permitted: bigint;
  readonly inheritable: bigint;
  readonly bounding: bigint;
}

/** Reads the sets of a thread from the text of its /proc/…/status. */
export function capabilitySets(status = readFileSync("/proc/thread-self/status", "latin1")): CapabilitySets {
  const set = (name: string): bigint =>
    BigInt(`0x${new RegExp(`^${name}:\\s*([0-9a-f]+)$`, "m").exec(status)?.[1] ?? "0"}`);
  return { effective: set("CapEff"), permitted: set("CapPrm"), inheritable: set("CapInh"), bounding: set("CapBnd") };
}

/** Bits of a list of names. */
export function bitsOf(names: readonly Capability[]): bigint {
  return names.reduce((bits, name) => bits | (1n << BigInt(CAPABILITY[name])), 0n);
}

/** Names of bits, as the kernel writes them, without CAP_; unknown ones by number. */
export function namesOf(bits: bigint): string[] {
  const names = new Map<number, string>(Object.entries(CAPABILITY).map(([name, bit]) => [bit, name]));
  return Array.from({ length: 64 }, (_, bit) => bit)
    .filter((bit) => ((bits >> BigInt(bit)) & 1n) === 1n)
    .map((bit) => names.get(bit) ?? String(bit));
}

/** What can be changed. Each throws WeirError `rights` when the kernel refuses. */
export interface RightsCalls {
  /** Takes everything but `keep` out of the bounding set of this thread: nothing that it becomes by exec can have more. */
  bound(keep: bigint): void;
  /** Sets effective and permitted, and what an exec inherits. */
  set(held: bigint, inheritable: bigint): void;
  /** Lets an exec into a program without rights of its own keep `bits`, which must be held and inheritable. */
  ambient(bits: bigint): void;
  /** Keeps the permitted set over the next setuid away from root, for this thread alone. */
  keepOverSetuid(): void;
  /** No exec gives rights any more (setuid programs, file capabilities). */
  noNewRights(): void;
  /** Leaves the descriptor open over an exec. */
  keepOpen(fd: number): void;
}

const PR_SET_KEEPCAPS = 8; // include/uapi/linux/prctl.h
const PR_CAPBSET_DROP = 24;
const PR_SET_NO_NEW_PRIVS = 38;
const PR_CAP_AMBIENT = 47;
const PR_CAP_AMBIENT_RAISE = 2;
const CAPABILITY_VERSION_3 = 0x20080522;
const F_SETFD = 2;

/** The calls, of the C library of this process. */
export function rightsCalls(): RightsCalls {
  const libc = koffi.load(null);
  const prctl = libc.func(
    "int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)",
  ) as (option: number, a: number, b: number, c: number, d: number) => number;
  const capset = libc.func("int capset(void *header, const void *data)") as (a: Buffer, b: Buffer) => number;
  const fcntl = libc.func("int fcntl(int fd, int command, long argument)") as (...all: number[]) => number;
  const must = (result: number, what: string): void => {
    if (result < 0)
      throw new WeirError({ code: "rights", what: `the kernel refused to ${what} (errno ${koffi.errno()})` });
  };
  return {
    bound(keep) {
      const { bounding } = capabilitySets();
      for (let bit = 0; bit < 64; bit++) {
        const mask = 1n << BigInt(bit);
        if ((bounding & mask) !== 0n && (keep & mask) === 0n)
          must(prctl(PR_CAPBSET_DROP, bit, 0, 0, 0), "give up rights");
      }
    },
    set(held, inheritable) {
      const header = Buffer.alloc(8); // struct __user_cap_header_struct { u32 version; int pid }
      header.writeUInt32LE(CAPABILITY_VERSION_3, 0);
      const data = Buffer.alloc(24); // two of struct __user_cap_data_struct { u32 effective, permitted, inheritable }
      for (const [half, at] of [
        [0n, 0],
        [32n, 12],
      ] as const) {
        const low = (bits: bigint): number => Number((bits >> half) & 0xffffffffn);
        data.writeUInt32LE(low(held), at);
        data.writeUInt32LE(low(held), at + 4);
        data.writeUInt32LE(low(inheritable), at + 8);
      }
      must(capset(header, data), "set rights");
    },
    ambient(bits) {
      for (let bit = 0; bit < 64; bit++)
        if (((bits >> BigInt(bit)) & 1n) === 1n)
          must(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, bit, 0, 0), "hand rights on");
    },
    keepOverSetuid: () => must(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), "keep rights"),
    noNewRights: () => must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "refuse new rights"),
    keepOpen: (fd) => must(fcntl(fd, F_SETFD, 0), "keep a descriptor open"),
  };
}
