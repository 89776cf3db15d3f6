/**
 * Hot: what the collector knows of each report, column by column, client → server, before it is encoded for the store or shown live.
 * Budget: 150 ns a row from batch to RowBinary. Values are model/flow.ts's; names are indices (strings.ts, identities.ts' parties).
 *
 * A row is made in two steps: `rows/*` fills in what the event says, with the near end; `settle.ts` names the far end a moment
 * later, when the other end's report has had time to arrive.
 */
import type { VERDICTS, FLOW_KINDS, REPORTERS, DIRECTIONS, TOWARDS } from "../../model/flow.ts";

/** Numbers of the store's enums = positions in model/flow.ts's lists. */
export const Kind = {
  open: 0,
  close: 1,
  fail: 2,
  alive: 3,
  drop: 4,
  datagram: 5,
  verdict: 6,
} as const satisfies Record<(typeof FLOW_KINDS)[number], number>;
export const Outcome = { unknown: 0, allowed: 1, failed: 2, dropped: 3, denied: 4 } as const satisfies Record<
  (typeof VERDICTS)[number],
  number
>;
export const By = { unknown: 0, client: 1, server: 2, path: 3 } as const satisfies Record<
  (typeof REPORTERS)[number],
  number
>;
export const Way = { unknown: 0, ingress: 1, egress: 2 } as const satisfies Record<(typeof DIRECTIONS)[number], number>;

export const Heading = { unknown: 0, server: 1, client: 2 } as const satisfies Record<(typeof TOWARDS)[number], number>;

/** Which end of the row was known by its own socket. */
export const Near = { none: 0, source: 1, destination: 2 } as const;

/** More than what a row's columns take together; of a column each begins at a multiple of eight. */
const ROW_BYTES = 256;

/**
 * Hands out columns of one buffer. One of megabytes has pages of its own, of which only those of rows that were ever filled take memory:
 * most chunks hold a tenth of their rows.
 */
function columnsOf(capacity: number) {
  const buffer = new ArrayBuffer((capacity + 8) * ROW_BYTES);
  let at = 0;
  const place = (bytes: number) => {
    const from = at;
    at = (at + bytes + 7) & ~7;
    return from;
  };
  return {
    u8: (n: number) => new Uint8Array(buffer, place(n), n),
    u16: (n: number) => new Uint16Array(buffer, place(n * 2), n),
    u32: (n: number) => new Uint32Array(buffer, place(n * 4), n),
    f64: (n: number) => new Float64Array(buffer, place(n * 8), n),
  };
}

/** Rows of one chunk: what arrives in about 100 ms; under load a chunk is full sooner. */
export const CHUNK_ROWS = 8192;

export type FlowRows = ReturnType<typeof flowRows>;

/** Empty rows with room for `capacity`. */
export function flowRows(capacity: number) {
  const { u8, u16, u32, f64 } = columnsOf(capacity);
  return {
    capacity,
    length: 0,
    /** Event type (decode/columns.ts): the books' unit. */
    type: u8(capacity),
    near: u8(capacity),
    /** ns since 1970: low word, high word. */
    ts: u32(capacity * 2),
    cpu: u16(capacity),
    seq: u32(capacity),
    kind: u8(capacity),
    verdict: u8(capacity),
    reason: u32(capacity),
    reporter: u8(capacity),
    direction: u8(capacity),
    protocol: u8(capacity),
    /** 4 words a row, network order. */
    source: u32(capacity * 4),
    destination: u32(capacity * 4),
    sourcePort: u16(capacity),
    destinationPort: u16(capacity),
    service: u32(capacity * 4),
    servicePort: u16(capacity),
    serviceName: u32(capacity),
    /** Parties (identity/identities.ts); 0 until settled. */
    sourceParty: u32(capacity),
    destinationParty: u32(capacity),
    process: u32(capacity),
    pid: u32(capacity),
    cgroup: u32(capacity * 2),
    netns: u32(capacity),
    device: u32(capacity),
    socket: u32(capacity * 2),
    counted: u8(capacity),
    opened: u8(capacity),
    closed: u8(capacity),
    failed: u8(capacity),
    drops: u32(capacity),
    /** Doubles: exact below 2^53. */
    bytesToServer: f64(capacity),
    bytesToClient: f64(capacity),
    packetsToServer: f64(capacity),
    packetsToClient: f64(capacity),
    retransmits: u32(capacity),
    rttUs: u32(capacity),
    minRttUs: u32(capacity),
    connectUs: u32(capacity),
    durationUs: f64(capacity),
    location: u32(capacity),
    icmpType: u8(capacity),
    icmpCode: u8(capacity),
    tcpFlags: u8(capacity),
    hook: u32(capacity),
    passage: u8(capacity),
    toward: u8(capacity),
  };
}

/** Empties all columns of row `row`, which is about to be filled. */
export function clearRow(rows: FlowRows, row: number): void {
  rows.reason[row] = 0;
  rows.service.fill(0, row * 4, row * 4 + 4);
  rows.servicePort[row] = 0;
  rows.serviceName[row] = 0;
  rows.sourceParty[row] = 0;
  rows.destinationParty[row] = 0;
  rows.process[row] = 0;
  rows.pid[row] = 0;
  rows.device[row] = 0;
  rows.counted[row] = 0;
  rows.opened[row] = 0;
  rows.closed[row] = 0;
  rows.failed[row] = 0;
  rows.drops[row] = 0;
  rows.bytesToServer[row] = 0;
  rows.bytesToClient[row] = 0;
  rows.packetsToServer[row] = 0;
  rows.packetsToClient[row] = 0;
  rows.retransmits[row] = 0;
  rows.rttUs[row] = 0;
  rows.minRttUs[row] = 0;
  rows.connectUs[row] = 0;
  rows.durationUs[row] = 0;
  rows.location[row] = 0;
  rows.icmpType[row] = 0;
  rows.icmpCode[row] = 0;
  rows.tcpFlags[row] = 0;
  rows.hook[row] = 0;
  rows.passage[row] = 0;
  rows.toward[row] = 0;
}

/** When the row happened: ns since 1970 as a double, exact to 256 ns. */
export function rowNs(rows: FlowRows, row: number): number {
  return rows.ts[row * 2 + 1]! * 4294967296 + rows.ts[row * 2]!;
}

/** Two words as one number: exact below 2^53, nanoseconds since 1970 to 256. */
export function nsOf(low: number, high: number): number {
  return high * 4294967296 + low;
}
