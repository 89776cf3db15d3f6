/** Hot: what each edge carried since the last take: the live map's pulse. Bounded: the edges of one second. */
import type { Identities, KnownIdentity } from "../identity/identities.ts";
import { WordTable } from "../identity/word-table.ts";
import type { FlowRows } from "../rows/flow-rows.ts";
import type { PulseEdge } from "../../model/wire/live.ts";

const MAX_EDGES = 16_384;
const OPENED = 0;
const FAILED = 1;
const DROPS = 2;
const BYTES = 3;
const RETRANSMITS = 4;
const RTT_SUM = 5;
const RTT_COUNT = 6;
const WIDTH = 7;

export class LiveEdges {
  readonly #identities: Identities;
  /** source identity 2, destination identity 2, port | protocol << 16 → index into the lists. */
  #table = new WordTable(5, 1, 0, MAX_EDGES);
  readonly #key = new Uint32Array(5);
  readonly #counts = new Float64Array(MAX_EDGES * WIDTH);
  #source: KnownIdentity[] = [];
  #destination: KnownIdentity[] = [];
  #port: number[] = [];
  #protocol: number[] = [];
  #leftOut = 0;

  constructor(identities: Identities) {
    this.#identities = identities;
  }

  /** Adds settled rows: traffic from counted reports, drops and retransmits from all. */
  add(rows: FlowRows): void {
    for (let row = 0; row < rows.length; row++) {
      const counted = rows.counted[row] === 1;
      if (!counted && rows.retransmits[row] === 0) continue;
      const edge = this.#edge(rows, row);
      if (edge < 0) continue;
      const at = edge * WIDTH;
      const counts = this.#counts;
      counts[at + DROPS]! += rows.drops[row]!;
      counts[at + RETRANSMITS]! += rows.retransmits[row]!;
      if (!counted) continue;
      counts[at + OPENED]! += rows.opened[row]!;
      counts[at + FAILED]! += rows.failed[row]!;
      counts[at + BYTES]! += rows.bytesToServer[row]! + rows.bytesToClient[row]!;
      if (rows.rttUs[row]! > 0) {
        counts[at + RTT_SUM]! += rows.rttUs[row]!;
        counts[at + RTT_COUNT]! += 1;
      }
    }
  }

  /** The busiest `limit` edges, how many were left out; begins anew. */
  take(limit: number): { edges: PulseEdge[]; leftOut: number } {
    const order = this.#source.map((_, i) => i);
    const weight = (i: number) =>
      this.#counts[i * WIDTH + BYTES]! +
      1000 * (this.#counts[i * WIDTH + OPENED]! + this.#counts[i * WIDTH + FAILED]! + this.#counts[i * WIDTH + DROPS]!);
    if (order.length > limit) order.sort((a, b) => weight(b) - weight(a));
    const edges = order.slice(0, limit).map((i) => this.#pulse(i));
    const leftOut = Math.max(0, order.length - limit) + this.#leftOut;
    this.#counts.fill(0, 0, this.#source.length * WIDTH);
    if (this.#source.length > 0) this.#table.clear();
    this.#source = [];
    this.#destination = [];
    this.#port = [];
    this.#protocol = [];
    this.#leftOut = 0;
    return { edges, leftOut };
  }

  #edge(rows: FlowRows, row: number): number {
    const source = this.#identities.at(rows.sourceParty[row]!).identity;
    const destination = this.#identities.at(rows.destinationParty[row]!).identity;
    const key = this.#key;
    key[0] = source.idLow;
    key[1] = source.idHigh;
    key[2] = destination.idLow;
    key[3] = destination.idHigh;
    key[4] = rows.destinationPort[row]! | (rows.protocol[row]! << 16);
    const known = this.#table.find(key);
    if (known >= 0) return this.#table.words[known]!;
    if (this.#source.length >= MAX_EDGES) {
      this.#leftOut++;
      return -1;
    }
    const slot = this.#table.insert(key);
    const edge = this.#source.length;
    this.#table.words[slot] = edge;
    this.#source.push(source);
    this.#destination.push(destination);
    this.#port.push(rows.destinationPort[row]!);
    this.#protocol.push(rows.protocol[row]!);
    return edge;
  }

  #pulse(i: number): PulseEdge {
    const count = (field: number) => this.#counts[i * WIDTH + field]!;
    const end = (identity: KnownIdentity) => ({
      id: identity.id,
      namespace: identity.namespace,
      workload: identity.workload,
      kind: identity.shape || identity.kind,
    });
    return {
      source: end(this.#source[i]!),
      destination: end(this.#destination[i]!),
      port: this.#port[i]!,
      protocol: this.#protocol[i]!,
      opened: count(OPENED),
      failed: count(FAILED),
      drops: count(DROPS),
      bytes: count(BYTES),
      retransmits: count(RETRANSMITS),
      rttUs: count(RTT_COUNT) === 0 ? 0 : Math.round(count(RTT_SUM) / count(RTT_COUNT)),
    };
  }
}
