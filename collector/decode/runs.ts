/**
 * Hot: 29 ns per event, C's own reader 19 (bench/decode.ts). Runs of drops and of connection events, from the ring into columns.
 *
 * What makes it so, each measured: the walk over the ring and the writing are one loop without a call; all 32-bit columns of a batch are
 * written through one array, `to` walking from column to column by `stride` in the order in which columns.ts laid them out (an array a
 * column: +40 ns); `| 0` spares V8 a check for overflow; a run is short, so that the function returns often and V8 compiles it whole
 * (one long loop falls back to the interpreter at each end). Only records of exactly the expected form are taken; the reader's careful
 * path (decoder.ts, events.ts) has the rest, and is the judge in runs.test.ts. Offsets: layout.gen.ts.
 */
import { BATCH_ROWS, firstOf, strideOf, wordsOf, type CommonColumns } from "./columns.ts";
import { COMMON, CONN, DROP } from "./layout.gen.ts";

/** Where a run reads: the ring's words, how far the kernel has written, and the time at which another CPU's turn comes. */
export interface Run {
  words: Uint32Array<ArrayBuffer>;
  /** Ring size - 1, bytes. */
  mask: number;
  head: number;
  tail: number;
  /** Wall clock ns: younger events are left. */
  limitLow: number;
  limitHigh: number;
  cpu: number;
}

/** A batch of BATCH_ROWS rows as runs write it. */
export interface Target {
  readonly out: Uint32Array<ArrayBuffer>;
  readonly cpu: Uint16Array<ArrayBuffer>;
}

/** The target of a batch; undefined where it has another number of rows, for which there are no runs. */
export function targetOf(batch: CommonColumns): Target | undefined {
  return batch.capacity === BATCH_ROWS ? { out: wordsOf(batch), cpu: batch.cpu } : undefined;
}

/** Words from a column to the next; where the columns with one word a row begin, behind two or three with four. */
const STRIDE = strideOf(BATCH_ROWS);
const SECOND = firstOf(BATCH_ROWS, 1);
const THIRD = firstOf(BATCH_ROWS, 2);
const AFTER_TWO = firstOf(BATCH_ROWS, 2);
const AFTER_THREE = firstOf(BATCH_ROWS, 3);

// Copies of what layout.gen.ts says: V8 takes a module's own constants as such, and loads imported ones each time (+4 ns).
const {
  type: TYPE,
  saddr: SADDR,
  daddr: DADDR,
  cookie: COOKIE,
  cgroup: CGROUP,
  netns: NETNS,
  ifindex: IFINDEX,
  sport: SPORT,
} = COMMON;
const {
  bytes: DROP_BYTES,
  seq: DROP_SEQ,
  location: DROP_LOCATION,
  reason: DROP_REASON,
  len: DROP_LEN,
  tcpflags: DROP_TCPFLAGS,
  count: DROP_COUNT,
  stack: DROP_STACK,
  iif: DROP_IIF,
} = DROP;
const {
  bytes: CONN_BYTES,
  comm: CONN_COMM,
  seq: CONN_SEQ,
  tx_bytes: CONN_TX_BYTES,
  rx_bytes: CONN_RX_BYTES,
  tx_segs: CONN_TX_SEGS,
  rx_segs: CONN_RX_SEGS,
  retrans: CONN_RETRANS,
  srtt_us: CONN_SRTT_US,
  min_rtt_us: CONN_MIN_RTT_US,
  lat_us: CONN_LAT_US,
  dur_ns: CONN_DUR_NS,
  pid: CONN_PID,
  oldstate: CONN_OLDSTATE,
} = CONN;

const SAMPLE = 9; // PERF_RECORD_SAMPLE
const LONGEST = 2048;
const DROP_RECORD = 12 + DROP_BYTES;
const CONN_RECORD = 12 + CONN_BYTES;
const EV_LISTEN = 4;
const EV_DROP = 5;
// of the word type | family << 8 | protocol << 16 | direction << 24: families are 4 and 6, a drop has no direction (decoder.ts: areSane)
const FAMILY_MASK = 0xfd00;
const IPV4_OR_6 = 0x0400;
const SANE_DROP = 0xff00fdff | 0;

/** The row at which a run of records of `bytes` ends at the latest: the batch or the ring is full, or the next record crosses the ring's end. */
function endOfRun(run: Run, row: number, bytes: number): number {
  const written = (run.head - run.tail) >>> 0;
  const toEnd = run.mask + 1 - (run.tail & run.mask);
  return Math.min(BATCH_ROWS, row + LONGEST, row + Math.floor(Math.min(written, toEnd) / bytes)) | 0;
}

/** Writes drops from the run's tail on to rows from `row`; returns how many, and moves the tail behind them. */
export function runDrops(run: Run, target: Target, row: number): number {
  const { words, limitLow, limitHigh, cpu } = run;
  const { out, cpu: cpus } = target;
  const from = row;
  const end = endOfRun(run, row, DROP_RECORD);
  let at = (((run.tail & run.mask) >>> 2) + 3) | 0;
  for (; row < end; row = (row + 1) | 0) {
    if (words[(at - 3) | 0] !== SAMPLE || words[(at - 2) | 0]! >>> 16 !== DROP_RECORD) break;
    if (words[(at - 1) | 0] !== DROP_BYTES) break;
    const tags = words[(at + TYPE) | 0]!;
    if ((tags & SANE_DROP) !== IPV4_OR_6 + EV_DROP) break;
    const low = words[at]!;
    const high = words[(at + 1) | 0]!;
    if (high >= limitHigh && (high > limitHigh || low > limitLow)) break;
    cpus[row] = cpu;
    let to = row << 2;
    out[to] = words[(at + SADDR) | 0]!;
    out[(to + 1) | 0] = words[(at + SADDR + 1) | 0]!;
    out[(to + 2) | 0] = words[(at + SADDR + 2) | 0]!;
    out[(to + 3) | 0] = words[(at + SADDR + 3) | 0]!;
    to = (SECOND + to) | 0;
    out[to] = words[(at + DADDR) | 0]!;
    out[(to + 1) | 0] = words[(at + DADDR + 1) | 0]!;
    out[(to + 2) | 0] = words[(at + DADDR + 2) | 0]!;
    out[(to + 3) | 0] = words[(at + DADDR + 3) | 0]!;
    to = (AFTER_TWO + row) | 0;
    out[to] = words[(at + DROP_SEQ) | 0]!;
    out[(to + 1 * STRIDE) | 0] = tags;
    out[(to + 2 * STRIDE) | 0] = low;
    out[(to + 3 * STRIDE) | 0] = high;
    out[(to + 4 * STRIDE) | 0] = words[(at + COOKIE) | 0]!;
    out[(to + 5 * STRIDE) | 0] = words[(at + COOKIE + 1) | 0]!;
    out[(to + 6 * STRIDE) | 0] = words[(at + CGROUP) | 0]!;
    out[(to + 7 * STRIDE) | 0] = words[(at + CGROUP + 1) | 0]!;
    out[(to + 8 * STRIDE) | 0] = words[(at + NETNS) | 0]!;
    out[(to + 9 * STRIDE) | 0] = words[(at + IFINDEX) | 0]!;
    out[(to + 10 * STRIDE) | 0] = words[(at + SPORT) | 0]!;
    out[(to + 11 * STRIDE) | 0] = words[(at + DROP_LOCATION) | 0]!;
    out[(to + 12 * STRIDE) | 0] = words[(at + DROP_LOCATION + 1) | 0]!;
    out[(to + 13 * STRIDE) | 0] = words[(at + DROP_REASON) | 0]!;
    out[(to + 14 * STRIDE) | 0] = words[(at + DROP_LEN) | 0]!;
    out[(to + 15 * STRIDE) | 0] = words[(at + DROP_TCPFLAGS) | 0]!;
    out[(to + 16 * STRIDE) | 0] = words[(at + DROP_COUNT) | 0]!;
    out[(to + 17 * STRIDE) | 0] = words[(at + DROP_STACK) | 0]!;
    out[(to + 18 * STRIDE) | 0] = words[(at + DROP_IIF) | 0]!;
    at = (at + DROP_RECORD / 4) | 0;
  }
  run.tail = (run.tail + (row - from) * DROP_RECORD) >>> 0;
  return row - from;
}

/** Writes open, close, fail and listen events, as runDrops does, and counts them in `byType`. */
export function runConns(run: Run, target: Target, row: number, byType: Float64Array): number {
  const { words, limitLow, limitHigh, cpu } = run;
  const { out, cpu: cpus } = target;
  const from = row;
  const end = endOfRun(run, row, CONN_RECORD);
  let at = (((run.tail & run.mask) >>> 2) + 3) | 0;
  for (; row < end; row = (row + 1) | 0) {
    if (words[(at - 3) | 0] !== SAMPLE || words[(at - 2) | 0]! >>> 16 !== CONN_RECORD) break;
    if (words[(at - 1) | 0] !== CONN_BYTES) break;
    const tags = words[(at + TYPE) | 0]!;
    const type = tags & 0xff;
    if (type === 0 || type > EV_LISTEN || (tags & FAMILY_MASK) !== IPV4_OR_6 || tags >>> 24 > 2) break;
    const low = words[at]!;
    const high = words[(at + 1) | 0]!;
    if (high >= limitHigh && (high > limitHigh || low > limitLow)) break;
    byType[type]!++;
    cpus[row] = cpu;
    let to = row << 2;
    out[to] = words[(at + SADDR) | 0]!;
    out[(to + 1) | 0] = words[(at + SADDR + 1) | 0]!;
    out[(to + 2) | 0] = words[(at + SADDR + 2) | 0]!;
    out[(to + 3) | 0] = words[(at + SADDR + 3) | 0]!;
    to = (SECOND + (row << 2)) | 0;
    out[to] = words[(at + DADDR) | 0]!;
    out[(to + 1) | 0] = words[(at + DADDR + 1) | 0]!;
    out[(to + 2) | 0] = words[(at + DADDR + 2) | 0]!;
    out[(to + 3) | 0] = words[(at + DADDR + 3) | 0]!;
    to = (THIRD + (row << 2)) | 0;
    out[to] = words[(at + CONN_COMM) | 0]!;
    out[(to + 1) | 0] = words[(at + CONN_COMM + 1) | 0]!;
    out[(to + 2) | 0] = words[(at + CONN_COMM + 2) | 0]!;
    out[(to + 3) | 0] = words[(at + CONN_COMM + 3) | 0]!;
    to = (AFTER_THREE + row) | 0;
    out[to] = words[(at + CONN_SEQ) | 0]!;
    out[(to + 1 * STRIDE) | 0] = tags;
    out[(to + 2 * STRIDE) | 0] = low;
    out[(to + 3 * STRIDE) | 0] = high;
    out[(to + 4 * STRIDE) | 0] = words[(at + COOKIE) | 0]!;
    out[(to + 5 * STRIDE) | 0] = words[(at + COOKIE + 1) | 0]!;
    out[(to + 6 * STRIDE) | 0] = words[(at + CGROUP) | 0]!;
    out[(to + 7 * STRIDE) | 0] = words[(at + CGROUP + 1) | 0]!;
    out[(to + 8 * STRIDE) | 0] = words[(at + NETNS) | 0]!;
    out[(to + 9 * STRIDE) | 0] = words[(at + IFINDEX) | 0]!;
    out[(to + 10 * STRIDE) | 0] = words[(at + SPORT) | 0]!;
    out[(to + 11 * STRIDE) | 0] = words[(at + CONN_TX_BYTES) | 0]!;
    out[(to + 12 * STRIDE) | 0] = words[(at + CONN_TX_BYTES + 1) | 0]!;
    out[(to + 13 * STRIDE) | 0] = words[(at + CONN_RX_BYTES) | 0]!;
    out[(to + 14 * STRIDE) | 0] = words[(at + CONN_RX_BYTES + 1) | 0]!;
    out[(to + 15 * STRIDE) | 0] = words[(at + CONN_TX_SEGS) | 0]!;
    out[(to + 16 * STRIDE) | 0] = words[(at + CONN_RX_SEGS) | 0]!;
    out[(to + 17 * STRIDE) | 0] = words[(at + CONN_RETRANS) | 0]!;
    out[(to + 18 * STRIDE) | 0] = words[(at + CONN_SRTT_US) | 0]!;
    out[(to + 19 * STRIDE) | 0] = words[(at + CONN_MIN_RTT_US) | 0]!;
    out[(to + 20 * STRIDE) | 0] = words[(at + CONN_LAT_US) | 0]!;
    out[(to + 21 * STRIDE) | 0] = words[(at + CONN_DUR_NS) | 0]!;
    out[(to + 22 * STRIDE) | 0] = words[(at + CONN_DUR_NS + 1) | 0]!;
    out[(to + 23 * STRIDE) | 0] = words[(at + CONN_PID) | 0]!;
    out[(to + 24 * STRIDE) | 0] = words[(at + CONN_OLDSTATE) | 0]!;
    at = (at + CONN_RECORD / 4) | 0;
  }
  run.tail = (run.tail + (row - from) * CONN_RECORD) >>> 0;
  return row - from;
}
