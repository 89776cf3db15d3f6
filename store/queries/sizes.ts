/** What the store takes: tables, rows, bytes, ages, TTL, versions. Answered by the system's own tables. */
import { z } from "zod";
import type { SizesAnswer } from "../../model/wire/answers/health.ts";
import type { StoreReader } from "../reader.ts";
import { count, ms } from "./question.ts";

/** On a cluster the parts are those of the node that answers. */
export const SIZES_SQL = `
SELECT
  t.name AS table, coalesce(p.rows_, 0) AS rows, coalesce(p.bytes_, 0) AS bytesOnDisk, coalesce(p.parts_, 0) AS parts,
  toUnixTimestamp(p.oldest_) * 1000 AS oldest, toUnixTimestamp(p.newest_) * 1000 AS newest,
  extract(t.create_table_query, 'TTL (.+?) SETTINGS') AS ttl
FROM (SELECT name, create_table_query FROM system.tables WHERE database = {database:String} AND engine LIKE '%MergeTree') AS t
LEFT JOIN
(
  SELECT table, sum(rows) AS rows_, sum(bytes_on_disk) AS bytes_, count() AS parts_, min(if(toUnixTimestamp(min_time) = 0, toDateTime(min_date), min_time)) AS oldest_, max(if(toUnixTimestamp(max_time) = 0, toDateTime(max_date), max_time)) AS newest_
  FROM system.parts
  WHERE database = {database:String} AND active
  GROUP BY table
) AS p ON p.table = t.name
ORDER BY bytesOnDisk DESC, table
LIMIT 200`;

export const VERSIONS_SQL = `
SELECT version() AS server, max(version) AS schema
FROM schema_migrations
LIMIT 1`;

const Row = z.object({
  table: z.string(),
  rows: count,
  bytesOnDisk: count,
  parts: count,
  oldest: ms,
  newest: ms,
  ttl: z.string(),
});
const Versions = z.object({ server: z.string(), schema: count });

/** Sizes of all tables of Weir's database, largest first. Throws StoreError. */
export async function sizes(store: StoreReader, signal: AbortSignal): Promise<SizesAnswer> {
  const [rows, versions] = await Promise.all([
    store.rows({ sql: SIZES_SQL, row: Row }, { database: store.config.database }, signal),
    store.rows({ sql: VERSIONS_SQL, row: Versions }, {}, signal),
  ]);
  return {
    schemaVersion: versions[0]?.schema ?? 0,
    storeVersion: versions[0]?.server ?? "",
    tables: rows.map((row) => ({
      ...row,
      bytesPerRow: row.rows === 0 ? null : row.bytesOnDisk / row.rows,
      oldest: row.oldest === 0 ? null : row.oldest,
      newest: row.newest === 0 ? null : row.newest,
    })),
  };
}
