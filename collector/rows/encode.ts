/** Hot: settled rows to RowBinary. Budget: 500 ns a row with the gathering of names. */
import { bytesOf } from "../decode/columns.ts";
import type { Identities } from "../identity/identities.ts";
import { FLOW_COLUMNS, type FlowColumn } from "../../store/layout.ts";
import { constantNumber, constantText, constantUuid, RowEncoder, type ColumnValues } from "../../store/row-binary.ts";
import { CHUNK_ROWS, type FlowRows } from "./flow-rows.ts";
import type { Strings } from "./strings.ts";

export const FLOW_COLUMN_NAMES: readonly string[] = FLOW_COLUMNS.map((column) => column.name);

export interface Reporter {
  readonly node: string;
  readonly boot: string;
  readonly generation: number;
}

/** The names of one end of each row, gathered from its party. */
function endColumns(capacity: number) {
  return {
    id: new Uint32Array(capacity * 2),
    namespace: new Uint32Array(capacity),
    workload: new Uint32Array(capacity),
    endpoint: new Uint32Array(capacity),
    name: new Uint32Array(capacity),
  };
}
type EndColumns = ReturnType<typeof endColumns>;

/** What the store wants to know of each party, by index: filled in when a party is first met. */
class PartyColumns {
  id = new Uint32Array(0);
  namespace = new Uint32Array(0);
  workload = new Uint32Array(0);
  endpoint = new Uint32Array(0);
  name = new Uint32Array(0);
  #known = 0;

  /** Makes the parties that are new since the last time known. */
  follow(identities: Identities, strings: Strings): void {
    const count = identities.parties;
    if (count > this.namespace.length) {
      const capacity = Math.max(1024, count * 2);
      const larger = (old: Uint32Array<ArrayBuffer>, width: number) => {
        const column = new Uint32Array(capacity * width);
        column.set(old);
        return column;
      };
      this.id = larger(this.id, 2);
      this.namespace = larger(this.namespace, 1);
      this.workload = larger(this.workload, 1);
      this.endpoint = larger(this.endpoint, 1);
      this.name = larger(this.name, 1);
    }
    for (; this.#known < count; this.#known++) {
      const { identity, endpoint, name } = identities.at(this.#known);
      this.id[this.#known * 2] = identity.idLow;
      this.id[this.#known * 2 + 1] = identity.idHigh;
      this.namespace[this.#known] = strings.intern(identity.namespace);
      this.workload[this.#known] = strings.intern(identity.workload);
      this.endpoint[this.#known] = strings.intern(endpoint);
      this.name[this.#known] = strings.intern(name);
    }
  }
}

export class FlowEncoder {
  readonly #encoder = new RowEncoder<FlowColumn>(FLOW_COLUMNS);
  readonly #identities: Identities;
  readonly #strings: Strings;
  readonly #parties = new PartyColumns();
  readonly #source = endColumns(CHUNK_ROWS);
  readonly #destination = endColumns(CHUNK_ROWS);
  readonly #node: ColumnValues;
  readonly #boot: ColumnValues;
  readonly #generation: ColumnValues;
  #rowBytes = 256;

  constructor(reporter: Reporter, identities: Identities, strings: Strings) {
    this.#identities = identities;
    this.#strings = strings;
    this.#node = constantText(reporter.node);
    this.#boot = constantUuid(reporter.boot);
    this.#generation = constantNumber(reporter.generation, "UInt32");
  }

  /** All rows of `rows` as RowBinary, in memory of their own. */
  encode(rows: FlowRows): Uint8Array {
    this.#parties.follow(this.#identities, this.#strings);
    this.#gather(rows.sourceParty, rows.length, this.#source);
    this.#gather(rows.destinationParty, rows.length, this.#destination);
    const values = this.#values(rows);
    let out = new Uint8Array(rows.length * this.#rowBytes);
    let end = this.#encoder.encode(values, 0, rows.length, out, 0);
    if (end < 0) {
      out = new Uint8Array(-end);
      end = this.#encoder.encode(values, 0, rows.length, out, 0);
    }
    this.#rowBytes = Math.ceil((end / Math.max(1, rows.length)) * 1.25);
    return out.subarray(0, end);
  }

  #gather(parties: Uint32Array, length: number, out: EndColumns): void {
    const known = this.#parties;
    for (let i = 0; i < length; i++) {
      const party = parties[i]!;
      out.id[i * 2] = known.id[party * 2]!;
      out.id[i * 2 + 1] = known.id[party * 2 + 1]!;
      out.namespace[i] = known.namespace[party]!;
      out.workload[i] = known.workload[party]!;
      out.endpoint[i] = known.endpoint[party]!;
      out.name[i] = known.name[party]!;
    }
  }

  #values(rows: FlowRows): Readonly<Record<FlowColumn, ColumnValues>> {
    const { table } = this.#strings;
    const text = (numbers: Uint32Array) => ({ table, numbers });
    return {
      ts: rows.ts,
      node: this.#node,
      boot: this.#boot,
      generation: this.#generation,
      cpu: rows.cpu,
      seq: rows.seq,
      kind: rows.kind,
      verdict: rows.verdict,
      reason: text(rows.reason),
      reporter: rows.reporter,
      direction: rows.direction,
      protocol: rows.protocol,
      src_addr: bytesOf(rows.source),
      dst_addr: bytesOf(rows.destination),
      src_port: rows.sourcePort,
      dst_port: rows.destinationPort,
      service_addr: bytesOf(rows.service),
      service_port: rows.servicePort,
      service: text(rows.serviceName),
      src_id: this.#source.id,
      dst_id: this.#destination.id,
      src_ns: text(this.#source.namespace),
      src_workload: text(this.#source.workload),
      src_endpoint: text(this.#source.endpoint),
      src_name: text(this.#source.name),
      dst_ns: text(this.#destination.namespace),
      dst_workload: text(this.#destination.workload),
      dst_endpoint: text(this.#destination.endpoint),
      dst_name: text(this.#destination.name),
      process: text(rows.process),
      pid: rows.pid,
      cgroup: rows.cgroup,
      netns: rows.netns,
      device: text(rows.device),
      socket: rows.socket,
      counted: rows.counted,
      opened: rows.opened,
      closed: rows.closed,
      failed: rows.failed,
      drops: rows.drops,
      bytes_to_server: rows.bytesToServer,
      bytes_to_client: rows.bytesToClient,
      packets_to_server: rows.packetsToServer,
      packets_to_client: rows.packetsToClient,
      retransmits: rows.retransmits,
      rtt_us: rows.rttUs,
      min_rtt_us: rows.minRttUs,
      connect_us: rows.connectUs,
      duration_us: rows.durationUs,
      location: text(rows.location),
      icmp_type: rows.icmpType,
      icmp_code: rows.icmpCode,
      tcp_flags: rows.tcpFlags,
      hook: text(rows.hook),
      passage: rows.passage,
      toward: rows.toward,
    };
  }
}
