/** Samples to the batches of their kinds: in runs where they are of the expected form (runs.ts), else one by one, trusting nothing. */
import {
  BATCH_ROWS,
  connColumns,
  Direction,
  conversationColumns,
  dnsColumns,
  dropColumns,
  EventType,
  natColumns,
  type ConnColumns,
  type ConversationColumns,
  type DnsColumns,
  type DropColumns,
  type NatColumns,
  type Sink,
} from "./columns.ts";
import { appendDns } from "./dns.ts";
import { appendConn, appendConversation, appendDrop, appendNat } from "./events.ts";
import { COMMON, CONN, CONVERSATION, DNS, DROP, NAT } from "./layout.gen.ts";
import { runConns, runDrops, targetOf, type Run, type Target } from "./runs.ts";

/** What became of a sample. */
export const Appended = { yes: 0, full: 1, malformed: 2 } as const;

const TYPES = 32;
const DNS_ROWS = 1024;

/** Every event has an address family, 4 or 6, and one of three directions: bytes that have not are no event. */
const areSane = (tags: number): boolean => (tags & 0xfd00) === 0x0400 && tags >>> 24 <= Direction.out;

/** The batches that are being filled, and how many events of each CPU and type went into them. */
export class Decoder {
  readonly connections: ConnColumns;
  readonly drops: DropColumns;
  readonly conversations: ConversationColumns;
  readonly dns: DnsColumns;
  readonly nat: NatColumns;
  /** cpu * 32 + type → events decoded since start. Row `cpus` is that of NO_CPU. */
  readonly decoded: Float64Array;
  readonly #cpus: number;
  readonly #byType: readonly Float64Array[];
  readonly #connTarget: Target | undefined;
  readonly #dropTarget: Target | undefined;

  constructor(cpus: number, rows = BATCH_ROWS) {
    this.decoded = new Float64Array((cpus + 1) * TYPES);
    this.connections = connColumns(rows);
    this.drops = dropColumns(rows);
    this.conversations = conversationColumns(rows);
    this.dns = dnsColumns(DNS_ROWS);
    this.nat = natColumns(rows);
    this.#connTarget = targetOf(this.connections);
    this.#dropTarget = targetOf(this.drops);
    this.#cpus = cpus;
    this.#byType = Array.from({ length: cpus + 1 }, (_, cpu) => this.decoded.subarray(cpu * TYPES, (cpu + 1) * TYPES));
  }

  /** Takes drops or connection events from the run's tail on, as many as follow each other; 0 = the next record needs `append`. */
  appendRun(run: Run): number {
    const byType = this.#byType[run.cpu < this.#cpus ? run.cpu : this.#cpus]!;
    const { connections, drops } = this;
    if (this.#connTarget === undefined || this.#dropTarget === undefined) return 0;
    const conns = runConns(run, this.#connTarget, connections.length, byType);
    connections.length += conns;
    const dropped = runDrops(run, this.#dropTarget, drops.length);
    drops.length += dropped;
    byType[EventType.drop]! += dropped;
    return conns + dropped;
  }

  /**
   * Appends the sample of `length` bytes at word `at` of `words` (`bytes`: the same memory). `full`: nothing was taken, deliver and call
   * again. `cpu` NO_CPU: the event's own number is replaced by `number`.
   */
  append(words: Uint32Array, bytes: Uint8Array, at: number, length: number, cpu: number, number = -1): number {
    if (length < COMMON.bytes) return Appended.malformed;
    const tags = words[at + COMMON.type]!;
    if (!areSane(tags)) return Appended.malformed;
    const type = tags & 0xff;
    switch (type) {
      case EventType.drop: {
        if (length < DROP.bytes) return Appended.malformed;
        if (this.drops.length === this.drops.capacity) return Appended.full;
        appendDrop(this.drops, words, at, cpu, number < 0 ? words[at + DROP.seq]! : number);
        break;
      }
      case EventType.open:
      case EventType.close:
      case EventType.fail:
      case EventType.listen:
      case EventType.sweep: {
        if (length < CONN.bytes) return Appended.malformed;
        if (this.connections.length === this.connections.capacity) return Appended.full;
        appendConn(this.connections, words, at, cpu, number < 0 ? words[at + CONN.seq]! : number);
        break;
      }
      case EventType.conversationStart:
      case EventType.conversationDelta:
      case EventType.conversationEnd: {
        if (length < CONVERSATION.bytes) return Appended.malformed;
        if (this.conversations.length === this.conversations.capacity) return Appended.full;
        appendConversation(this.conversations, words, at, cpu, number < 0 ? words[at + CONVERSATION.seq]! : number);
        break;
      }
      case EventType.dns: {
        if (length < DNS.bytes) return Appended.malformed;
        if (this.dns.length === this.dns.capacity || this.dns.addressLength + 64 > this.dns.ttl.length)
          return Appended.full;
        appendDns(this.dns, words, bytes, at, at * 4 + length, cpu, number < 0 ? words[at + DNS.seq]! : number);
        break;
      }
      case EventType.nat: {
        if (length < NAT.bytes) return Appended.malformed;
        if (this.nat.length === this.nat.capacity) return Appended.full;
        appendNat(this.nat, words, at, cpu, number < 0 ? words[at + NAT.seq]! : number);
        break;
      }
      default:
        return Appended.malformed;
    }
    this.decoded[(cpu < this.#cpus ? cpu : this.#cpus) * TYPES + type]!++;
    return Appended.yes;
  }

  /** Hands all rows to `sink`, what explains before what it explains, and empties the batches. */
  deliver(sink: Sink): void {
    for (const batch of [this.nat, this.dns, this.connections, this.conversations, this.drops]) {
      if (batch.length === 0) continue;
      try {
        sink(batch);
      } finally {
        batch.length = 0;
        if (batch.kind === "dns") {
          batch.addressLength = 0;
          batch.names.length = 0;
        }
      }
    }
  }

  /** Events of `type` that came from `cpu` (NO_CPU: from maps and iterators) since start. */
  decodedOf(cpu: number, type: number): number {
    return this.decoded[(cpu < this.#cpus ? cpu : this.#cpus) * TYPES + type] ?? 0;
  }
}
