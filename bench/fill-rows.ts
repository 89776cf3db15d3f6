/** Rows of `flows` as columns for bench/fill.ts: a connection is an open and a close at the client, a close at the server, and what went wrong. */
import { DIRECTIONS, FLOW_KINDS, PASSAGES, REPORTERS, TOWARDS, VERDICTS } from "../model/flow.ts";
import type { FlowColumn } from "../store/layout.ts";
import { StringTable, constantUuid, type ColumnValues } from "../store/row-binary.ts";
import type { Link, Part } from "./fill-world.ts";

type Next = () => number;
const KIND = (name: (typeof FLOW_KINDS)[number]) => FLOW_KINDS.indexOf(name);

export class FlowBatch {
  length = 0;
  readonly #strings = new StringTable();
  readonly #nodes: readonly string[];
  readonly #boots: readonly Uint8Array[];
  #seq: number;
  #cookie: number;
  readonly #u8: Record<string, Uint8Array> = {};
  readonly #u16: Record<string, Uint16Array> = {};
  readonly #u32: Record<string, Uint32Array> = {};
  readonly #f64: Record<string, Float64Array> = {};
  readonly #text: Record<string, Uint32Array> = {};
  readonly #pair: Record<string, Uint32Array> = {};
  readonly #wide: Record<string, Uint8Array> = {};

  constructor(capacity: number, nodes: readonly string[], boots: readonly string[], seed: number) {
    this.#nodes = nodes;
    this.#boots = boots.map((boot) => constantUuid(boot).constant);
    this.#seq = (seed * 1_000_003) % 1_000_000;
    this.#cookie = seed * 1_000_000;
    for (const name of [
      "kind",
      "verdict",
      "reporter",
      "direction",
      "protocol",
      "counted",
      "opened",
      "closed",
      "failed",
      "icmp_type",
      "icmp_code",
      "tcp_flags",
      "passage",
      "toward",
    ])
      this.#u8[name] = new Uint8Array(capacity);
    for (const name of ["cpu", "src_port", "dst_port", "service_port"]) this.#u16[name] = new Uint16Array(capacity);
    for (const name of [
      "generation",
      "seq",
      "pid",
      "netns",
      "drops",
      "retransmits",
      "rtt_us",
      "min_rtt_us",
      "connect_us",
    ])
      this.#u32[name] = new Uint32Array(capacity);
    for (const name of [
      "cgroup",
      "socket",
      "bytes_to_server",
      "bytes_to_client",
      "packets_to_server",
      "packets_to_client",
      "duration_us",
    ])
      this.#f64[name] = new Float64Array(capacity);
    for (const name of [
      "node",
      "reason",
      "service",
      "src_ns",
      "src_workload",
      "src_endpoint",
      "src_name",
      "dst_ns",
      "dst_workload",
      "dst_endpoint",
      "dst_name",
      "process",
      "device",
      "location",
      "hook",
    ])
      this.#text[name] = new Uint32Array(capacity);
    for (const name of ["ts", "src_id", "dst_id"]) this.#pair[name] = new Uint32Array(capacity * 2);
    for (const name of ["boot", "src_addr", "dst_addr", "service_addr"])
      this.#wide[name] = new Uint8Array(capacity * 16);
  }

  clear(): void {
    this.length = 0;
  }

  columns(): Record<FlowColumn, ColumnValues> {
    const texts = Object.fromEntries(
      Object.entries(this.#text).map(([name, numbers]) => [name, { table: this.#strings, numbers }]),
    );
    return { ...this.#u8, ...this.#u16, ...this.#u32, ...this.#f64, ...this.#pair, ...this.#wide, ...texts } as Record<
      FlowColumn,
      ColumnValues
    >;
  }

  /** At most six rows around `at` (ms since 1970). */
  addConnection(link: Link, at: number, next: Next): void {
    const ends = {
      client: Math.floor(next() * link.from.endpoints.length),
      server: Math.floor(next() * link.to.endpoints.length),
      port: 32_768 + Math.floor(next() * 28_000),
    };
    const cookie = ++this.#cookie;
    const failed = next() < link.failing;
    const clientSees = link.from.kind === "workload";
    const serverSees = link.to.kind === "workload";
    const duration = Math.round((0.002 + next() ** 4 * 2) * 1e6);
    const rtt = Math.round(link.rttUs * (0.7 + next() * 0.6 + (next() < 0.02 ? 8 : 0)));
    if (failed) {
      const wait = link.errno === "ECONNREFUSED" ? rtt : link.errno === "EHOSTUNREACH" ? 3_050_000 : 6_000_000;
      if (clientSees)
        this.#row(link, ends, at + wait / 1000, "client", cookie, next, {
          kind: "fail",
          verdict: "failed",
          reason: link.errno,
          failed: 1,
          connect_us: wait,
          counted: 1,
        });
      if (link.drop !== undefined) this.#drop(link, ends, at, next, link.errno === "ETIMEDOUT" ? 6 : 1);
      return;
    }
    const up = Math.round(link.bytes * 0.15 * (0.5 + next()));
    const down = Math.round(link.bytes * (0.3 + next() * 1.4));
    const traffic = {
      bytes_to_server: up,
      bytes_to_client: down,
      packets_to_server: 2 + Math.ceil(up / 1400),
      packets_to_client: 2 + Math.ceil(down / 1400),
    };
    if (link.protocol === 17) {
      this.#row(link, ends, at, "client", cookie, next, {
        kind: "datagram",
        verdict: "allowed",
        opened: 1,
        counted: 1,
        ...traffic,
      });
      if (serverSees && next() < 0.5)
        this.#row(link, ends, at, "server", cookie + 0.5, next, {
          kind: "datagram",
          verdict: "allowed",
          opened: 1,
          ...traffic,
        });
      return;
    }
    const sends = {
      client: binomial(traffic.packets_to_server, link.loss, next),
      server: binomial(traffic.packets_to_client, link.loss, next),
    };
    const measured = { rtt_us: rtt, min_rtt_us: Math.round(rtt * 0.8), connect_us: Math.round(rtt * 1.1) };
    const seer = clientSees ? "client" : "server"; // who counts
    this.#row(link, ends, at, seer, cookie, next, {
      kind: "open",
      verdict: "allowed",
      opened: 1,
      counted: 1,
      ...measured,
    });
    this.#row(link, ends, at + duration / 1000, seer, cookie, next, {
      kind: "close",
      verdict: "allowed",
      closed: 1,
      counted: 1,
      duration_us: duration,
      retransmits: sends[seer],
      ...traffic,
      rtt_us: rtt,
      min_rtt_us: Math.round(rtt * 0.8),
    });
    if (clientSees && serverSees)
      this.#row(link, ends, at + duration / 1000, "server", cookie, next, {
        kind: "close",
        verdict: "allowed",
        closed: 1,
        duration_us: duration,
        retransmits: sends.server,
        ...traffic,
        rtt_us: rtt,
      });
    if (sends.client > 0 && link.drop !== undefined) this.#drop(link, ends, at, next, sends.client);
  }

  #drop(link: Link, ends: Ends, at: number, next: Next, packets: number): void {
    const { reason, location, at: where } = link.drop!;
    this.#row(link, ends, at + 1, where, 0, next, {
      kind: "drop",
      verdict: "dropped",
      reason,
      location,
      drops: packets,
      device: "eth0",
      hook: location === "nft_do_chain" ? "input" : "",
      passage: PASSAGES.indexOf(where === "client" ? "out" : "in"),
      toward: TOWARDS.indexOf("server"),
      tcp_flags: 2,
    });
  }

  #row(
    link: Link,
    ends: Ends,
    at: number,
    reporter: "client" | "server",
    cookie: number,
    next: Next,
    values: RowValues,
  ): void {
    const row = this.length++;
    const node = ends[reporter === "client" ? "client" : "server"] % this.#nodes.length;
    for (const list of [this.#u8, this.#u16, this.#u32, this.#f64, this.#text])
      for (const name in list) list[name]![row] = 0;
    const ns = BigInt(Math.round(at)) * 1_000_000n + BigInt(Math.floor(next() * 1e6));
    this.#pair["ts"]![row * 2] = Number(ns & 0xffffffffn);
    this.#pair["ts"]![row * 2 + 1] = Number(ns >> 32n);
    this.#wide["boot"]!.set(this.#boots[node]!, row * 16);
    this.#wide["service_addr"]!.fill(0, row * 16, row * 16 + 16);
    this.#u32["generation"]![row] = 1;
    this.#u32["seq"]![row] = this.#seq = (this.#seq + 1) >>> 0;
    this.#u8["reporter"]![row] = REPORTERS.indexOf(reporter);
    this.#u8["direction"]![row] = DIRECTIONS.indexOf(reporter === "client" ? "egress" : "ingress");
    this.#u8["protocol"]![row] = link.protocol;
    this.#u16["src_port"]![row] = ends.port;
    this.#u16["dst_port"]![row] = link.port;
    this.#f64["socket"]![row] = Math.floor(cookie * 2) + (reporter === "server" ? 1 : 0);
    this.#end("src", link.from, ends.client, row);
    this.#end("dst", link.to, ends.server, row);
    this.#set("node", this.#nodes[node]!, row);
    this.#set("service", link.service, row);
    if (values.kind !== "drop") {
      const owner = reporter === "client" ? link.from : link.to;
      this.#set("process", owner.process, row);
      this.#u32["pid"]![row] = 1000 + (owner.id[0] % 3000);
    }
    const { kind, verdict, reason, location, device, hook, ...numbers } = values;
    this.#u8["kind"]![row] = KIND(kind);
    this.#u8["verdict"]![row] = VERDICTS.indexOf(verdict);
    this.#set("reason", reason ?? "", row);
    this.#set("location", location ?? "", row);
    this.#set("device", device ?? "", row);
    this.#set("hook", hook ?? "", row);
    for (const [name, value] of Object.entries(numbers))
      (this.#u8[name] ?? this.#u32[name] ?? this.#f64[name])![row] = value;
  }

  #end(side: "src" | "dst", part: Part, endpoint: number, row: number): void {
    this.#pair[`${side}_id`]!.set(part.id, row * 2);
    this.#wide[`${side}_addr`]!.set(part.endpoints[endpoint]!.address, row * 16);
    this.#set(`${side}_ns`, part.namespace, row);
    this.#set(`${side}_workload`, part.workload, row);
    this.#set(`${side}_endpoint`, part.endpoints[endpoint]!.name, row);
    this.#set(`${side}_name`, part.dnsName, row);
  }

  #set(name: string, value: string, row: number): void {
    this.#text[name]![row] = this.#strings.intern(value);
  }
}

interface Ends {
  readonly client: number;
  readonly server: number;
  readonly port: number;
}

interface RowValues {
  readonly kind: (typeof FLOW_KINDS)[number];
  readonly verdict: (typeof VERDICTS)[number];
  readonly reason?: string;
  readonly location?: string;
  readonly device?: string;
  readonly hook?: string;
  readonly passage?: number;
  readonly toward?: number;
  readonly counted?: number;
  readonly opened?: number;
  readonly closed?: number;
  readonly failed?: number;
  readonly drops?: number;
  readonly bytes_to_server?: number;
  readonly bytes_to_client?: number;
  readonly packets_to_server?: number;
  readonly packets_to_client?: number;
  readonly retransmits?: number;
  readonly rtt_us?: number;
  readonly min_rtt_us?: number;
  readonly connect_us?: number;
  readonly duration_us?: number;
  readonly tcp_flags?: number;
}

function binomial(count: number, share: number, next: Next): number {
  if (share === 0) return 0;
  let hits = 0;
  for (let i = 0; i < count; i++) if (next() < share) hits++;
  return hits;
}
