/** DNS answers to rows of `dns_answers`, and to names of addresses; translations to what rows look up. Few per second: objects are fine here. */
import { formatAddress } from "../../model/address.ts";
import { bytesOf, EventType, type DnsColumns, type NatColumns } from "../decode/columns.ts";
import { visibleText } from "../identity/visible-text.ts";
import { isLoopback } from "../identity/who.ts";
import { nsOf } from "./flow-rows.ts";
import type { RowContext } from "./row-maker.ts";

/** A row of `dns_answers` as JSONEachRow takes it. */
export interface DnsRow {
  readonly ts: string;
  readonly node: string;
  readonly client_id: string;
  readonly client_addr: string;
  readonly server_addr: string;
  readonly name: string;
  readonly qtype: string;
  readonly rcode: string;
  readonly addresses: readonly string[];
  readonly latency_us: number;
}

/** IANA's DNS parameters, those that are met. */
const QUERY_TYPES: Readonly<Record<number, string>> = {
  1: "A",
  2: "NS",
  5: "CNAME",
  6: "SOA",
  12: "PTR",
  15: "MX",
  16: "TXT",
  28: "AAAA",
  33: "SRV",
  64: "SVCB",
  65: "HTTPS",
  255: "ANY",
};
const RCODES = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"] as const;

/** Learns the names of a batch of answers and gives each of them as a row to `store`. */
export function dnsRows(
  context: RowContext,
  node: string,
  batch: DnsColumns,
  store: (row: DnsRow, minute: number) => void,
): void {
  const { who, sink } = context;
  for (let r = 0; r < batch.length; r++) {
    const netns = batch.netns[r]!;
    const ns = nsOf(batch.tsLow[r]!, batch.tsHigh[r]!);
    if (!who.isObserved(netns)) {
      sink.filtered(EventType.dns, batch.tsLow[r]!, batch.tsHigh[r]!);
      continue;
    }
    const name = visibleText(batch.names[batch.name[r]!] ?? "");
    const start = batch.addressStart[r]!;
    const addresses: string[] = [];
    for (let i = start; i < start + batch.addressCount[r]!; i++) {
      addresses.push(formatAddress(bytesOf(batch.addresses), i * 16));
      if (name !== "") who.names.learn(batch.addresses, i * 4, name, batch.ttl[i]!, ns / 1e6);
    }
    if (!isLoopback(batch.source, r * 4)) who.intervals.prove(batch.source, r * 4, netns, ns);
    const party = who.near(netns, batch.cgroupLow[r]!, batch.cgroupHigh[r]!, undefined, 0, 0, 0, 17, ns);
    store(
      {
        ts: clickhouseNanoseconds(batch.tsLow[r]!, batch.tsHigh[r]!),
        node,
        client_id: who.identities.at(party).identity.id,
        client_addr: formatAddress(bytesOf(batch.source), r * 16),
        server_addr: formatAddress(bytesOf(batch.destination), r * 16),
        name,
        qtype: QUERY_TYPES[batch.queryType[r]!] ?? `TYPE${batch.queryType[r]}`,
        rcode: RCODES[batch.rcode[r]!] ?? `RCODE${batch.rcode[r]}`,
        addresses,
        latency_us: batch.latencyUs[r]!,
      },
      Math.floor(ns / 60e9) * 60,
    );
  }
}

/** Learns the translations of a batch: they appear in the connections' rows, and make none of their own. */
export function natRows(context: RowContext, batch: NatColumns): void {
  for (let r = 0; r < batch.length; r++) {
    context.tuples.translate(
      batch.source,
      r * 4,
      batch.destination,
      r * 4,
      batch.ports[r]!,
      (batch.tags[r]! >>> 16) & 0xff,
      batch.backend,
      r * 4,
      batch.backendPort[r]!,
    );
    context.sink.filtered(EventType.nat, batch.tsLow[r]!, batch.tsHigh[r]!);
  }
}

/** `2026-11-24 23:07:04.123456789` UTC. */
export function clickhouseNanoseconds(low: number, high: number): string {
  const ns = (BigInt(high) << 32n) | BigInt(low);
  return `${new Date(Number(ns / 1_000_000_000n) * 1000).toISOString().slice(0, 19).replace("T", " ")}.${String(ns % 1_000_000_000n).padStart(9, "0")}`;
}
