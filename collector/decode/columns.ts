/**
 * The batches that every source delivers: one typed array per field, one row per event. No object, string or BigInt per row.
 *
 * A batch belongs to its source: rows are valid until the sink returns, then the arrays are filled again. Copy what must live longer.
 * 64-bit values are two columns, low and high word: as one double, nanoseconds since 1970 would round to 256 ns.
 * Addresses are 4 words a row (row * 4 … row * 4 + 3), bytes in network order, IPv4 as ::ffff:a.b.c.d: view the same memory as bytes
 * with `bytesOf(batch.source)` and read 16 from row * 16 (the form of model/address.ts).
 */

/** Event types, as in bpf/events.h. Those from 16 on never pass through a ring: they are read out of a map or an iterator. */
export const EventType = {
  /** A connection was established (either side). */
  open: 1,
  /** An established connection ended. */
  close: 2,
  /** A connection attempt ended without being established; `error` 0 = the program itself gave up. */
  fail: 3,
  /** A socket began (newState LISTEN) or ceased (newState CLOSE) to listen. */
  listen: 4,
  /** The kernel threw a packet away; `count` packets of this flow and reason. */
  drop: 5,
  /** 6 and 7 are kept for policy verdicts and retransmits. */
  dns: 8,
  /** First packet of a UDP or ICMP echo conversation. Carries no counts: they come with the deltas. */
  conversationStart: 9,
  /** A connection through a service address: the original destination and the back end that answered. */
  nat: 10,
  /** An open connection found by the sweep: running totals, not deltas. */
  sweep: 16,
  /** What a conversation carried since the last delta. Every packet is in exactly one delta or end. */
  conversationDelta: 17,
  /** The last delta of a conversation that fell silent. */
  conversationEnd: 18,
} as const;

/** `cpu` of rows that did not come through a ring. Their `seq` counts up within the source. */
export const NO_CPU = 0xffff;

/** Direction of the local end: `out` = it began (client, sender), `in` = the other end began. */
export const Direction = { unknown: 0, in: 1, out: 2 } as const;

/** TCP states, as in the kernel's include/net/tcp_states.h (user-visible ABI of /proc/net/tcp). */
export const TcpState = {
  established: 1,
  synSent: 2,
  synRecv: 3,
  finWait1: 4,
  finWait2: 5,
  timeWait: 6,
  close: 7,
  closeWait: 8,
  lastAck: 9,
  listen: 10,
  closing: 11,
} as const;

/** What all kinds share. (cpu, seq) is unique within one run of the collector's programs, and gap-free per CPU but for counted losses. */
export interface CommonColumns {
  readonly capacity: number;
  /** Rows filled. */
  length: number;
  readonly cpu: Uint16Array<ArrayBuffer>;
  readonly seq: Uint32Array<ArrayBuffer>;
  /** type | family << 8 (4 or 6) | IP protocol << 16 | direction << 24. Read with typeOf, familyOf, protocolOf, directionOf. */
  readonly tags: Uint32Array<ArrayBuffer>;
  /** Wall clock, ns since 1970. */
  readonly tsLow: Uint32Array<ArrayBuffer>;
  readonly tsHigh: Uint32Array<ArrayBuffer>;
  /** Socket cookie; 0 where no socket is known. */
  readonly cookieLow: Uint32Array<ArrayBuffer>;
  readonly cookieHigh: Uint32Array<ArrayBuffer>;
  /** cgroup v2 id (= inode of its directory) of the local socket; 0 unknown. */
  readonly cgroupLow: Uint32Array<ArrayBuffer>;
  readonly cgroupHigh: Uint32Array<ArrayBuffer>;
  /** Inode of the network namespace; 0 unknown. */
  readonly netns: Uint32Array<ArrayBuffer>;
  readonly ifindex: Uint32Array<ArrayBuffer>;
  /** Connections and conversations: the local address. Drops: the packet's source. NAT: the client. DNS: the asker. */
  readonly source: Uint32Array<ArrayBuffer>;
  /** Connections and conversations: the remote address. Drops: the packet's destination. NAT: the service address. DNS: the server. */
  readonly destination: Uint32Array<ArrayBuffer>;
  /** source port | destination port << 16, host order; ICMP echo: the identifier in both. Read with sourcePortOf, destinationPortOf. */
  readonly ports: Uint32Array<ArrayBuffer>;
}

/** open, close, fail, listen, sweep. Bytes are the programs' own: SYN and FIN, which the kernel counts too, are taken off. */
export interface ConnColumns extends CommonColumns {
  readonly kind: "connections";
  /** Bytes that the local program wrote and the peer acknowledged. */
  readonly txBytesLow: Uint32Array<ArrayBuffer>;
  readonly txBytesHigh: Uint32Array<ArrayBuffer>;
  /** Bytes that arrived in order for the local program. */
  readonly rxBytesLow: Uint32Array<ArrayBuffer>;
  readonly rxBytesHigh: Uint32Array<ArrayBuffer>;
  readonly txSegments: Uint32Array<ArrayBuffer>;
  readonly rxSegments: Uint32Array<ArrayBuffer>;
  readonly retransmits: Uint32Array<ArrayBuffer>;
  /** Smoothed round-trip time, microseconds; 0 none measured. */
  readonly srttUs: Uint32Array<ArrayBuffer>;
  /** Least round-trip time of the last minutes, microseconds; 0 none measured. */
  readonly minRttUs: Uint32Array<ArrayBuffer>;
  /** open: connect() to established (client) or SYN to established (server); fail: connect() to failure. Microseconds. */
  readonly latencyUs: Uint32Array<ArrayBuffer>;
  /** close: since established; fail: since connect(); sweep: since established, 0 if that was before the collector. ns. */
  readonly durationLow: Uint32Array<ArrayBuffer>;
  readonly durationHigh: Uint32Array<ArrayBuffer>;
  /** Process that connected or listens; 0 unknown. */
  readonly pid: Uint32Array<ArrayBuffer>;
  /** Its name, 16 bytes = 4 words a row, NUL-padded; strangers choose it: escape. Read with commOf. */
  readonly comm: Uint32Array<ArrayBuffer>;
  /** old state | new state << 8 | errno << 16. Read with oldStateOf, newStateOf, errorOf, endOf. */
  readonly states: Uint32Array<ArrayBuffer>;
}

export interface DropColumns extends CommonColumns {
  readonly kind: "drops";
  /** Kernel address that threw the packet away; symbolised by kernel/symbols.ts. */
  readonly locationLow: Uint32Array<ArrayBuffer>;
  readonly locationHigh: Uint32Array<ArrayBuffer>;
  /** Number of the running kernel's enum skb_drop_reason: meaningless elsewhere, store the name. */
  readonly reason: Uint32Array<ArrayBuffer>;
  /** Length of the (first) packet, bytes. */
  readonly packetBytes: Uint32Array<ArrayBuffer>;
  /** TCP flags | socket state << 8 | ICMP type << 16 | ICMP code << 24. */
  readonly details: Uint32Array<ArrayBuffer>;
  /** Packets this row stands for. */
  readonly count: Uint32Array<ArrayBuffer>;
  /** Id of the kernel stack (EbpfSource.stackOf), or 0xffffffff for none. */
  readonly stack: Uint32Array<ArrayBuffer>;
  /** Device that the packet came in by, in `netns`; 0 = made here, or unknown. */
  readonly inputIfindex: Uint32Array<ArrayBuffer>;
}

/** conversationStart (no counts), conversationDelta, conversationEnd. Bytes are payload: without IP and UDP or ICMP headers. */
export interface ConversationColumns extends CommonColumns {
  readonly kind: "conversations";
  readonly txBytesLow: Uint32Array<ArrayBuffer>;
  readonly txBytesHigh: Uint32Array<ArrayBuffer>;
  readonly rxBytesLow: Uint32Array<ArrayBuffer>;
  readonly rxBytesHigh: Uint32Array<ArrayBuffer>;
  readonly txPackets: Uint32Array<ArrayBuffer>;
  readonly rxPackets: Uint32Array<ArrayBuffer>;
  /** First and last packet of the conversation, wall clock ns. */
  readonly firstLow: Uint32Array<ArrayBuffer>;
  readonly firstHigh: Uint32Array<ArrayBuffer>;
  readonly lastLow: Uint32Array<ArrayBuffer>;
  readonly lastHigh: Uint32Array<ArrayBuffer>;
  readonly pid: Uint32Array<ArrayBuffer>;
  readonly comm: Uint32Array<ArrayBuffer>;
}

/** One answer to a query, at the asker. */
export interface DnsColumns extends CommonColumns {
  readonly kind: "dns";
  /** Query to answer, microseconds; 0 the query was not seen. */
  readonly latencyUs: Uint32Array<ArrayBuffer>;
  /** Index into `names`: the name asked for, lower case, without the last dot, bytes outside of printable ASCII as \ddd. */
  readonly name: Uint32Array<ArrayBuffer>;
  readonly queryType: Uint16Array<ArrayBuffer>;
  /** 0 NOERROR, 2 SERVFAIL, 3 NXDOMAIN, 5 REFUSED … */
  readonly rcode: Uint8Array<ArrayBuffer>;
  /** Bits: 1 truncated (TC), 2 the copy ended before the message, 4 malformed (what was read before stands). */
  readonly flags: Uint8Array<ArrayBuffer>;
  /** The answer's addresses: rows addressStart … addressStart + addressCount - 1 of `addresses` and `ttl`. */
  readonly addressStart: Uint32Array<ArrayBuffer>;
  readonly addressCount: Uint16Array<ArrayBuffer>;
  /** 4 words an address, as `source`. */
  readonly addresses: Uint32Array<ArrayBuffer>;
  /** Seconds, one an address. */
  readonly ttl: Uint32Array<ArrayBuffer>;
  addressLength: number;
  /** The batch's own table of names; emptied with it. */
  readonly names: string[];
}

/** A connection through a service address (DNAT): source = client, destination = service address and port as the client knows them. */
export interface NatColumns extends CommonColumns {
  readonly kind: "nat";
  /** The back end that answered: 4 words a row, as `source`. */
  readonly backend: Uint32Array<ArrayBuffer>;
  readonly backendPort: Uint16Array<ArrayBuffer>;
}

export type Batch = ConnColumns | DropColumns | ConversationColumns | DnsColumns | NatColumns;

/** Receives batches of one window of time after another. Within a window the kinds come in this order: nat, dns, connections,
 *  conversations, drops (what explains comes before what it explains), each in time order. Batches are never empty. */
export type Sink = (batch: Batch) => void;

/**
 * The words behind a batch: all its 32-bit columns lie in one buffer, in the order in which they stand in its struct, each `PAD` words
 * longer than its rows. Columns that began at the same offset within a page would fight for the same cache lines (82 ns an event, not 66).
 * First the columns with 4 words a row, then the others, all `strideOf` apart: decode/events.ts writes by that.
 */
const PAD = 48;

/** Rows of the batches that the kernel's events go into: fixed, so that the hot writers have constants. */
export const BATCH_ROWS = 8192;

/** Distance of two neighbouring 32-bit columns with one word a row. */
export const strideOf = (capacity: number): number => capacity + PAD;

/** Where the columns with one word a row begin, behind `blocks` columns with four. */
export const firstOf = (capacity: number, blocks: number): number => blocks * (capacity * 4 + PAD);

/** The words of all 32-bit columns of a batch. */
export const wordsOf = (batch: CommonColumns): Uint32Array<ArrayBuffer> => new Uint32Array(batch.source.buffer);

/** Hands out columns of one buffer, one behind the other. */
function columnsOf(capacity: number, blocks: number, singles: number) {
  const words = firstOf(capacity, blocks) + singles * strideOf(capacity);
  const buffer = new ArrayBuffer(words * 4);
  let at = 0;
  const take = (length: number) => {
    const column = new Uint32Array(buffer, at * 4, length);
    at += length + PAD;
    return column;
  };
  return { block: () => take(capacity * 4), single: () => take(capacity) };
}

type Take = () => Uint32Array<ArrayBuffer>;

const COMMON_SINGLES = 11;

/** In this order: writeCommon (events.ts) counts on it. */
function commonSingles(capacity: number, single: Take) {
  return {
    capacity,
    length: 0,
    cpu: new Uint16Array(capacity),
    seq: single(),
    tags: single(),
    tsLow: single(),
    tsHigh: single(),
    cookieLow: single(),
    cookieHigh: single(),
    cgroupLow: single(),
    cgroupHigh: single(),
    netns: single(),
    ifindex: single(),
    ports: single(),
  };
}

/** Empty columns for `capacity` connection events. */
export function connColumns(capacity: number): ConnColumns {
  const { block, single } = columnsOf(capacity, 3, COMMON_SINGLES + 14);
  return {
    kind: "connections",
    source: block(),
    destination: block(),
    comm: block(),
    ...commonSingles(capacity, single),
    txBytesLow: single(),
    txBytesHigh: single(),
    rxBytesLow: single(),
    rxBytesHigh: single(),
    txSegments: single(),
    rxSegments: single(),
    retransmits: single(),
    srttUs: single(),
    minRttUs: single(),
    latencyUs: single(),
    durationLow: single(),
    durationHigh: single(),
    pid: single(),
    states: single(),
  };
}

/** Empty columns for `capacity` drop events. */
export function dropColumns(capacity: number): DropColumns {
  const { block, single } = columnsOf(capacity, 2, COMMON_SINGLES + 8);
  return {
    kind: "drops",
    source: block(),
    destination: block(),
    ...commonSingles(capacity, single),
    locationLow: single(),
    locationHigh: single(),
    reason: single(),
    packetBytes: single(),
    details: single(),
    count: single(),
    stack: single(),
    inputIfindex: single(),
  };
}

/** Empty columns for `capacity` conversation events. */
export function conversationColumns(capacity: number): ConversationColumns {
  const { block, single } = columnsOf(capacity, 3, COMMON_SINGLES + 11);
  return {
    kind: "conversations",
    source: block(),
    destination: block(),
    comm: block(),
    ...commonSingles(capacity, single),
    txBytesLow: single(),
    txBytesHigh: single(),
    rxBytesLow: single(),
    rxBytesHigh: single(),
    txPackets: single(),
    rxPackets: single(),
    firstLow: single(),
    firstHigh: single(),
    lastLow: single(),
    lastHigh: single(),
    pid: single(),
  };
}

/** Empty columns for `capacity` DNS answers with up to 8 addresses each on average. */
export function dnsColumns(capacity: number): DnsColumns {
  const { block, single } = columnsOf(capacity, 2, COMMON_SINGLES + 3);
  return {
    kind: "dns",
    source: block(),
    destination: block(),
    ...commonSingles(capacity, single),
    latencyUs: single(),
    name: single(),
    addressStart: single(),
    queryType: new Uint16Array(capacity),
    rcode: new Uint8Array(capacity),
    flags: new Uint8Array(capacity),
    addressCount: new Uint16Array(capacity),
    addresses: new Uint32Array(capacity * 8 * 4),
    ttl: new Uint32Array(capacity * 8),
    addressLength: 0,
    names: [],
  };
}

/** Empty columns for `capacity` translated connections. */
export function natColumns(capacity: number): NatColumns {
  const { block, single } = columnsOf(capacity, 3, COMMON_SINGLES);
  return {
    kind: "nat",
    source: block(),
    destination: block(),
    backend: block(),
    ...commonSingles(capacity, single),
    backendPort: new Uint16Array(capacity),
  };
}

/** The same memory as bytes: 16 a row for addresses and comm. */
export function bytesOf(column: Uint32Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(column.buffer, column.byteOffset, column.byteLength);
}

export const typeOf = (batch: CommonColumns, row: number): number => batch.tags[row]! & 0xff;
export const familyOf = (batch: CommonColumns, row: number): number => (batch.tags[row]! >>> 8) & 0xff;
export const protocolOf = (batch: CommonColumns, row: number): number => (batch.tags[row]! >>> 16) & 0xff;
export const directionOf = (batch: CommonColumns, row: number): number => batch.tags[row]! >>> 24;
export const sourcePortOf = (batch: CommonColumns, row: number): number => batch.ports[row]! & 0xffff;
export const destinationPortOf = (batch: CommonColumns, row: number): number => batch.ports[row]! >>> 16;

export const oldStateOf = (batch: ConnColumns, row: number): number => batch.states[row]! & 0xff;
export const newStateOf = (batch: ConnColumns, row: number): number => (batch.states[row]! >>> 8) & 0xff;
export const errorOf = (batch: ConnColumns, row: number): number => batch.states[row]! >>> 16;

export const tcpFlagsOf = (batch: DropColumns, row: number): number => batch.details[row]! & 0xff;

/** The process name of a row, up to its NUL, one character a byte. Strangers choose it: escape at the sink. */
export function commOf(batch: ConnColumns | ConversationColumns, row: number): string {
  let text = "";
  for (let i = 0; i < 16; i++) {
    const byte = (batch.comm[row * 4 + (i >> 2)]! >>> ((i & 3) * 8)) & 0xff;
    if (byte === 0) break;
    text += String.fromCharCode(byte);
  }
  return text;
}

/** Two words as one number: exact below 2^53, so for bytes, cookies and durations; not for `ts`. */
export const wide = (low: number, high: number): number => high * 4294967296 + low;

/** How a close ended: who sent the first FIN (from the state that it left), or that it was cut off without one. */
export function endOf(
  batch: ConnColumns,
  row: number,
): "local-first" | "remote-first" | "both" | "aborted" | "reset" | "timed-out" {
  const error = errorOf(batch, row);
  if (error === 110) return "timed-out";
  // ECONNRESET; EPIPE is what the kernel sets when a RST meets CLOSE_WAIT (tcp_reset)
  if (error === 104 || error === 32) return "reset";
  switch (oldStateOf(batch, row)) {
    case TcpState.finWait1:
    case TcpState.finWait2:
    case TcpState.timeWait:
      return "local-first";
    case TcpState.lastAck:
    case TcpState.closeWait:
      return "remote-first";
    case TcpState.closing:
      return "both";
    default:
      return "aborted"; // ESTABLISHED > CLOSE without an error: the local program reset it (unread data, or SO_LINGER 0)
  }
}
