/** How fresh the store is and who reports: the line at the foot of every page. Answered by flows (its newest minute) and nodes. */
import { z } from "zod";
import { milliseconds } from "../../model/time.ts";
import type { StatusAnswer } from "../../model/wire/answers/health.ts";
import type { StoreReader } from "../reader.ts";
import { count, IN_RANGE, ms, rangeParams } from "./question.ts";

/** Answered from the parts' own least and greatest values: no rows are read. */
export const NEWEST_SQL = `
SELECT count() AS rows, toUnixTimestamp64Milli(max(ts)) AS newest, version() AS server, (SELECT max(version) FROM schema_migrations) AS schema
FROM flows
LIMIT 1`;

export const REPORTING_SQL = `
SELECT f.node AS node, f.newest AS newest, f.rows AS rows, n.kernel AS kernel, n.agent AS agent
FROM
(
  SELECT toString(flows.node) AS node, toUnixTimestamp64Milli(max(ts)) AS newest, countIf(ts >= {to:DateTime64(3, 'UTC')} - INTERVAL 60 SECOND) AS rows
  FROM flows
  WHERE ${IN_RANGE}
  GROUP BY node
) AS f
LEFT JOIN (SELECT toString(nodes.node) AS node, argMax(nodes.kernel, last_seen) AS kernel, argMax(nodes.agent, last_seen) AS agent FROM nodes GROUP BY node) AS n ON n.node = f.node
ORDER BY node
LIMIT 10000`;

const Newest = z.object({ rows: count, newest: ms, server: z.string(), schema: count });
const Reporting = z.object({ node: z.string(), newest: ms, rows: count, kernel: z.string(), agent: z.string() });

/** Nodes that have reported within this time before the newest row. */
const REPORTING_MS = 5 * 60_000;

/** Newest row, rows a second in the minute before it, nodes, versions. Throws StoreError. */
export async function status(store: StoreReader, signal: AbortSignal): Promise<StatusAnswer> {
  const [newest] = await store.rows({ sql: NEWEST_SQL, row: Newest }, {}, signal);
  const now = milliseconds(Date.now());
  if (newest === undefined || newest.rows === 0) {
    return {
      now,
      newestRow: null,
      rowsPerSecond: 0,
      nodes: [],
      storeVersion: newest?.server ?? "",
      schemaVersion: newest?.schema ?? 0,
    };
  }
  const range = { from: milliseconds(newest.newest - REPORTING_MS), to: milliseconds(newest.newest + 1) };
  const nodes = await store.rows({ sql: REPORTING_SQL, row: Reporting }, rangeParams(range), signal);
  return {
    now,
    newestRow: newest.newest,
    rowsPerSecond: nodes.reduce((sum, node) => sum + node.rows, 0) / 60,
    nodes: nodes.map((node) => ({
      node: node.node,
      newestRow: node.newest,
      rowsPerSecond: node.rows / 60,
      kernel: node.kernel,
      agent: node.agent,
    })),
    storeVersion: newest.server,
    schemaVersion: newest.schema,
  };
}
