/**
 * Hot: 25 ns per event, C's own reader 19 (bench/decode.ts). Runs of drops and of connection events, from the ring into columns.
 *
 * What makes it so, each measured: the walk over the ring and the writing are one loop without a call; all 32-bit columns of a batch are
 * written through one array, `to` walking from column to column by `stride` in the order in which columns.ts laid them out (an array a
 * column: +40 ns); `| 0` spares V8 a check for overflow; a run is short, so that the function returns often and V8 compiles it whole
 * (one long loop falls back to the interpreter at each end). Only records of exactly the expected form are taken; the reader's careful
 * path (decoder.ts, events.ts) has the rest, and is the judge in runs.test.ts. Offsets: layout.gen.ts.
 */
import { firstOf, strideOf, wordsOf, type CommonColumns } from "./columns.ts";
import { COMMON, CONN, DROP } from "./layout.gen.ts";

/** Where a run reads: the ring's words, how far the kernel has written, and the time at which another CPU's turn comes. */
export interface Run {
  words: Uint32Array<ArrayBuffer>;
  /** Ring size - 1, bytes. */
  mask: number;
  head: number;
  tail: number;
  /** Wall clock ns: younger events are left. */
  limit: number;
  cpu: number;
}

/** A batch as runs write it. */
export interface Target {
  readonly out: Uint32Array<ArrayBuffer>;
  readonly cpu: Uint16Array<ArrayBuffer>;
  readonly capacity: number;
  readonly stride: number;
  /** Words where the second and third column of 4 words a row begin (the first is at 0), and those of one word a row. */
  readonly second: number;
  readonly third: number;
  readonly first: number;
}

/** The target of a batch with `blocks` columns of 4 words a row. */
export function targetOf(batch: CommonColumns, blocks: 2 | 3): Target {
  const { capacity, cpu } = batch;
  return {
    out: wordsOf(batch),
    cpu,
    capacity,
    stride: strideOf(capacity),
    second: firstOf(capacity, 1),
    third: firstOf(capacity, 2),
    first: firstOf(capacity, blocks),
  };
}

const SAMPLE = 9; // PERF_RECORD_SAMPLE
const LONGEST = 512;
const DROP_RECORD = 12 + DROP.bytes;
const CONN_RECORD = 12 + CONN.bytes;
const EV_LISTEN = 4;
const EV_DROP = 5;

/** Writes drops from the run's tail on to rows from `row`; returns how many, and moves the tail behind them. */
export function runDrops(run: Run, target: Target, row: number): number {
  const { words, mask, head, limit, cpu } = run;
  const { out, stride, second, first } = target;
  const cpus = target.cpu;
  const end = Math.min(target.capacity, row + LONGEST) | 0;
  const lastStart = (mask + 1 - DROP_RECORD) | 0;
  const from = row;
  let tail = run.tail;
  for (; row < end && tail !== head; row = (row + 1) | 0) {
    const offset = tail & mask;
    const at = ((offset >>> 2) + 3) | 0;
    if (
      offset > lastStart ||
      words[(at - 3) | 0] !== SAMPLE ||
      words[(at - 2) | 0]! >>> 16 !== DROP_RECORD ||
      words[(at - 1) | 0] !== DROP.bytes ||
      (head - tail) >>> 0 < DROP_RECORD
    )
      break;
    const tags = words[(at + COMMON.type) | 0]!;
    if ((tags & 0xff) !== EV_DROP) break;
    const low = words[at]!;
    const high = words[(at + 1) | 0]!;
    if (high * 4294967296 + low > limit) break;
    cpus[row] = cpu;
    let to = row << 2;
    out[to] = words[(at + COMMON.saddr) | 0]!;
    out[(to + 1) | 0] = words[(at + COMMON.saddr + 1) | 0]!;
    out[(to + 2) | 0] = words[(at + COMMON.saddr + 2) | 0]!;
    out[(to + 3) | 0] = words[(at + COMMON.saddr + 3) | 0]!;
    to = (second + to) | 0;
    out[to] = words[(at + COMMON.daddr) | 0]!;
    out[(to + 1) | 0] = words[(at + COMMON.daddr + 1) | 0]!;
    out[(to + 2) | 0] = words[(at + COMMON.daddr + 2) | 0]!;
    out[(to + 3) | 0] = words[(at + COMMON.daddr + 3) | 0]!;
    to = (first + row) | 0;
    out[to] = words[(at + DROP.seq) | 0]!;
    out[(to = (to + stride) | 0)] = tags;
    out[(to = (to + stride) | 0)] = low;
    out[(to = (to + stride) | 0)] = high;
    out[(to = (to + stride) | 0)] = words[(at + COMMON.cookie) | 0]!;
    out[(to = (to + stride) | 0)] = words[(at + COMMON.cookie + 1) | 0]!;
    out[(to = (to + stride) | 0)] = words[(at + COMMON.cgroup) | 0]!;
    out[(to = (to + stride) | 0)] = words[(at + COMMON.cgroup + 1) | 0]!;
    out[(to = (to + stride) | 0)] = words[(at + COMMON.netns) | 0]!;
    out[(to = (to + stride) | 0)] = words[(at + COMMON.ifindex) | 0]!;
    out[(to = (to + stride) | 0)] = words[(at + COMMON.sport) | 0]!;
    out[(to = (to + stride) | 0)] = words[(at + DROP.location) | 0]!;
    out[(to = (to + stride) | 0)] = words[(at + DROP.location + 1) | 0]!;
    out[(to = (to + stride) | 0)] = words[(at + DROP.reason) | 0]!;
    out[(to = (to + stride) | 0)] = words[(at + DROP.len) | 0]!;
    out[(to = (to + stride) | 0)] = words[(at + DROP.tcpflags) | 0]!;
    out[(to = (to + stride) | 0)] = words[(at + DROP.count) | 0]!;
    out[(to = (to + stride) | 0)] = words[(at + DROP.stack) | 0]!;
    out[(to = (to + stride) | 0)] = words[(at + DROP.iif) | 0]!;
    tail = (tail + DROP_RECORD) >>> 0;
  }
  run.tail = tail;
  return row - from;
}

/** Writes open, close, fail and listen events, as runDrops does, and counts them in `byType`. */
export function runConns(run: Run, target: Target, row: number, byType: Float64Array): number {
  const { words, mask, head, limit, cpu } = run;
  const { out, stride, second, third, first } = target;
  const cpus = target.cpu;
  const end = Math.min(target.capacity, row + LONGEST) | 0;
  const lastStart = (mask + 1 - CONN_RECORD) | 0;
  const from = row;
  let tail = run.tail;
  for (; row < end && tail !== head; row = (row + 1) | 0) {
    const offset = tail & mask;
    const at = ((offset >>> 2) + 3) | 0;
    if (
      offset > lastStart ||
      words[(at - 3) | 0] !== SAMPLE ||
      words[(at - 2) | 0]! >>> 16 !== CONN_RECORD ||
      words[(at - 1) | 0] !== CONN.bytes ||
      (head - tail) >>> 0 < CONN_RECORD
    )
      break;
    const tags = words[(at + COMMON.type) | 0]!;
    const type = tags & 0xff;
    if (type === 0 || type > EV_LISTEN) break;
    const low = words[at]!;
    const high = words[(at + 1) | 0]!;
    if (high * 4294967296 + low > limit) break;
    byType[type]!++;
    cpus[row] = cpu;
    let to = row << 2;
    out[to] = words[(at + COMMON.saddr) | 0]!;
    out[(to + 1) | 0] = words[(at + COMMON.saddr + 1) | 0]!;
    out[(to + 2) | 0] = words[(at + COMMON.saddr + 2) | 0]!;
    out[(to + 3) | 0] = words[(at + COMMON.saddr + 3) | 0]!;
    to = (second + (row << 2)) | 0;
    out[to] = words[(at + COMMON.daddr) | 0]!;
    out[(to + 1) | 0] = words[(at + COMMON.daddr + 1) | 0]!;
    out[(to + 2) | 0] = words[(at + COMMON.daddr + 2) | 0]!;
    out[(to + 3) | 0] = words[(at + COMMON.daddr + 3) | 0]!;
    to = (third + (row << 2)) | 0;
    out[to] = words[(at + CONN.comm) | 0]!;
    out[(to + 1) | 0] = words[(at + CONN.comm + 1) | 0]!;
    out[(to + 2) | 0] = words[(at + CONN.comm + 2) | 0]!;
    out[(to + 3) | 0] = words[(at + CONN.comm + 3) | 0]!;
    to = (first + row) | 0;
    out[to] = words[(at + CONN.seq) | 0]!;
    out[(to = (to + stride) | 0)] = tags;
    out[(to = (to + stride) | 0)] = low;
    out[(to = (to + stride) | 0)] = high;
    out[(to = (to + stride) | 0)] = words[(at + COMMON.cookie) | 0]!;
    out[(to = (to + stride) | 0)] = words[(at + COMMON.cookie + 1) | 0]!;
    out[(to = (to + stride) | 0)] = words[(at + COMMON.cgroup) | 0]!;
    out[(to = (to + stride) | 0)] = words[(at + COMMON.cgroup + 1) | 0]!;
    out[(to = (to + stride) | 0)] = words[(at + COMMON.netns) | 0]!;
    out[(to = (to + stride) | 0)] = words[(at + COMMON.ifindex) | 0]!;
    out[(to = (to + stride) | 0)] = words[(at + COMMON.sport) | 0]!;
    out[(to = (to + stride) | 0)] = words[(at + CONN.tx_bytes) | 0]!;
    out[(to = (to + stride) | 0)] = words[(at + CONN.tx_bytes + 1) | 0]!;
    out[(to = (to + stride) | 0)] = words[(at + CONN.rx_bytes) | 0]!;
    out[(to = (to + stride) | 0)] = words[(at + CONN.rx_bytes + 1) | 0]!;
    out[(to = (to + stride) | 0)] = words[(at + CONN.tx_segs) | 0]!;
    out[(to = (to + stride) | 0)] = words[(at + CONN.rx_segs) | 0]!;
    out[(to = (to + stride) | 0)] = words[(at + CONN.retrans) | 0]!;
    out[(to = (to + stride) | 0)] = words[(at + CONN.srtt_us) | 0]!;
    out[(to = (to + stride) | 0)] = words[(at + CONN.min_rtt_us) | 0]!;
    out[(to = (to + stride) | 0)] = words[(at + CONN.lat_us) | 0]!;
    out[(to = (to + stride) | 0)] = words[(at + CONN.dur_ns) | 0]!;
    out[(to = (to + stride) | 0)] = words[(at + CONN.dur_ns + 1) | 0]!;
    out[(to = (to + stride) | 0)] = words[(at + CONN.pid) | 0]!;
    out[(to = (to + stride) | 0)] = words[(at + CONN.oldstate) | 0]!;
    tail = (tail + CONN_RECORD) >>> 0;
  }
  run.tail = tail;
  return row - from;
}
