/** Everything about one node in a range: its sums as server and as client, peers, endpoints. Answered by the roll-ups and `endpoints`. */
import { z } from "zod";
import type { NodeDetails } from "../../model/wire/answers/map.ts";
import type { StoreReader } from "../reader.ts";
import { address } from "./edge-details.ts";
import { withEdgeRows } from "./edge-rows.ts";
import { bare, namesOf } from "./names.ts";
import { answered, count, ms, rangeParams, type RangeQuestion } from "./question.ts";

export const NODE_PEERS_SQL = `
SELECT
  toString(src_id) AS source, toString(dst_id) AS destination,
  sum(e.opened) AS opened, sum(e.closed) AS closed, sum(e.failed) AS failed, sum(e.drops) AS drops,
  sum(e.bytes_to_server) AS bytesToServer, sum(e.bytes_to_client) AS bytesToClient,
  sum(e.packets_to_server) AS packetsToServer, sum(e.packets_to_client) AS packetsToClient,
  sum(e.retransmits) AS retransmits
FROM /* edges */ AS e
GROUP BY src_id, dst_id
ORDER BY opened + failed + drops DESC, source, destination
LIMIT 500`;

export const NODE_REASONS_SQL = `
SELECT
  reason AS value, sum(e.failed) + sum(e.drops) AS n
FROM /* edges */ AS e
WHERE reason != ''
GROUP BY reason
HAVING n > 0
ORDER BY n DESC, value
LIMIT 20`;

export const NODE_ENDPOINTS_SQL = `
SELECT
  endpoint, toString(endpoints.address) AS address, node, process,
  toUnixTimestamp64Milli(valid_from) AS begins,
  if(valid_to >= toDateTime64('2199-01-01', 9, 'UTC'), NULL, toUnixTimestamp64Milli(valid_to)) AS ends
FROM endpoints FINAL
WHERE identity IN {ids:Array(UInt64)} AND valid_from < {to:DateTime64(3, 'UTC')} AND valid_to >= {from:DateTime64(3, 'UTC')}
ORDER BY begins DESC, endpoint, address
LIMIT 500`;

const PeerRow = z.object({
  source: z.string(),
  destination: z.string(),
  opened: count,
  closed: count,
  failed: count,
  drops: count,
  bytesToServer: count,
  bytesToClient: count,
  packetsToServer: count,
  packetsToClient: count,
  retransmits: count,
});
const ReasonRow = z.object({ value: z.string(), n: count });
const EndpointRow = z.object({
  endpoint: z.string(),
  address: address(),
  node: z.string(),
  process: z.string(),
  begins: ms,
  ends: ms.nullable(),
});

type Traffic = Omit<z.infer<typeof PeerRow>, "source" | "destination">;

/** The node's names, sums, peers (at most 500, busiest first), endpoints and reasons of trouble. Throws StoreError. */
export async function nodeDetails(
  store: StoreReader,
  question: RangeQuestion & { readonly node: readonly string[] },
  signal: AbortSignal,
): Promise<NodeDetails> {
  const own = { ...question, ends: { either: question.node } };
  const peers = withEdgeRows(NODE_PEERS_SQL, own);
  const reasons = withEdgeRows(NODE_REASONS_SQL, own);
  const [peerRows, reasonRows, endpoints] = await Promise.all([
    store.rows({ sql: peers.sql, row: PeerRow }, peers.params, signal),
    store.rows({ sql: reasons.sql, row: ReasonRow }, reasons.params, signal),
    store.rows(
      { sql: NODE_ENDPOINTS_SQL, row: EndpointRow },
      { ids: question.node.map(BigInt), ...rangeParams(peers.range) },
      signal,
    ),
  ]);
  const names = await namesOf(
    store,
    [...new Set([...question.node, ...peerRows.flatMap((row) => [row.source, row.destination])])],
    peers.range,
    signal,
  );
  const members = new Set(question.node);
  const node = names(question.node[0]!);
  return {
    answered: answered(peers.range, peers.by, peerRows.length === 500),
    node: { ...bare(node), labels: node.labels },
    inbound: sum(peerRows.filter((row) => members.has(row.destination))),
    outbound: sum(peerRows.filter((row) => members.has(row.source))),
    peers: peerRows.map(({ source, destination, ...traffic }) => {
      const inbound = members.has(destination);
      return {
        ...traffic,
        peer: bare(names(inbound ? source : destination)),
        direction: inbound ? ("inbound" as const) : ("outbound" as const),
      };
    }),
    endpoints: endpoints.map(({ begins, ends, ...rest }) => ({ ...rest, from: begins, to: ends })),
    reasons: reasonRows.map(({ value, n }) => ({ value, count: n })),
  };
}

function sum(rows: readonly Traffic[]): Traffic {
  const total = {
    opened: 0,
    closed: 0,
    failed: 0,
    drops: 0,
    bytesToServer: 0,
    bytesToClient: 0,
    packetsToServer: 0,
    packetsToClient: 0,
    retransmits: 0,
  };
  for (const row of rows) for (const key of Object.keys(total) as (keyof typeof total)[]) total[key] += row[key];
  return total;
}
