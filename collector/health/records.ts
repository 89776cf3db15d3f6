/** What goes into the store beside flows: who is who, which node this is, how the collector is. Small tables, written rarely. */
import { cpus, release } from "node:os";
import { formatAddress, parseAddress } from "../../model/address.ts";
import type { HealthSnapshot } from "../../model/wire/health.ts";
import { bytesOf } from "../decode/columns.ts";
import type { KnownIdentity } from "../identity/identities.ts";
import type { Who } from "../identity/who.ts";
import { jsonLot } from "../rows/pipeline.ts";
import type { Reporter } from "../rows/encode.ts";
import type { Lot } from "../spool/append.ts";

const FOREVER = "2200-01-01 00:00:00";
const PROTOCOL_NUMBERS = { TCP: 6, UDP: 17, SCTP: 132 } as const;

/** Identities as rows of `identities`. */
export function identityLot(identities: readonly KnownIdentity[], firstMs: number, lastMs: number): Lot {
  return jsonLot(
    "identities",
    "record",
    identities.map((identity) => ({
      id: identity.id,
      kind: identity.kind,
      shape: identity.shape,
      namespace: identity.namespace,
      workload: identity.workload,
      labels: identity.labels,
      cilium_id: 0,
      first_seen: clickhouseTime(firstMs),
      last_seen: clickhouseTime(lastMs),
    })),
    500,
  );
}

/**
 * Which address belonged to whom, from when to when: what changed since `seen` (key → what was written). Namespaces of this machine by
 * what was proven; addresses that the inventory alone knows from `fromMs` on, or from when the inventory was read with them.
 */
export function endpointLot(who: Who, node: string, seen: Map<string, string>, fromMs: number, nowMs: number): Lot {
  const rows: object[] = [];
  const proven = new Set<string>();
  for (const { words, intervals } of who.intervals.all()) {
    const address = formatAddress(bytesOf(words as Uint32Array<ArrayBuffer>));
    proven.add(address);
    intervals.forEach((interval, i) => {
      const next = intervals[i + 1];
      const closed = interval.ended || next !== undefined;
      const party = who.identities.at(
        who.far(interval.netns, words as Uint32Array<ArrayBuffer>, 0, 0, 6, interval.from),
      );
      const key = `${words.join(",")} ${interval.netns} ${interval.from}`;
      const state = `${party.identity.id} ${party.endpoint} ${closed ? interval.to : ""}`;
      if (seen.get(key) === state) return;
      seen.set(key, state);
      rows.push({
        address,
        netns: interval.netns,
        node,
        identity: party.identity.id,
        endpoint: party.endpoint,
        process: "",
        valid_from: clickhouseTime(interval.from / 1e6),
        valid_to: closed ? clickhouseTime(interval.to / 1e6) : FOREVER,
        updated: clickhouseTime(nowMs),
      });
    });
  }
  rows.push(...inventoryRows(who, node, seen, proven, fromMs, nowMs));
  return jsonLot("endpoints", "record", rows, 1000);
}

/** Addresses that only the inventory knows: opened when they are first there, closed when a later version leaves them out. */
function inventoryRows(
  who: Who,
  node: string,
  seen: Map<string, string>,
  proven: ReadonlySet<string>,
  fromMs: number,
  nowMs: number,
): object[] {
  const rows: object[] = [];
  const present = new Set<string>();
  const isFirst = !seen.has(INVENTORY);
  for (const known of who.inventory.latest.entries) {
    if (known.entry.kind === "service") continue;
    const { identity, endpoint } = who.partyOfEntry(known);
    for (const address of known.addresses.map((bytes) => formatAddress(bytes))) {
      if (proven.has(address)) continue;
      const key = `${INVENTORY} ${address} ${identity.id}`;
      present.add(key);
      if (seen.has(key)) continue;
      const from = clickhouseTime(isFirst ? fromMs : nowMs);
      const row = { address, netns: 0, node, identity: identity.id, endpoint, process: "", valid_from: from };
      seen.set(key, JSON.stringify(row));
      rows.push({ ...row, valid_to: FOREVER, updated: clickhouseTime(nowMs) });
    }
  }
  for (const [key, row] of seen) {
    if (!key.startsWith(`${INVENTORY} `) || present.has(key)) continue;
    seen.delete(key);
    const closed = { valid_to: clickhouseTime(nowMs), updated: clickhouseTime(nowMs) };
    rows.push({ ...(JSON.parse(row) as object), ...closed });
  }
  seen.set(INVENTORY, "");
  return rows;
}
const INVENTORY = "inventory";

/** The port names that the inventory gives, by identity, as known now. */
export function portLot(who: Who, nowMs: number): Lot {
  const now = clickhouseTime(nowMs);
  const rows = who.inventory.latest.entries.flatMap((known) =>
    known.entry.ports.flatMap(({ name, port, protocol }) =>
      name === undefined || name === ""
        ? []
        : {
            identity: who.partyOfEntry(known).identity.id,
            name,
            protocol: PROTOCOL_NUMBERS[protocol],
            port,
            first_seen: now,
            last_seen: now,
          },
    ),
  );
  return jsonLot("named_ports", "record", rows, 1000);
}

/** The service addresses of the inventory. */
export function serviceLot(who: Who, fromMs: number, nowMs: number): Lot {
  const rows = who.inventory.latest.entries
    .filter((known) => known.entry.kind === "service")
    .flatMap((known) => {
      const { entry, addresses } = known;
      const ports = entry.ports.length > 0 ? entry.ports : [{ port: 0, protocol: "TCP" as const }];
      return addresses.flatMap((address) =>
        ports.map(({ port, protocol }) => ({
          address: formatAddress(address),
          port,
          protocol: PROTOCOL_NUMBERS[protocol],
          namespace: entry.namespace,
          name: entry.workload,
          backends: entry.backends.map((backend) => [
            formatAddress(parseAddress(backend.address) ?? new Uint8Array(16)),
            backend.port ?? port,
          ]),
          valid_from: clickhouseTime(fromMs),
          valid_to: FOREVER,
          updated: clickhouseTime(nowMs),
        })),
      );
    });
  return jsonLot("services", "record", rows, 1000);
}

/** This node. */
export function nodeLot(reporter: Reporter, agent: string, firstMs: number, nowMs: number): Lot {
  return jsonLot(
    "nodes",
    "record",
    [
      {
        node: reporter.node,
        boot: reporter.boot,
        kernel: release(),
        agent,
        cpus: cpus().length,
        first_seen: clickhouseTime(firstMs),
        last_seen: clickhouseTime(nowMs),
      },
    ],
    5000,
  );
}

/** A health snapshot as rows of `collector_health`: names with their units. */
export function healthLot(health: HealthSnapshot): Lot {
  const ts = clickhouseTime(health.at);
  const rows: object[] = [];
  const say = (metric: string, value: number, label = "", text = "") =>
    rows.push({ ts, node: health.node, metric, label, value, text });
  say("events_per_second", health.eventsPerSecond);
  say("rows_per_second", health.rowsPerSecond);
  say("ring_used_ratio", health.ringUse);
  say("decode_nanoseconds", health.decodeNs);
  say("spool_bytes", health.spool.bytes);
  say("spool_segments", health.spool.segments);
  say("spool_oldest_seconds", health.spool.oldestMs / 1000);
  say("insert_lag_seconds", health.store.lagMs / 1000);
  say("insert_seconds", health.store.insertMs / 1000);
  say("insert_failures_total", health.store.failures);
  say("spool_failures_total", health.spool.failures);
  say("spool_shed_rows_total", health.spool.shedRows);
  say("segments_quarantined_total", health.spool.quarantined);
  say("records_malformed_total", health.malformed);
  say("memory_bytes", health.process.rssBytes);
  say("cpu_seconds_total", health.process.cpuSeconds);
  say("books_difference_events", health.books.difference);
  say("replay", health.source === "replay" ? 1 : 0, "", health.sourceNote);
  for (const { cpu, type, lost } of health.loss) if (lost > 0) say("lost_events_total", lost, `${cpu}/${type}`);
  for (const hook of health.hooks) say("hook_loaded", hook.state === "loaded" ? 1 : 0, hook.name, hook.why ?? "");
  return jsonLot("collector_health", "allowed", rows, 5000);
}

function clickhouseTime(ms: number): string {
  return new Date(ms).toISOString().replace("T", " ").replace("Z", "");
}
