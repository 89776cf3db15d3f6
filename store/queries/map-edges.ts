/** Who talks to whom in a range: the service map. Answered by the roll-ups, or by flows (see edge-rows.ts). */
import { z } from "zod";
import type { MapAnswer, MapEdge, MapNode } from "../../model/wire/answers/map.ts";
import type { StoreReader } from "../reader.ts";
import { contextBefore, withEdgeRows } from "./edge-rows.ts";
import { namesOf } from "./names.ts";
import { answered, count, latencyRow, ms, type RangeQuestion } from "./question.ts";

const EDGES = `
SELECT
  toString(src_id) AS source,
  toString(dst_id) AS destination,
  sum(e.opened) AS opened,
  sum(e.closed) AS closed,
  sum(e.failed) AS failed,
  sum(e.drops) AS drops,
  sumIf(e.drops, verdict = 'denied') AS denied,
  sum(e.bytes_to_server) AS bytesToServer,
  sum(e.bytes_to_client) AS bytesToClient,
  sum(e.packets_to_server) AS packetsToServer,
  sum(e.packets_to_client) AS packetsToClient,
  sum(e.retransmits) AS retransmits,
/* latency */
  toUnixTimestamp64Milli(min(e.first_seen)) AS firstSeen,
  toUnixTimestamp64Milli(max(e.last_seen)) AS lastSeen,
  sumMapIf([bitShiftLeft(toUInt32(protocol), 16) + dst_port], [e.opened], [e.failed], e.opened + e.failed > 0) AS byPort,
  sumMapIf([toString(reason)], [e.failed + e.drops], reason != '') AS byReason,
  arrayMap((k, o, f) -> (k % 65536, intDiv(k, 65536), o, f), byPort.1, byPort.2, byPort.3) AS ports,
  arrayMap((k, n) -> (k, n), byReason.1, byReason.2) AS reasons
FROM /* edges */ AS e
GROUP BY src_id, dst_id
ORDER BY opened + failed + drops DESC, source, destination
LIMIT {limit:UInt32}`;

/** Merging the states of round-trip times is most of what a map costs: only where they are shown. */
const EDGES_SQL = EDGES.replace("/* latency */\n", "");
const EDGES_WITH_RTT_SQL = EDGES.replace("/* latency */", "  quantilesDDMerge(0.01, 0.5, 0.95, 0.99)(e.rtt) AS rtt,");

const CONTEXT_SQL = `
SELECT
  toString(src_id) AS source,
  toString(dst_id) AS destination,
  toUnixTimestamp64Milli(min(first_seen)) AS firstSeen,
  toUnixTimestamp64Milli(max(last_seen)) AS lastSeen,
  sum(opened) AS opened
FROM /* edges */
GROUP BY src_id, dst_id
ORDER BY opened DESC, source, destination
LIMIT {limit:UInt32}`;

const EdgeRow = z.object({
  source: z.string(),
  destination: z.string(),
  opened: count,
  closed: count,
  failed: count,
  drops: count,
  denied: count,
  bytesToServer: count,
  bytesToClient: count,
  packetsToServer: count,
  packetsToClient: count,
  retransmits: count,
  rtt: latencyRow.optional(),
  firstSeen: ms,
  lastSeen: ms,
  ports: z.array(z.tuple([z.number(), z.number(), count, count])),
  reasons: z.array(z.tuple([z.string(), count])),
});
type EdgeRow = z.infer<typeof EdgeRow>;

const ContextRow = z.object({
  source: z.string(),
  destination: z.string(),
  firstSeen: ms,
  lastSeen: ms,
  opened: count,
});

const UNASKED = { p50: null, p95: null, p99: null };
/** How much earlier time, in lengths of the range, says what is new and what is gone: the scrubber shows as much. */
const CONTEXT_LENGTHS = 3;
const PORTS = 8;
const REASONS = 5;

export interface MapQuestion extends RangeQuestion {
  /** Edges at most, those with the most connections, failures and drops first. */
  readonly limit: number;
  /** True: with the round-trip times of each edge; else they are null. */
  readonly latency?: boolean;
}

/** Edges and their ends. Rollups answer to the minute, so `answered` names the range that the sums are of. Throws StoreError. */
export async function mapEdges(store: StoreReader, question: MapQuestion, signal: AbortSignal): Promise<MapAnswer> {
  const limit = question.limit + 1;
  const rows = withEdgeRows(question.latency === true ? EDGES_WITH_RTT_SQL : EDGES_SQL, question);
  const context = contextBefore(question, CONTEXT_LENGTHS);
  const before = withEdgeRows(
    CONTEXT_SQL,
    { ...context, range: { from: context.range.from, to: rows.range.from } },
    { exact: rows.range === question.range },
  );
  const [edges, earlier] = await Promise.all([
    store.rows({ sql: rows.sql, row: EdgeRow }, { ...rows.params, limit }, signal),
    store.rows({ sql: before.sql, row: ContextRow }, { ...before.params, limit: 50_000 }, signal),
  ]);
  const kept = edges.slice(0, question.limit);
  const known = earlier.length === 0 ? undefined : new Set(earlier.map(pairKey));
  const all = [...kept.map((row) => edgeOf(row, known)), ...goneEdges(edges, earlier).slice(0, question.limit)];
  const sums = sumsByEnd(all);
  const names = await namesOf(store, [...sums.keys()], rows.range, signal);
  return {
    answered: answered(rows.range, rows.by, edges.length > question.limit),
    contextFrom: context.range.from,
    nodes: [...sums].map(([id, sum]) => ({ ...names(id), ...sum })),
    edges: all,
  };
}

function pairKey(edge: { readonly source: string; readonly destination: string }): string {
  return `${edge.source} ${edge.destination}`;
}

/** `known`: pairs of the context, or undefined when it holds no rows at all: then nothing can be called new. */
function edgeOf(row: EdgeRow, known: ReadonlySet<string> | undefined): MapEdge {
  const { ports, reasons, rtt = UNASKED, ...rest } = row;
  const news = known === undefined || known.has(pairKey(row)) ? "steady" : "new";
  return { ...rest, rtt, ports: topPorts(ports), reasons: topReasons(reasons), news };
}

/** Edges of the context that the range lacks, as empty ones. */
function goneEdges(rows: readonly EdgeRow[], earlier: readonly z.infer<typeof ContextRow>[]): MapEdge[] {
  const present = new Set(rows.map(pairKey));
  return earlier
    .filter((one) => one.opened > 0 && !present.has(pairKey(one)))
    .map(({ source, destination, firstSeen, lastSeen }) => ({
      source,
      destination,
      firstSeen,
      lastSeen,
      opened: 0,
      closed: 0,
      failed: 0,
      drops: 0,
      denied: 0,
      bytesToServer: 0,
      bytesToClient: 0,
      packetsToServer: 0,
      packetsToClient: 0,
      retransmits: 0,
      rtt: UNASKED,
      ports: [],
      reasons: [],
      news: "gone",
    }));
}

type EndSums = Pick<MapNode, "opened" | "failed" | "drops" | "firstSeen" | "lastSeen">;

/** Each end with what came to it, and when it was seen at either end of an edge: one pass, since a map has thousands of both. */
function sumsByEnd(edges: readonly MapEdge[]): Map<string, EndSums> {
  const sums = new Map<string, { -readonly [K in keyof EndSums]: number }>();
  const seen = (id: string, edge: MapEdge) => {
    let sum = sums.get(id);
    if (sum === undefined) {
      sum = { opened: 0, failed: 0, drops: 0, firstSeen: Number.POSITIVE_INFINITY, lastSeen: 0 };
      sums.set(id, sum);
    }
    sum.firstSeen = Math.min(sum.firstSeen, edge.firstSeen);
    sum.lastSeen = Math.max(sum.lastSeen, edge.lastSeen);
    return sum;
  };
  for (const edge of edges) {
    seen(edge.source, edge);
    const to = seen(edge.destination, edge);
    to.opened += edge.opened;
    to.failed += edge.failed;
    to.drops += edge.drops;
  }
  return sums;
}

function topPorts(list: EdgeRow["ports"]): MapEdge["ports"] {
  return list
    .map(([port, protocol, opened, failed]) => ({ port, protocol, opened, failed }))
    .toSorted((a, b) => b.opened + b.failed - a.opened - a.failed)
    .slice(0, PORTS);
}

function topReasons(list: EdgeRow["reasons"]): MapEdge["reasons"] {
  return list
    .map(([value, n]) => ({ value, count: n }))
    .toSorted((a, b) => b.count - a.count)
    .slice(0, REASONS);
}
