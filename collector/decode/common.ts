/** Hot: 2 ns per event (bench/decode.ts). What all events share, into the columns that all batches share. */
import type { CommonColumns } from "./columns.ts";
import { COMMON } from "./layout.gen.ts";

/** The shared arrays of a batch in an object of one shape for all kinds, so that the code below stays monomorphic. */
export interface CommonArrays {
  readonly cpu: Uint16Array<ArrayBuffer>;
  readonly seq: Uint32Array<ArrayBuffer>;
  readonly tags: Uint32Array<ArrayBuffer>;
  readonly tsLow: Uint32Array<ArrayBuffer>;
  readonly tsHigh: Uint32Array<ArrayBuffer>;
  readonly cookieLow: Uint32Array<ArrayBuffer>;
  readonly cookieHigh: Uint32Array<ArrayBuffer>;
  readonly cgroupLow: Uint32Array<ArrayBuffer>;
  readonly cgroupHigh: Uint32Array<ArrayBuffer>;
  readonly netns: Uint32Array<ArrayBuffer>;
  readonly ifindex: Uint32Array<ArrayBuffer>;
  readonly source: Uint32Array<ArrayBuffer>;
  readonly destination: Uint32Array<ArrayBuffer>;
  readonly ports: Uint32Array<ArrayBuffer>;
}

/** The arrays that `batch` shares with all kinds. */
export function commonArrays(batch: CommonColumns): CommonArrays {
  return {
    cpu: batch.cpu,
    seq: batch.seq,
    tags: batch.tags,
    tsLow: batch.tsLow,
    tsHigh: batch.tsHigh,
    cookieLow: batch.cookieLow,
    cookieHigh: batch.cookieHigh,
    cgroupLow: batch.cgroupLow,
    cgroupHigh: batch.cgroupHigh,
    netns: batch.netns,
    ifindex: batch.ifindex,
    source: batch.source,
    destination: batch.destination,
    ports: batch.ports,
  };
}

/** Writes the common part of the event at word `at` of `words` to `row`. */
export function writeCommon(
  out: CommonArrays,
  row: number,
  words: Uint32Array,
  at: number,
  cpu: number,
  seq: number,
): void {
  out.cpu[row] = cpu;
  out.seq[row] = seq;
  out.tsLow[row] = words[at + COMMON.ts]!;
  out.tsHigh[row] = words[at + COMMON.ts + 1]!;
  out.cookieLow[row] = words[at + COMMON.cookie]!;
  out.cookieHigh[row] = words[at + COMMON.cookie + 1]!;
  out.cgroupLow[row] = words[at + COMMON.cgroup]!;
  out.cgroupHigh[row] = words[at + COMMON.cgroup + 1]!;
  out.netns[row] = words[at + COMMON.netns]!;
  out.ifindex[row] = words[at + COMMON.ifindex]!;
  const address = row * 4;
  out.source[address] = words[at + COMMON.saddr]!;
  out.source[address + 1] = words[at + COMMON.saddr + 1]!;
  out.source[address + 2] = words[at + COMMON.saddr + 2]!;
  out.source[address + 3] = words[at + COMMON.saddr + 3]!;
  out.destination[address] = words[at + COMMON.daddr]!;
  out.destination[address + 1] = words[at + COMMON.daddr + 1]!;
  out.destination[address + 2] = words[at + COMMON.daddr + 2]!;
  out.destination[address + 3] = words[at + COMMON.daddr + 3]!;
  out.ports[row] = words[at + COMMON.sport]!;
  out.tags[row] = words[at + COMMON.type]!;
}
