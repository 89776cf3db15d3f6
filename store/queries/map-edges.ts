/** Who talks to whom in a range: the service map. Answered by edges_1m and edges_1h, or by flows (see edge-rows.ts). */
import { z } from "zod";
import type { MapAnswer, MapEdge, MapNode } from "../../model/wire/answers/map.ts";
import type { StoreReader } from "../reader.ts";
import { contextBefore, withEdgeRows } from "./edge-rows.ts";
import { namesOf } from "./names.ts";
import { answered, count, latencyRow, ms, type RangeQuestion } from "./question.ts";

/** One row a pair. Inside: by port and reason first, so that the lists of a pair come with it. */
const EDGES_SQL = `
SELECT
  toString(src_id) AS source,
  toString(dst_id) AS destination,
  sum(o) AS opened,
  sum(c) AS closed,
  sum(f) AS failed,
  sum(d) AS drops,
  sumIf(d, verdict = 'denied') AS denied,
  sum(bs) AS bytesToServer,
  sum(bc) AS bytesToClient,
  sum(ps) AS packetsToServer,
  sum(pc) AS packetsToClient,
  sum(r) AS retransmits,
  quantilesDDMerge(0.01, 0.5, 0.95, 0.99)(rtts) AS rtt,
  quantilesDDMerge(0.01, 0.5, 0.95, 0.99)(connects) AS connect,
  toUnixTimestamp64Milli(min(fs)) AS firstSeen,
  toUnixTimestamp64Milli(max(ls)) AS lastSeen,
  arraySlice(arrayReverseSort(x -> x.3 + x.4, groupArrayIf((dst_port, protocol, o, f), o + f > 0)), 1, 40) AS ports,
  arraySlice(arrayReverseSort(x -> x.2, groupArrayIf((toString(reason), f + d), reason != '')), 1, 40) AS reasons
FROM
(
  SELECT
    src_id, dst_id, dst_port, protocol, verdict, reason,
    sum(opened) AS o, sum(closed) AS c, sum(failed) AS f, sum(drops) AS d,
    sum(bytes_to_server) AS bs, sum(bytes_to_client) AS bc, sum(packets_to_server) AS ps, sum(packets_to_client) AS pc,
    sum(retransmits) AS r,
    quantilesDDMergeState(0.01, 0.5, 0.95, 0.99)(rtt) AS rtts,
    quantilesDDMergeState(0.01, 0.5, 0.95, 0.99)(connect) AS connects,
    min(first_seen) AS fs, max(last_seen) AS ls
  FROM /* edges */
  GROUP BY src_id, dst_id, dst_port, protocol, verdict, reason
)
GROUP BY src_id, dst_id
ORDER BY opened + failed + drops DESC, source, destination
LIMIT {limit:UInt32}`;

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
  rtt: latencyRow,
  connect: latencyRow,
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

/** How much earlier time, in lengths of the range, says what is new and what is gone: the scrubber shows as much. */
const CONTEXT_LENGTHS = 3;
const PORTS = 8;
const REASONS = 5;

export interface MapQuestion extends RangeQuestion {
  /** Edges at most, those with the most connections, failures and drops first. */
  readonly limit: number;
}

/** Edges and their ends. Rollups answer to the minute, so `answered` names the range that the sums are of. Throws StoreError. */
export async function mapEdges(store: StoreReader, question: MapQuestion, signal: AbortSignal): Promise<MapAnswer> {
  const limit = question.limit + 1;
  const rows = withEdgeRows(EDGES_SQL, question);
  const context = contextBefore(question, CONTEXT_LENGTHS);
  const before = withEdgeRows(
    CONTEXT_SQL,
    { ...context, range: { from: context.range.from, to: rows.range.from } },
    undefined,
    false,
  );
  const [edges, earlier] = await Promise.all([
    store.rows({ sql: rows.sql, row: EdgeRow }, { ...rows.params, limit }, signal),
    store.rows({ sql: before.sql, row: ContextRow }, { ...before.params, limit: 50_000 }, signal),
  ]);
  const kept = edges.slice(0, question.limit);
  const known = earlier.length === 0 ? undefined : new Set(earlier.map(pairKey));
  const all = [...kept.map((row) => edgeOf(row, known)), ...goneEdges(edges, earlier).slice(0, question.limit)];
  const ids = new Set(all.flatMap((edge) => [edge.source, edge.destination]));
  const names = await namesOf(store, [...ids], rows.range, signal);
  return {
    answered: answered(rows.range, rows.by, edges.length > question.limit),
    contextFrom: context.range.from,
    nodes: [...ids].map((id) => nodeOf(names(id), all)),
    edges: all,
  };
}

function pairKey(edge: { readonly source: string; readonly destination: string }): string {
  return `${edge.source} ${edge.destination}`;
}

/** `known`: pairs of the context, or undefined when it holds no rows at all: then nothing can be called new. */
function edgeOf(row: EdgeRow, known: ReadonlySet<string> | undefined): MapEdge {
  const { ports, reasons, ...rest } = row;
  const news = known === undefined || known.has(pairKey(row)) ? "steady" : "new";
  return { ...rest, ports: mergedPorts(ports), reasons: mergedReasons(reasons), news };
}

/** Edges of the context that the range lacks, as empty ones. */
function goneEdges(rows: readonly EdgeRow[], earlier: readonly z.infer<typeof ContextRow>[]): MapEdge[] {
  const present = new Set(rows.map(pairKey));
  const nothing = { p50: null, p95: null, p99: null };
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
      rtt: nothing,
      connect: nothing,
      ports: [],
      reasons: [],
      news: "gone",
    }));
}

function nodeOf(
  named: Omit<MapNode, "opened" | "failed" | "drops" | "firstSeen" | "lastSeen">,
  edges: readonly MapEdge[],
): MapNode {
  let [opened, failed, drops, firstSeen, lastSeen] = [0, 0, 0, Number.POSITIVE_INFINITY, 0];
  for (const edge of edges) {
    if (edge.destination === named.id) {
      opened += edge.opened;
      failed += edge.failed;
      drops += edge.drops;
    } else if (edge.source !== named.id) continue;
    firstSeen = Math.min(firstSeen, edge.firstSeen);
    lastSeen = Math.max(lastSeen, edge.lastSeen);
  }
  return { ...named, opened, failed, drops, firstSeen, lastSeen };
}

/** A port stands in a row a reason: summed here. */
function mergedPorts(list: EdgeRow["ports"]): MapEdge["ports"] {
  const merged = new Map<string, MapEdge["ports"][number]>();
  for (const [port, protocol, opened, failed] of list) {
    const key = `${protocol}/${port}`;
    const old = merged.get(key);
    merged.set(key, { port, protocol, opened: opened + (old?.opened ?? 0), failed: failed + (old?.failed ?? 0) });
  }
  return [...merged.values()].toSorted((a, b) => b.opened + b.failed - a.opened - a.failed).slice(0, PORTS);
}

function mergedReasons(list: EdgeRow["reasons"]): MapEdge["reasons"] {
  const merged = new Map<string, number>();
  for (const [value, n] of list) merged.set(value, n + (merged.get(value) ?? 0));
  return [...merged]
    .map(([value, n]) => ({ value, count: n }))
    .toSorted((a, b) => b.count - a.count)
    .slice(0, REASONS);
}
